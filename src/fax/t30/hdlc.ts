/**
 * HDLC frames in a fast carrier, for error correction (ITU-T T.30, Annex A, A.3; T.4, Annex A): a Class 1 modem frames
 * only V.21 itself. Flags, zero insertion, and the check sequence of ISO/IEC 13239. The least significant bit goes first. Pure.
 */

const FLAG = 0x7e
/** The check sequence over a whole frame and its own octets, when it is right. */
const GOOD = 0xf0b8

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >> 1) ^ 0x8408 : value >> 1
  return value
})

function check(bytes: Uint8Array): number {
  let value = 0xffff
  for (const byte of bytes) value = (value >> 8) ^ (table[(value ^ byte) & 0xff] ?? 0)
  return value
}

/**
 * @param frames without flags and check sequence
 * @param lead,trail flags before the first frame and after the last
 */
export function frameBits(frames: readonly Uint8Array[], lead: number, trail: number): Uint8Array {
  const octets = frames.reduce((sum, { length }) => sum + length + 3, 0)
  const out = new Uint8Array(lead + Math.ceil(octets * 1.25) + trail + 2)
  let length = 0
  let held = 0
  let bits = 0
  const put = (bit: number) => {
    held |= bit << bits
    if (++bits < 8) return
    out[length++] = held
    held = 0
    bits = 0
  }
  const flag = () => {
    for (let bit = 0; bit < 8; bit++) put((FLAG >> bit) & 1)
  }
  for (let turn = 0; turn < lead; turn++) flag()
  for (const frame of frames) {
    const sum = check(frame) ^ 0xffff
    let ones = 0
    for (let at = 0; at < frame.length + 2; at++) {
      const byte = at < frame.length ? (frame[at] ?? 0) : at === frame.length ? sum & 0xff : sum >> 8
      for (let bit = 0; bit < 8; bit++) {
        const value = (byte >> bit) & 1
        put(value)
        ones = value === 1 ? ones + 1 : 0
        if (ones < 5) continue
        put(0)
        ones = 0
      }
    }
    flag()
  }
  for (let turn = 0; turn < trail; turn++) flag()
  // The last octet is filled up with the beginning of a flag.
  for (let bit = 0; bits !== 0; bit++) put((FLAG >> bit) & 1)
  return out.subarray(0, length)
}

/** The frames in what a fast carrier brought, without check sequence; damaged ones are left out. */
export function* framesIn(bytes: Uint8Array, most: number): Generator<Uint8Array> {
  const frame = new Uint8Array(most)
  let length = 0
  let held = 0
  let bits = 0
  let ones = 0
  let inside = false
  for (const byte of bytes) {
    for (let at = 0; at < 8; at++) {
      if (((byte >> at) & 1) === 1) {
        ones++
        if (ones >= 7) inside = false
        held |= 1 << bits
        bits++
      } else if (ones === 6) {
        // A flag: of its bits seven are held by now, so a whole frame leaves exactly those.
        if (inside && bits === 7 && length >= 4 && check(frame.subarray(0, length)) === GOOD) {
          yield frame.slice(0, length - 2)
        }
        inside = true
        ones = 0
        length = 0
        held = 0
        bits = 0
        continue
      } else if (ones === 5) {
        // The zero that was inserted.
        ones = 0
        continue
      } else {
        ones = 0
        bits++
      }
      if (bits < 8) continue
      if (length === most) inside = false
      else frame[length++] = held
      held = 0
      bits = 0
    }
  }
}
