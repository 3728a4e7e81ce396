/** Pictures for tests: rows of runs, as pages have them, and noise. */
import fc from 'fast-check'
import { type Bitmap, blankBitmap, rowOf } from '#fax/coding/rows.ts'

/** A row that is often like the one before, moved by a few dots, so that every mode of the two-dimensional code occurs. */
export const bitmaps = (widths: fc.Arbitrary<number>, mostRows: number): fc.Arbitrary<Bitmap> =>
  widths.chain((width) => {
    const fresh = fc.record({
      kind: fc.constant('fresh' as const),
      changes: fc.array(fc.integer({ min: 0, max: width }), { maxLength: 40 }),
    })
    const moved = fc.record({
      kind: fc.constant('moved' as const),
      by: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 8 }),
    })
    const noise = fc.record({
      kind: fc.constant('noise' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    })
    return fc
      .array(fc.oneof(fresh, moved, moved, noise), { minLength: 1, maxLength: mostRows })
      .map((rows) => {
        const bitmap = blankBitmap(width, rows.length)
        let before: number[] = []
        rows.forEach((row, index) => {
          const to = rowOf(bitmap, index)
          if (row.kind === 'noise') {
            for (let dot = 0; dot < width; dot += 1) {
              if ((row.bytes[(dot >> 3) % row.bytes.length] ?? 0) & (0x80 >> (dot & 7))) set(to, dot)
            }
            return
          }
          const changes =
            row.kind === 'fresh'
              ? row.changes
              : before.map((at, n) => Math.min(width, Math.max(0, at + (row.by[n % row.by.length] ?? 0))))
          before = [...changes].sort((a, b) => a - b)
          for (let n = 0; n < before.length; n += 2)
            for (let dot = before[n] ?? width; dot < (before[n + 1] ?? width); dot += 1) set(to, dot)
        })
        return bitmap
      })
  })

function set(row: Uint8Array, dot: number): void {
  row[dot >> 3] = (row[dot >> 3] ?? 0) | (0x80 >> (dot & 7))
}

/** Something like a printed page: lines of words, a frame, a grey patch. */
export function printedPage(width = 1728, height = 2376): Bitmap {
  const bitmap = blankBitmap(width, height)
  let seed = 12_345
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % below
  }
  for (let y = 0; y < height; y += 1) {
    const row = rowOf(bitmap, y)
    const line = y % 40
    if (y < 4 || y >= height - 4) row.fill(0xff)
    else if (line < 24)
      for (let x = 100; x < width - 100; x += 4 + random(14)) for (let n = 0; n < 3; n += 1) set(row, x + n)
    if (y > 400 && y < 600) for (let x = 200; x < 500; x += 2) set(row, x + (y & 1))
  }
  return bitmap
}
