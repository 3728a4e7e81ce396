/** Documents into pages, by the real Ghostscript, and what is refused before anybody is told that it was accepted. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encode } from '#fax/coding/encode.ts'
import { blankBitmap, rowOf } from '#fax/coding/rows.ts'
import { headerText } from '#fax/documents/header.ts'
import { pngGrey } from '#fax/documents/png.ts'
import { writeTiff } from '#fax/tiff.ts'
import { type DocumentPeers, noPeers, type Receiving } from '#store/documents.ts'
import { describeWith } from '../../requirements.ts'
import { printedPage } from '../pictures.ts'
import {
  adam7,
  blackness,
  greyTiff,
  openRig,
  pagesIn,
  pagesPdf,
  pdfOf,
  pieces,
  pngOf,
  taken,
  upperHalfBlack,
} from './rig.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fine = { resolution: 196 } as const

describeWith(['ghostscript', 'libtiff-tools'], 'documents', () => {
  let rig: Awaited<ReturnType<typeof openRig>>
  beforeAll(async () => {
    rig = await openRig()
  })
  afterAll(() => rig.close())

  async function pagesOf(bytes: Uint8Array, options: { resolution: 98 | 196 } = fine) {
    const made = await rig.fax.pages(taken(await rig.take(bytes)), options)
    if (made.result !== 'pages') throw new Error(made.reason.text)
    return { made, pages: pagesIn(made.file) }
  }

  test('a PDF: type, pages and size are known at once, and it becomes pages of 1728 dots fitted to A4', async () => {
    const bytes = pagesPdf(3)
    const document = taken(await rig.take(bytes, '../letters/offer.pdf'))
    expect(document).toMatchObject({ type: 'pdf', name: 'offer.pdf', bytes: bytes.length, pages: 3 })
    expect(readFileSync((await rig.fax.find(document)) ?? '')).toEqual(bytes)
    const { made, pages } = await pagesOf(bytes)
    expect(made).toMatchObject({ pages: 3, resolution: 196 })
    expect(pages).toHaveLength(3)
    for (const { page, bitmap } of pages) {
      expect(page).toMatchObject({ width: 1728, height: 2292, across: 204, down: 196, compression: 4 })
      expect(blackness(bitmap)).toBeGreaterThan(0.00001)
    }
    const standard = await pagesOf(bytes, { resolution: 98 })
    expect(standard.pages.map(({ page }) => [page.height, page.down])).toEqual(Array(3).fill([1146, 98]))
  })

  test('landscape and large pages are fitted to the sheet', async () => {
    const wide = pdfOf('<</PageSize [2000 1000]>> setpagedevice 0 0 2000 1000 rectfill showpage')
    const [page] = (await pagesOf(wide)).pages
    expect(page?.page).toMatchObject({ width: 1728, height: 2292 })
    expect(page && blackness(page.bitmap)).toBeGreaterThan(0.5)
  })

  test('pages are made once, and remembered', async () => {
    const document = taken(await rig.take(pagesPdf(2)))
    const [one, two] = await Promise.all([rig.fax.pages(document, fine), rig.fax.pages(document, fine)])
    expect(one).toMatchObject({ result: 'pages' })
    expect(two).toMatchObject({ result: 'pages', file: one.result === 'pages' ? one.file : '' })
    expect(await rig.store.facts(`pages:${document.hash}:`)).toHaveLength(1)
    expect(readdirSync(join(rig.directory, 'documents')).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test.each([98, 196] as const)(
    'a TIFF 1728 wide at %i rows an inch goes out row for row',
    async (resolution) => {
      const pictures = [printedPage(1728, 700), printedPage(1728, 1700)]
      const tiff = writeTiff(
        pictures.map((picture) => ({
          width: 1728,
          rows: picture.height,
          resolution,
          data: encode('MMR', picture),
        })),
      )
      // The other resolution is asked for, and not obeyed: no row is scaled.
      const { made, pages } = await pagesOf(tiff, { resolution: resolution === 98 ? 196 : 98 })
      expect(made).toMatchObject({ pages: 2, resolution })
      pages.forEach(({ page, bitmap }, index) => {
        expect(page).toMatchObject({ height: pictures[index]?.height, down: resolution })
        expect(hex(bitmap.data) === hex(pictures[index]?.data ?? new Uint8Array())).toBe(true)
      })
    },
  )

  test('a TIFF whose pages have both resolutions goes out row for row, and each gets its line', async () => {
    const picture = printedPage(1728, 300)
    const tiff = writeTiff(
      ([196, 98] as const).map((resolution) => ({
        width: 1728,
        rows: 300,
        resolution,
        data: encode('MMR', picture),
      })),
    )
    const document = taken(await rig.take(tiff))
    const made = await rig.fax.pages(document, fine, { sender: 'x', at: 0 })
    if (made.result !== 'pages') throw new Error(made.reason.text)
    const pages = pagesIn(made.file)
    expect(pages.map(({ page }) => [page.down, page.height])).toEqual([
      [196, 332],
      [98, 316],
    ])
    for (const { bitmap } of pages) {
      const rows = bitmap.data.subarray((bitmap.height - 300) * 216)
      expect(hex(rows) === hex(picture.data)).toBe(true)
      expect(blackness(bitmap, 0, bitmap.height - 300)).toBeGreaterThan(0.005)
    }
    await made.release()
  })

  test('a TIFF of another width is fitted', async () => {
    const bitmap = blankBitmap(2480, 3508)
    for (let row = 1000; row < 2000; row += 1) rowOf(bitmap, row).fill(0xff)
    const tiff = Buffer.from(
      writeTiff([{ width: 2480, rows: 3508, resolution: 196, data: encode('MMR', bitmap) }]),
    )
    // 300 dots an inch both ways.
    const ratios = tiff.indexOf(Buffer.from([204, 0, 0, 0, 1, 0, 0, 0]))
    for (const at of [ratios, ratios + 8]) tiff.writeUInt32LE(300, at)
    const { pages } = await pagesOf(tiff)
    expect(pages[0]?.page).toMatchObject({ width: 1728, height: 2292 })
    const middle = pages[0]?.bitmap
    expect(middle && blackness(middle, 700, 1250)).toBeGreaterThan(0.9)
    expect(middle && blackness(middle, 100, 600)).toBeLessThan(0.1)
  })

  test('a TIFF in grey, of a compression that is not ours, becomes a page', async () => {
    const grey = greyTiff()
    const document = taken(await rig.take(grey))
    expect(document).toMatchObject({ type: 'tiff', pages: 1 })
    const [page] = (await pagesOf(grey)).pages
    expect(page?.page).toMatchObject({ width: 1728, height: 2292 })
    expect(page && blackness(page.bitmap, 300, 1100)).toBeGreaterThan(0.9)
    expect(page && blackness(page.bitmap, 1250, 2000)).toBeLessThan(0.1)
  })

  test('pictures: PNG of every kind and JPEG become a page', async () => {
    const grey = Array.from({ length: 64 }, (_, y) => new Uint8Array(64).fill(y < 32 ? 0 : 255))
    const colour = Array.from({ length: 64 }, (_, y) =>
      new Uint8Array(64 * 4).map((_, x) => (x % 4 === 3 ? 255 : y < 32 ? 0 : 255)),
    )
    const clear = colour.map((row) => row.map((value, x) => (x % 4 === 3 ? 0 : value)))
    const palette = Array.from({ length: 64 }, (_, y) => new Uint8Array(8).fill(y < 32 ? 0xff : 0))
    const halves = async (bytes: Uint8Array) => {
      const [page] = (await pagesOf(bytes)).pages
      // A square fills the width of the sheet, in the middle of its height.
      return page ? [blackness(page.bitmap, 400, 1000) > 0.9, blackness(page.bitmap, 1300, 1900) > 0.1] : []
    }
    expect(await halves(pngOf(64, 8, 0, grey))).toEqual([true, false])
    expect(await halves(pngOf(64, 8, 6, colour))).toEqual([true, false])
    expect(await halves(pngOf(64, 8, 6, clear))).toEqual([false, false])
    const colours: [string, Uint8Array][] = [['PLTE', Uint8Array.from([255, 255, 255, 0, 0, 0])]]
    expect(await halves(pngOf(64, 1, 3, palette, colours))).toEqual([true, false])
  })

  test('JPEG: as it is, and upright as its camera says', async () => {
    const jpeg = upperHalfBlack()
    const halves = async (bytes: Uint8Array) => {
      const [page] = (await pagesOf(bytes)).pages
      if (!page) return []
      const { bitmap } = page
      return [blackness(bitmap, 300, 1100) > 0.9, blackness(bitmap, 1250, 2000) > 0.9]
    }
    expect(await halves(jpeg)).toEqual([true, false])
    // Exif behind the first marker; orientation 3 is upside down.
    const exif = Buffer.from('ffe1001e45786966000049492a0008000000010012010300010000000300', 'hex')
    const turned = Buffer.concat([jpeg.subarray(0, 2), exif, Buffer.from('0000', 'hex'), jpeg.subarray(2)])
    expect(await halves(turned)).toEqual([false, true])
  })

  test('an interlaced PNG shows what the same one shows row by row', async () => {
    const rows = Array.from({ length: 29 }, (_, y) =>
      Uint8Array.from({ length: 37 }, (_, x) => (x * 7 + y * 13) & 0xff),
    )
    expect(Buffer.from((await pngGrey(adam7(37, rows))) ?? []).equals(Buffer.concat(rows))).toBe(true)
    expect(Buffer.from((await pngGrey(pngOf(37, 8, 0, rows))) ?? []).equals(Buffer.concat(rows))).toBe(true)
  })

  test.each([
    [196, 1],
    [98, 2],
  ] as const)(
    'a page at %i rows an inch as a picture: its dots, each row %i times',
    async (resolution, times) => {
      const picture = printedPage(1728, 120)
      const page = { width: 1728, rows: 120, resolution, data: encode('MMR', picture) }
      const { made } = await pagesOf(writeTiff([page, page]))
      const png = await rig.fax.picture(made, 2)
      const grey = png && (await pngGrey(png))
      expect(grey?.length).toBe(1728 * 120 * times)
      const black = (x: number, y: number) => ((picture.data[y * 216 + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1
      for (let y = 0; y < 120 * times; y += 7)
        for (let x = 0; x < 1728; x += 1)
          expect(grey?.[y * 1728 + x]).toBe(black(x, Math.floor(y / times)) === 1 ? 0 : 255)
      expect(await rig.fax.picture(made, 3)).toBeUndefined()
      expect(await rig.fax.picture({ hash: 'ab'.repeat(32) }, 1)).toBeUndefined()
    },
  )

  test('a text of one line of millions is counted at once', async () => {
    const started = performance.now()
    for (const text of ['a'.repeat(4_000_000), 'a \t'.repeat(300_000)]) {
      expect(await rig.take(Buffer.from(text))).toMatchObject({ code: 'document-too-many-pages' })
    }
    // Quadratic in its length it would take hours; a refusal for its time is another one.
    expect(performance.now() - started).toBeLessThan(60_000)
  })

  test('text: wrapped, in pages, with accents, Greek and Cyrillic', async () => {
    const lines = Array.from(
      { length: 130 },
      (_, n) => `line ${n} of a longer text — Größe, żółw, Ελλάδα, Привет`,
    )
    const document = taken(await rig.take(Buffer.from(lines.join('\n')), 'note.txt'))
    expect(document).toMatchObject({ type: 'text', pages: 3 })
    const { pages } = await pagesOf(Buffer.from(lines.join('\n')))
    expect(pages).toHaveLength(3)
    const one = await pagesOf(Buffer.from('Привет'))
    const none = await pagesOf(Buffer.from('??????'))
    const painted = (made: typeof one) => made.pages.map(({ bitmap }) => hex(bitmap.data))[0]
    expect(painted(one) === painted(none)).toBe(false)
    expect((await pagesOf(Buffer.from('one\ftwo\fthree\f'))).pages).toHaveLength(3)
    expect(taken(await rig.take(Buffer.from('caf\xe9', 'latin1')))).toMatchObject({ type: 'text', pages: 1 })
    // As Notepad saves it.
    const wide = Buffer.from('\ufeffПривет', 'utf16le')
    for (const bytes of [wide, Buffer.from(wide).swap16()])
      expect(painted(await pagesOf(bytes)) === painted(one)).toBe(true)
    expect(await rig.take(Buffer.from('fffe0000', 'hex'))).toMatchObject({ code: 'document-unsupported' })
  })

  test('the line above the pages adds rows and changes none', async () => {
    const picture = printedPage(1728, 700)
    const page = { width: 1728, rows: 700, resolution: 196 as const, data: encode('MMR', picture) }
    const document = taken(await rig.take(writeTiff([page, page])))
    const header = { sender: '+49 30 1234567', at: new Date(2026, 10, 21, 9, 5).getTime() }
    expect(headerText(header, 2, 10)).toMatch(/^2026-11-21 09:05 {3}\+49 30 1234567 +2\/10$/)
    const made = await rig.fax.pages(document, fine, header)
    if (made.result !== 'pages') throw new Error(made.reason.text)
    const [first, second] = pagesIn(made.file).map(({ bitmap }) => bitmap)
    expect([first?.height, second?.height]).toEqual([732, 732])
    const rows = 32 * 216
    expect(hex(first?.data.subarray(rows) ?? new Uint8Array()) === hex(picture.data)).toBe(true)
    expect(first && blackness(first, 0, 32)).toBeGreaterThan(0.01)
    expect(first && second && hex(first.data.subarray(0, rows)) === hex(second.data.subarray(0, rows))).toBe(
      false,
    )
    await made.release()
    expect(() => readFileSync(made.file)).toThrow()
    expect((await rig.fax.pages(document, fine)).result).toBe('pages')
  })

  const tiffThatLies = () => {
    const bytes = Buffer.from(
      writeTiff([{ width: 1728, rows: 100, resolution: 196, data: encode('MMR', printedPage(1728, 100)) }]),
    )
    // Image length and rows a strip.
    for (const entry of [2, 9]) bytes.writeUInt32LE(9_000, 8 + 2 + entry * 12 + 8)
    return bytes
  }
  test.each([
    ['an empty file', () => new Uint8Array(), 'document-empty', 422],
    ['blanks', () => Buffer.from(' \n\n '), 'document-empty', 422],
    ['too many pages', () => pagesPdf(21), 'document-too-many-pages', 422],
    [
      'an encrypted PDF',
      () => pdfOf('showpage', '-sOwnerPassword=o', '-sUserPassword=u'),
      'document-encrypted',
      422,
    ],
    ['a PDF cut off', () => pagesPdf(3).subarray(0, 700), 'document-broken', 422],
    ['something that says that it is a PDF', () => Buffer.from('%PDF-1.7\nhello'), 'document-broken', 422],
    ['a TIFF that lies about its size', tiffThatLies, 'document-broken', 422],
    ['a TIFF with nothing in it', () => Buffer.from('49492a0008000000', 'hex'), 'document-broken', 422],
    [
      'a picture that says it is huge',
      () => pngOf(60_000, 1, 0, Array(2_000).fill(new Uint8Array(7_500))),
      'document-too-many-dots',
      422,
    ],
    ['a JPEG that is cut off', () => upperHalfBlack().subarray(0, -500), 'document-broken', 422],
    ['an Office document', () => Buffer.from('504b030414000600', 'hex'), 'document-unsupported', 415],
    ['a program', () => Buffer.from('7f454c460201010000000000', 'hex'), 'document-unsupported', 415],
    ['PostScript', () => Buffer.from('%!PS\nshowpage'), 'document-unsupported', 415],
    ['too many bytes', () => new Uint8Array(5_000_001).fill(0x41), 'document-too-large', 413],
  ])('%s is refused', async (_, bytes, code, status) => {
    const before = readdirSync(join(rig.directory, 'documents'))
    const result = await rig.take(bytes())
    expect(result).toMatchObject({ result: 'refused', code, status })
    expect(readdirSync(join(rig.directory, 'documents'))).toEqual(before)
  })

  test('the others get it while it comes; they are waited for from its last byte on, once it was found good', async () => {
    const said: string[] = []
    let receiving: Receiving | undefined
    const peers: DocumentPeers = {
      ...noPeers,
      follow(coming) {
        receiving = coming
        said.push('follow')
        return {
          async settled({ bytes }, withinMs) {
            said.push(`wait ${withinMs} ms for ${bytes} bytes`)
            return true
          },
          dropped: () => void said.push('dropped'),
        }
      },
    }
    const other = await openRig({ peers })
    async function* slow() {
      for (const chunk of ['a'.repeat(600_000), 'b\n'.repeat(300_000)]) {
        yield Buffer.from(chunk)
        said.push(`${receiving?.written} bytes`)
      }
    }
    const result = await other.fax.take(slow(), 'a')
    expect(result).toMatchObject({ result: 'refused', code: 'document-too-many-pages' })
    expect(said).toEqual(['follow', '600000 bytes', '1200000 bytes', 'dropped'])
    said.length = 0
    expect(await other.take(Buffer.from('word '.repeat(1_000)))).toMatchObject({ result: 'taken' })
    expect(said).toEqual(['follow', 'wait 5005 ms for 5000 bytes', 'dropped'])
    await other.close()
  })

  test('an upload that breaks off leaves nothing', async () => {
    const before = readdirSync(join(rig.directory, 'documents'))
    async function* broken() {
      yield* pieces(pagesPdf(1), 100)
      throw new Error('connection reset')
    }
    expect(await rig.fax.take(broken(), 'a')).toMatchObject({
      result: 'refused',
      code: 'document-incomplete',
    })
    expect(readdirSync(join(rig.directory, 'documents'))).toEqual(before)
  })

  test('pages that another member made are fetched and not made again; new ones are offered before they are used', async () => {
    const document = taken(await rig.take(pagesPdf(2)))
    const made = await rig.fax.pages(document, fine)
    if (made.result !== 'pages') throw new Error(made.reason.text)
    const offered: string[] = []
    const peers: DocumentPeers = {
      ...noPeers,
      offer: async (hash) => offered.push(hash) > 0,
      async fetch(hash) {
        const there = await rig.documents.find(hash)
        if (!there) return false
        const receiving = await other.documents.receive(10_000_000)
        await receiving.write(readFileSync(rig.documents.path(hash)))
        await receiving.finish(hash)
        await receiving.close()
        return true
      },
    }
    const other = await openRig({ peers })
    const [fact] = await rig.store.facts(`pages:${document.hash}:`)
    await other.store.remember(fact?.name ?? '', fact?.value ?? '')
    const same = await other.fax.pages(document, fine)
    if (same.result !== 'pages') throw new Error(same.reason.text)
    expect(basename(same.file)).toBe(basename(made.file))
    expect(readFileSync(same.file)).toEqual(readFileSync(made.file))
    // The document itself was not even needed.
    expect(await other.documents.find(document.hash)).toBeUndefined()
    expect(offered).toEqual([])
    const standard = await other.fax.pages(document, { resolution: 98 })
    expect(offered).toEqual([standard.result === 'pages' ? basename(standard.file) : ''])
    await other.close()
  })

  test('a document that nobody has is waited for', async () => {
    const document = { hash: 'ab'.repeat(32), type: 'pdf', name: 'a.pdf', bytes: 1, pages: 1 } as const
    expect(await rig.fax.pages(document, fine)).toMatchObject({
      result: 'later',
      reason: { code: 'document-away' },
    })
  })
})
