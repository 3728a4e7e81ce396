/** T.4 and T.6: what is encoded comes back row for row, whatever the picture, and garbage is survived. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BitOrder, reverseBits } from '#fax/coding/bits.ts'
import { decode } from '#fax/coding/decode.ts'
import { type Coding, encode } from '#fax/coding/encode.ts'
import { blankBitmap, changesOf, findChanges, paintChanges, rowOf } from '#fax/coding/rows.ts'
import { bitmaps, printedPage } from '../pictures.ts'

const codings = ['MH', 'MR', 'MMR'] as const
const orders = ['msb', 'lsb'] as const
const widths = fc.oneof(
  fc.constant(1728),
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(2048, 2432, 6000),
)

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('changes of a row paint the same row', () => {
  fc.assert(
    fc.property(bitmaps(widths, 1), (bitmap) => {
      const changes = changesOf(bitmap.width)
      const count = findChanges(bitmap.data, bitmap.width, changes)
      const row = new Uint8Array(bitmap.data.length)
      paintChanges(row, changes, count, bitmap.width)
      expect(hex(row)).toBe(hex(bitmap.data))
    }),
  )
})

test.each(codings)(
  '%s: a picture comes back row for row, in either bit order, with and without fill and end',
  (coding) => {
    fc.assert(
      fc.property(
        bitmaps(widths, 12),
        fc.constantFrom<BitOrder>(...orders),
        fc.boolean(),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(0, 96, 288),
        (bitmap, bitOrder, rtc, k, minimumBitsPerRow) => {
          const bytes = encode(coding, bitmap, { bitOrder, rtc, k, minimumBitsPerRow })
          // Without an end of page, zeros that fill the last byte may look like rows of T.6 to who does not know their number.
          const mostRows = rtc ? 1_000 : bitmap.height
          const decoded = decode(coding, bytes, { width: bitmap.width, bitOrder, mostRows })
          expect(decoded.badRows).toBe(0)
          expect(decoded.bitmap.height).toBe(bitmap.height)
          expect(hex(decoded.bitmap.data)).toBe(hex(bitmap.data))
          if (rtc) expect(decoded.ended).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  },
)

test('codes of T.4 as the Recommendation prints them', () => {
  const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  // A white row of 1728: EOL, the make-up code for 1728, the terminating code for 0.
  expect(bits(encode('MH', blankBitmap(1728, 1), { rtc: false }))).toBe(
    `000000000001${'010011011'}${'00110101'}`.padEnd(32, '0'),
  )
  // T.6: a white row under a white one is one V0.
  expect(bits(encode('MMR', blankBitmap(1728, 3)))).toBe(`111${'000000000001'.repeat(2)}`.padEnd(32, '0'))
  // MR: the first row alone, the second against it, six marks with a 1 each.
  expect(bits(encode('MR', blankBitmap(8, 2)))).toBe(
    `0000000000011${'10011'}0000000000010${'1'}${'0000000000011'.repeat(6)}`.padEnd(112, '0'),
  )
})

test('rows are filled up to the minimum scan line time, the end of line counted', () => {
  const bitmap = blankBitmap(1728, 100)
  expect(encode('MH', bitmap, { rtc: false, minimumBitsPerRow: 288 }).length).toBe((100 * 288) / 8)
  expect(encode('MR', bitmap, { rtc: false, minimumBitsPerRow: 96 }).length).toBe((100 * 96) / 8)
})

test.each(['MH', 'MR'] as const)('%s: noise costs the rows that it hits and no others', (coding) => {
  const bitmap = printedPage(1728, 400)
  const bytes = encode(coding, bitmap, { k: 4 })
  const spoiled = Uint8Array.from(bytes)
  for (let at = 2_000; at < bytes.length - 200; at += 3_000) spoiled[at] = (spoiled[at] ?? 0) ^ 0x5a
  const { bitmap: got, badRows } = decode(coding, spoiled, { width: 1728 })
  const hits = Math.ceil((bytes.length - 2_200) / 3_000)
  expect(badRows).toBeGreaterThan(0)
  // Two-dimensional rows are lost up to the next one that stands alone.
  expect(badRows).toBeLessThanOrEqual(hits * (coding === 'MH' ? 2 : 5))
  expect(Math.abs(got.height - bitmap.height)).toBeLessThanOrEqual(hits)
  expect(hex(rowOf(got, 0))).toBe(hex(rowOf(bitmap, 0)))
  expect(hex(rowOf(got, got.height - 10))).toBe(hex(rowOf(bitmap, bitmap.height - 10)))
})

test('a bad row stands as the row before it', () => {
  const bitmap = printedPage(1728, 60)
  const rows = Array.from({ length: 60 }, (_, row) => hex(rowOf(bitmap, row)))
  const bytes = encode('MH', bitmap)
  const spoiled = Uint8Array.from(bytes)
  const at = Math.floor(bytes.length / 2)
  // 00000000 and then a one is no code of a run.
  spoiled.set([0x00, 0x80], at)
  const { bitmap: got, badRows } = decode('MH', spoiled, { width: 1728 })
  expect(badRows).toBeGreaterThan(0)
  const gotRows = Array.from({ length: got.height }, (_, row) => hex(rowOf(got, row)))
  const first = gotRows.findIndex((row, index) => row !== rows[index])
  expect(gotRows[first]).toBe(gotRows[first - 1])
})

test('garbage ends, within its bounds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Coding>(...codings),
      fc.uint8Array({ maxLength: 2_000 }),
      fc.integer({ min: 1, max: 3_000 }),
      fc.boolean(),
      (coding, bytes, width, bare) => {
        const { bitmap, badRows } = decode(coding, bytes, { width, mostRows: 500, bare })
        expect(bitmap.height).toBeLessThanOrEqual(500)
        expect(badRows).toBeLessThanOrEqual(bitmap.height)
        expect(bitmap.data.length).toBe(bitmap.height * ((width + 7) >> 3))
      },
    ),
    { numRuns: 500 },
  )
  for (const fill of [0x00, 0xff]) {
    for (const coding of codings) {
      const { bitmap } = decode(coding, new Uint8Array(2_000_000).fill(fill), { width: 1728 })
      expect(bitmap.height).toBeLessThanOrEqual(30_000)
    }
  }
})

test('the other bit order is the same bytes turned round', () => {
  const page = printedPage(1728, 20)
  expect(hex(reverseBits(encode('MR', page, { bitOrder: 'lsb' })))).toBe(hex(encode('MR', page)))
})
