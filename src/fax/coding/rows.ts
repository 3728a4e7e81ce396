/**
 * A bilevel picture, row for row, and the changing elements that T.4 and T.6 code (ITU-T T.4, 4.2.1.1). Pure.
 */

/** Each row begins at a byte; its first dot is the most significant bit; 1 is black. */
export interface Bitmap {
  /** Dots a row. */
  width: number
  height: number
  /** `height` rows of `strideOf(width)` bytes. */
  data: Uint8Array
}

/** Dots of a fax row at 204 an inch: the width that every machine has (ITU-T T.4, 2). */
export const FAX_WIDTH = 1728
/** Wider than any paper: 42 inches at 1,560 dots an inch. */
export const LARGEST_WIDTH = 65_535

export const strideOf = (width: number): number => (width + 7) >> 3

export const blankBitmap = (width: number, height: number): Bitmap => ({
  width,
  height,
  data: new Uint8Array(strideOf(width) * height),
})

/** The bytes of one row, not copied. */
export function rowOf({ width, data }: Bitmap, row: number): Uint8Array {
  const stride = strideOf(width)
  return data.subarray(row * stride, (row + 1) * stride)
}

/** Room for the changing elements of any row and for what stands behind them. */
export const changesOf = (width: number): Uint32Array => new Uint32Array(width + SENTINELS)

/** Behind the last changing element stands the width, as often as a search for b1 and b2 may look ahead. */
const SENTINELS = 6

/**
 * Finds where the colour changes, from white before the first dot: even places begin black, odd ones white.
 * @param changes from changesOf(); what stands behind the last change is the width
 * @returns how many there are
 */
export function findChanges(row: Uint8Array, width: number, changes: Uint32Array): number {
  let count = 0
  // All ones while the run is black, so that the dots that differ from it are the ones of byte ^ colour.
  let colour = 0
  const bytes = strideOf(width)
  for (let index = 0; index < bytes; index += 1) {
    let differing = (row[index] ?? 0) ^ colour
    while (differing !== 0) {
      const bit = Math.clz32(differing) - 24
      const at = index * 8 + bit
      if (at >= width) break
      changes[count] = at
      count += 1
      colour ^= 0xff
      // The dots before it belong to the run that has ended.
      differing = ((row[index] ?? 0) ^ colour) & (0xff >> bit)
    }
  }
  closeChanges(changes, count, width)
  return count
}

export function closeChanges(changes: Uint32Array, count: number, width: number): void {
  changes.fill(width, count, count + SENTINELS)
}

/** Blackens the runs in a row that is white so far. */
export function paintChanges(row: Uint8Array, changes: Uint32Array, count: number, width: number): void {
  for (let index = 0; index < count; index += 2) {
    blacken(row, changes[index] ?? width, index + 1 < count ? (changes[index + 1] ?? width) : width)
  }
}

/** Dots from `from` up to but not including `to`. */
function blacken(row: Uint8Array, from: number, to: number): void {
  if (from >= to) return
  const first = from >> 3
  const last = to >> 3
  const head = 0xff >> (from & 7)
  const tail = 0xff00 >> (to & 7)
  if (first === last) {
    row[first] = (row[first] ?? 0) | (head & tail & 0xff)
    return
  }
  row[first] = (row[first] ?? 0) | head
  row.fill(0xff, first + 1, last)
  // At the right edge the byte would be the next row's.
  if ((to & 7) !== 0) row[last] = (row[last] ?? 0) | (tail & 0xff)
}
