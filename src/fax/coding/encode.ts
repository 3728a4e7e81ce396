/**
 * Encodes pages as fax machines and TIFF files want them: T.4 one-dimensional (MH), T.4 two-dimensional (MR) and T.6
 * (MMR). Pure. ITU-T T.4 (07/2003) 4.1 and 4.2, T.6 (11/88) 2.
 */
import { type BitOrder, BitWriter } from './bits.ts'
import {
  blackMakeUp,
  blackTerminating,
  type Code,
  endOfLine,
  horizontalMode,
  longMakeUp,
  passMode,
  verticalModes,
  whiteMakeUp,
  whiteTerminating,
} from './codes.table.ts'
import { type Bitmap, changesOf, findChanges, rowOf } from './rows.ts'

export type Coding = 'MH' | 'MR' | 'MMR'

export interface EncodeOptions {
  /** MR: every k-th row is coded alone. T.4, 4.2.2: 2 at 98 rows an inch, 4 at 196. Default 4. */
  k?: number
  /** MH and MR: shorter rows are filled up with zeros to so many bits, end of line included (T.4, 4.1.3). Default 0. */
  minimumBitsPerRow?: number
  /** Ends the page: RTC (T.4, 4.1.4 and 4.2.5), or EOFB (T.6, 2.4.1). Default true. */
  rtc?: boolean
  /** Default `msb`. */
  bitOrder?: BitOrder
}

/** Six ends of line end a page (T.4, 4.1.4), two of them one in T.6 (2.4.1.1). */
const RTC_MARKS = 6
const EOFB_MARKS = 2

/** The longest run that has a code of its own; longer ones repeat it (T.4, 4.1.1). */
const LONGEST_MAKE_UP = 2560

export function encode(coding: Coding, bitmap: Bitmap, options: EncodeOptions = {}): Uint8Array {
  const { k = 4, minimumBitsPerRow = 0, rtc = true, bitOrder = 'msb' } = options
  const { width, height } = bitmap
  const out = new BitWriter()
  let reference = changesOf(width)
  let changes = changesOf(width)
  // The row above the first one is white (T.6, 2.2.5).
  let referenceCount = findChanges(new Uint8Array(0), width, reference)
  let rowBegan = 0
  for (let row = 0; row < height; row += 1) {
    const count = findChanges(rowOf(bitmap, row), width, changes)
    const alone = coding === 'MH' || (coding === 'MR' && row % k === 0)
    if (coding !== 'MMR') {
      if (row > 0) out.zeros(Math.max(0, minimumBitsPerRow - (out.position - rowBegan)))
      rowBegan = out.position
      mark(out, coding, alone)
    }
    if (alone) putRuns(out, changes, count, width)
    else putAgainst(out, changes, reference, referenceCount, width)
    ;[reference, changes] = [changes, reference]
    referenceCount = count
  }
  if (coding !== 'MMR' && height > 0) out.zeros(Math.max(0, minimumBitsPerRow - (out.position - rowBegan)))
  if (rtc) {
    const marks = coding === 'MMR' ? EOFB_MARKS : RTC_MARKS
    for (let n = 0; n < marks; n += 1) mark(out, coding, true)
  }
  return out.finish(bitOrder)
}

/** In MR a bit behind the end of line says how the next row is coded: 1 alone, 0 against the row before (T.4, 4.2.4). */
function mark(out: BitWriter, coding: Coding, alone: boolean): void {
  put(out, endOfLine)
  if (coding === 'MR') out.put(alone ? 1 : 0, 1)
}

const put = (out: BitWriter, code: Code | undefined): void => {
  if (code) out.put(code.bits, code.length)
}

/** One run of dots of one colour. */
function putRun(out: BitWriter, dots: number, black: boolean): void {
  let left = dots
  for (; left >= LONGEST_MAKE_UP + 64; left -= LONGEST_MAKE_UP) put(out, longMakeUp.at(-1))
  if (left >= 64) {
    const step = (left >> 6) - 1
    const makeUp = black ? blackMakeUp : whiteMakeUp
    put(out, step < makeUp.length ? makeUp[step] : longMakeUp[step - makeUp.length])
  }
  put(out, (black ? blackTerminating : whiteTerminating)[left & 63])
}

/** A row by itself (T.4, 4.1.1): white and black runs in turn, a white one first. */
function putRuns(out: BitWriter, changes: Uint32Array, count: number, width: number): void {
  let at = 0
  for (let index = 0; index <= count; index += 1) {
    const end = changes[index] ?? width
    // A row that ends black has no white run of nothing behind it.
    if (at === width && index > 0) return
    putRun(out, end - at, (index & 1) === 1)
    at = end
  }
}

/** A row against the one above it (T.4, 4.2.1.3; T.6, 2.2). */
function putAgainst(
  out: BitWriter,
  changes: Uint32Array,
  reference: Uint32Array,
  referenceCount: number,
  width: number,
): void {
  // a0 stands before the first dot at first.
  let a0 = -1
  let next = 0
  let above = 0
  while (a0 < width) {
    const a1 = changes[next] ?? width
    // b1: the first change above to the right of a0, to the colour that a0 has not: its place is even while a0 is white.
    while (above < referenceCount && (reference[above] ?? width) <= a0) above += 2
    const b1 = reference[above] ?? width
    const b2 = reference[above + 1] ?? width
    if (b2 < a1) {
      put(out, passMode)
      a0 = b2
      continue
    }
    const distance = a1 - b1
    if (Math.abs(distance) <= 3) {
      put(out, verticalModes[distance + 3])
      a0 = a1
      next += 1
      // The colour has changed; one change above may lie between the old a0 and the new one's right.
      above += above > 0 ? -1 : 1
      continue
    }
    const a2 = changes[next + 1] ?? width
    put(out, horizontalMode)
    putRun(out, a1 - Math.max(0, a0), (next & 1) === 1)
    putRun(out, a2 - a1, (next & 1) === 0)
    a0 = a2
    next += 2
  }
}
