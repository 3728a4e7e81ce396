/**
 * Strips of a TIFF in codings that are not a fax's own: none, PackBits, LZW and Deflate (TIFF 6.0, sections 9 and 13;
 * Adobe Photoshop TIFF Technical Notes, 2002, for Deflate). Pure. No more comes out than is asked for, whatever goes in.
 */
import { constants, inflateSync } from 'node:zlib'
import type { BitOrder } from './coding/bits.ts'

/** 32946 is what Deflate was called before it was 8. */
export const generalCodings = [1, 5, 8, 32773, 32946] as const
export type GeneralCoding = (typeof generalCodings)[number]

/** @returns at most `most` bytes; fewer where the strip holds no more, or is damaged behind them */
export function unpacked(coding: GeneralCoding, bytes: Uint8Array, most: number): Uint8Array {
  switch (coding) {
    case 1:
      return bytes
    case 5:
      return unlzw(bytes, most)
    case 8:
    case 32946:
      return inflated(bytes, most)
    case 32773:
      return unpack(bytes, most)
  }
}

function inflated(bytes: Uint8Array, most: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return new Uint8Array(0)
  }
}

/** PackBits (section 9). */
function unpack(bytes: Uint8Array, most: number): Uint8Array {
  const out = new Uint8Array(most)
  let to = 0
  for (let at = 0; at < bytes.length && to < most; ) {
    const head = bytes[at] ?? 0
    at += 1
    if (head < 128) {
      const literal = bytes.subarray(at, at + Math.min(head + 1, most - to))
      out.set(literal, to)
      to += literal.length
      at += head + 1
    } else if (head > 128) {
      const end = Math.min(most, to + 257 - head)
      out.fill(bytes[at] ?? 0, to, end)
      to = end
      at += 1
    }
  }
  return out.subarray(0, to)
}

const CLEAR = 256
const END = 257
const FIRST = 258
const MOST_CODES = 4_096

/** Whether a strip begins with the code that clears the table, as LZW does since TIFF 5. */
export const startsLzw = (first: number, order: BitOrder): boolean =>
  first === (order === 'msb' ? 0x80 : 0x01)

/**
 * LZW (section 13): codes of 9 to 12 bits, the first bit highest, one longer as soon as the table will be full with the
 * next entry. An entry is the one before it (`prefixes`) and one more byte.
 */
function unlzw(bytes: Uint8Array, most: number): Uint8Array {
  const out = new Uint8Array(most)
  const prefixes = new Uint16Array(MOST_CODES)
  const lasts = Uint8Array.from({ length: MOST_CODES }, (_, code) => code & 0xff)
  const lengths = new Uint16Array(MOST_CODES).fill(1)
  let [to, next, width, before, held, bits] = [0, FIRST, 9, CLEAR, 0, 0]

  /** Writes what a code stands for from its end to its beginning. @returns its first byte */
  function write(code: number): number {
    const length = lengths[code] ?? 1
    let at = code
    for (let place = to + length - 1; place > to; place -= 1) {
      if (place < most) out[place] = lasts[at] ?? 0
      at = prefixes[at] ?? 0
    }
    if (to < most) out[to] = lasts[at] ?? 0
    to = Math.min(most, to + length)
    return lasts[at] ?? 0
  }

  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xff_ffff
    bits += 8
    if (bits < width) continue
    bits -= width
    const code = (held >> bits) & ((1 << width) - 1)
    if (code === END || to === most) break
    if (code === CLEAR) {
      ;[next, width, before] = [FIRST, 9, CLEAR]
      continue
    }
    if (code > next || (before === CLEAR && code > 255)) break
    if (before === CLEAR) write(code)
    else {
      if (next >= MOST_CODES) break
      prefixes[next] = before
      lengths[next] = (lengths[before] ?? 1) + 1
      // A code that is just being made begins and ends with the first byte of the one before it.
      lasts[next] = code === next ? firstOf(before) : firstOf(code)
      write(code)
      next += 1
      if (next >= (1 << width) - 1 && width < 12) width += 1
    }
    before = code
  }
  return out.subarray(0, to)

  function firstOf(code: number): number {
    let at = code
    for (let left = lengths[at] ?? 1; left > 1; left -= 1) at = prefixes[at] ?? 0
    return lasts[at] ?? 0
  }
}
