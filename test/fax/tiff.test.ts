/** TIFF: what libtiff writes is read, what is written is read by libtiff, and no file is believed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encode } from '#fax/coding/encode.ts'
import type { Bitmap } from '#fax/coding/rows.ts'
import { inspect } from '#fax/documents/inspect.ts'
import { prepare } from '#fax/documents/prepare.ts'
import { type CodedPage, readTiff, type TiffPage, tiffBitmap, writeTiff } from '#fax/tiff.ts'
import { generalCodings, unpacked } from '#fax/tiff-strips.ts'
import { describeWith } from '../requirements.ts'
import { bitmaps, printedPage } from './pictures.ts'

const limits = { pages: 50, rows: 10_000 }

const coded = (bitmap: Bitmap): CodedPage => ({
  width: bitmap.width,
  rows: bitmap.height,
  resolution: 196,
  data: encode('MMR', bitmap),
})

function pagesOf(bytes: Uint8Array): TiffPage[] {
  const read = readTiff(bytes, limits)
  if (read.result !== 'pages') throw new Error(read.text)
  return read.pages
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('what is written is read again, page for page', () => {
  fc.assert(
    fc.property(
      fc.array(bitmaps(fc.constantFrom(1728, 2048, 33), 8), { minLength: 1, maxLength: 4 }),
      (pictures) => {
        const bytes = writeTiff(pictures.map(coded))
        const pages = pagesOf(bytes)
        expect(pages).toHaveLength(pictures.length)
        pages.forEach((page, index) => {
          expect(page).toMatchObject({ across: 204, down: 196, compression: 4 })
          const { bitmap, badRows } = tiffBitmap(bytes, page)
          expect(badRows).toBe(0)
          expect(hex(bitmap.data)).toBe(hex(pictures[index]?.data ?? new Uint8Array()))
        })
      },
    ),
    { numRuns: 50 },
  )
})

test('a spoiled file is broken or read, and never more than its limits', () => {
  const whole = writeTiff([printedPage(1728, 60), printedPage(1728, 30)].map(coded))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 8,
      }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 240 }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 4,
      }),
      fc.integer({ min: 0, max: whole.length }),
      (anywhere, head, cut) => {
        const bytes = Uint8Array.from(whole)
        for (const [at, value] of [...anywhere, ...head]) bytes[at] = value
        const read = readTiff(bytes.subarray(0, cut), { pages: 5, rows: 500 })
        if (read.result !== 'pages') return
        expect(read.pages.length).toBeLessThanOrEqual(5)
        for (const page of read.pages)
          expect(tiffBitmap(bytes.subarray(0, cut), page).bitmap.height).toBe(page.height)
      },
    ),
    { numRuns: 300 },
  )
})

test('what a file says that cannot be is named', () => {
  const whole = writeTiff([coded(printedPage(1728, 60))])
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer)
  /** The value of the n-th entry of the only directory. */
  const changed = (n: number, value: number) => {
    const bytes = Uint8Array.from(whole)
    view(bytes).setUint32(8 + 2 + n * 12 + 8, value, true)
    return readTiff(bytes, limits)
  }
  expect(changed(1, 0)).toMatchObject({ result: 'broken' })
  expect(changed(2, 2_000_000_000)).toEqual({
    result: 'broken',
    text: 'a page says that it is 2000000000 rows long',
  })
  expect(changed(7, 1_000_000)).toEqual({
    result: 'broken',
    text: 'a page says that it lies beyond the end of the file',
  })
  expect(changed(10, 4_000_000_000)).toMatchObject({ result: 'broken' })
  expect(changed(3, 8)).toMatchObject({ result: 'unsupported' })
  expect(changed(4, 5)).toMatchObject({ result: 'unsupported' })
  const circle = Uint8Array.from(whole)
  view(circle).setUint32(8 + 2 + 16 * 12, 8, true)
  expect(readTiff(circle, limits)).toEqual({ result: 'broken', text: 'its list of pages runs in a circle' })
  expect(readTiff(whole, { pages: 0, rows: 100 })).toMatchObject({ result: 'broken' })
  expect(readTiff(new Uint8Array(4), limits)).toMatchObject({ result: 'broken' })
})

test('rows that a file promises and does not have are counted', () => {
  const bytes = Uint8Array.from(writeTiff([coded(printedPage(1728, 60))]))
  const view = new DataView(bytes.buffer)
  for (const n of [2, 9]) view.setUint32(8 + 2 + n * 12 + 8, 1_000, true)
  const [page] = pagesOf(bytes)
  expect(page?.height).toBe(1_000)
  if (page) expect(tiffBitmap(bytes, page).badRows).toBe(940)
})

test('strips of anything come to no more than was asked for, and to no fault', () => {
  const bytes = fc.uint8Array({ maxLength: 400 })
  fc.assert(
    fc.property(fc.constantFrom(...generalCodings), bytes, fc.nat(5_000), (coding, strip, most) => {
      // As it is, and behind a beginning that LZW takes for one.
      for (const given of [strip, Buffer.concat([Buffer.from([0x80]), strip])]) {
        if (coding !== 1) expect(unpacked(coding, given, most).length).toBeLessThanOrEqual(most)
      }
    }),
    { numRuns: 500 },
  )
})

describeWith(['libtiff-tools'], 'libtiff', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'twinline-tiff-'))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const pictures = [printedPage(1728, 300), printedPage(1728, 1143)]
  const path = (name: string) => join(directory, name)

  /** @param more rows that the program at the other end adds at the end of a page */
  function checkPages(bytes: Uint8Array, more = 0): void {
    const pages = pagesOf(bytes)
    expect(pages).toHaveLength(pictures.length)
    pages.forEach((page, index) => {
      const { bitmap, badRows } = tiffBitmap(bytes, page)
      expect(badRows).toBe(0)
      const picture = pictures[index]?.data ?? new Uint8Array()
      const rows = bitmap.data.subarray(0, picture.length)
      expect(hex(rows) === hex(picture), `page ${index}`).toBe(true)
      expect(page.height - (pictures[index]?.height ?? 0)).toBe(more)
    })
  }

  test.each([
    ['Group 3, one dimension', ['-c', 'g3:1d']],
    ['Group 3, one dimension, filled', ['-c', 'g3:1d:fill']],
    ['Group 3, two dimensions', ['-c', 'g3:2d']],
    ['Group 3, two dimensions, filled', ['-c', 'g3:2d:fill']],
    ['Group 4', ['-c', 'g4']],
    ['no compression', ['-c', 'none']],
    ['PackBits', ['-c', 'packbits']],
    ['LZW', ['-c', 'lzw']],
    ['LZW in strips of 100 rows', ['-c', 'lzw', '-r', '100']],
    ['LZW, least significant bit first', ['-f', 'lsb2msb', '-c', 'lzw']],
    ['Deflate', ['-c', 'zip']],
    ['Deflate in strips of 7 rows', ['-c', 'zip', '-r', '7']],
    ['big-endian', ['-B', '-c', 'g4']],
    ['least significant bit first', ['-f', 'lsb2msb', '-c', 'g3:2d']],
    ['least significant bit first, Group 4', ['-f', 'lsb2msb', '-c', 'g4']],
    ['strips of 100 rows', ['-r', '100', '-c', 'g4']],
    ['strips of 7 rows in Group 3', ['-r', '7', '-c', 'g3:2d']],
  ])('reads %s as tiffcp writes it', (_, how) => {
    writeFileSync(path('own.tif'), writeTiff(pictures.map(coded)))
    execFileSync('tiffcp', [...how, path('own.tif'), path('theirs.tif')])
    checkPages(readFileSync(path('theirs.tif')))
  })

  test.each(['lzw', 'zip', 'packbits', 'none'])(
    'pages of a fax that came as %s go out row for row',
    async (how) => {
      writeFileSync(path('own.tif'), writeTiff(pictures.map(coded)))
      execFileSync('tiffcp', ['-c', how, path('own.tif'), path('theirs.tif')])
      const bytes = readFileSync(path('theirs.tif'))
      expect(inspect(bytes, { pages: 2, paper: 'a4' })).toMatchObject({ result: 'document', native: true })
      const made = await prepare(bytes, 'tiff', 'a4')
      expect(made).toMatchObject({ result: 'pages', pages: 2, resolution: 196 })
      if (made.result === 'pages') checkPages(made.data)
    },
  )

  test.each([
    ['MH', []],
    ['MR', ['-2']],
    ['MMR', ['-4']],
  ] as const)('fax2tiff reads own %s as it goes over the line', (coding, how) => {
    pictures.forEach((picture, index) => {
      const bytes = encode(coding, picture, { bitOrder: 'lsb', rtc: coding === 'MMR', minimumBitsPerRow: 96 })
      writeFileSync(path(`${index}.g3`), bytes)
    })
    const raw = pictures.map((_, index) => path(`${index}.g3`))
    // -L: the least significant bit comes first, as -M would be the most significant one.
    execFileSync('fax2tiff', ['-L', '-X', '1728', ...how, '-o', path('raw.tif'), ...raw], { stdio: 'pipe' })
    // It takes the end of the data for one more row.
    checkPages(readFileSync(path('raw.tif')), 1)
  })

  test('tiffcmp finds no difference between an own file and a copy, and tiffinfo reads its tags', () => {
    writeFileSync(path('own.tif'), writeTiff(pictures.map(coded)))
    execFileSync('tiffcp', ['-c', 'none', path('own.tif'), path('copy.tif')])
    execFileSync('tiffcmp', ['-t', path('own.tif'), path('copy.tif')])
    const info = execFileSync('tiffinfo', [path('own.tif')], { encoding: 'utf8' })
    expect(info).toContain('Resolution: 204, 196 pixels/inch')
    expect(info).toContain('Page Number: 1-2')
    expect(info).toContain('CCITT Group 4')
  })
})
