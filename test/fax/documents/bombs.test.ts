/** Documents made to take any time, memory or disk: refused, or failed with a reason, within the bounds, leaving nothing. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../requirements.ts'
import * as bombs from './bombs.ts'
import { openRig, pagesIn, type Rig, taken } from './rig.ts'

const fine = { resolution: 196 } as const
/** A bomb costs its whole time of a processor, of which a busy machine gives it a third or less. */
const bounds = { time: 5_000, memory: 768e6, output: 20e6 }

describeWith(['ghostscript', 'libtiff-tools'], 'bombs', () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await openRig({ maxSize: 20e6, ghostscript: bounds })
  })
  afterAll(() => rig.close())
  const files = () => readdirSync(join(rig.directory, 'documents'))

  test.each([
    ['a million pages that are one', () => bombs.millionPages(), 'document-too-many-pages'],
    ['a million pages that say they are one', () => bombs.millionPages(1), 'document-too-many-pages'],
    ['forms of forms', () => bombs.formBomb(), 'document-too-complex'],
    ['a tree that runs in a circle', () => bombs.circularTree(), 'document-broken'],
    ['a program that says it is a PDF', () => Buffer.from('%!PS\n%PDF-1.4\n{} loop\n'), 'document-broken'],
    ['a program', () => Buffer.from('%!PS\n{} loop\n'), 'document-unsupported'],
    [
      'a PNG of four billion gigabytes',
      () => bombs.pngThatSays(2 ** 31 - 1, 2 ** 31 - 1),
      'document-too-many-dots',
    ],
    ['a JPEG of four billion dots', () => bombs.jpegThatSays(65_535, 65_535), 'document-too-many-dots'],
    [
      'a TIFF as large as it can say',
      () => bombs.tiffThatSays(2 ** 32 - 1, 2 ** 32 - 1, 4),
      'document-broken',
    ],
    [
      'a TIFF of a hundred thousand pages',
      () => bombs.tiffThatSays(1728, 28_000, 4, 100_000),
      'document-too-many-pages',
    ],
    [
      'an LZW TIFF of a hundred million dots',
      () => bombs.tiffThatSays(8_000, 12_000, 5),
      'document-too-many-dots',
    ],
    ['a TIFF without compression that lies', () => bombs.tiffThatSays(1728, 28_000, 1), 'document-broken'],
    ['nothing but form feeds', () => Buffer.from('\f'.repeat(4_000_000)), 'document-empty'],
    [
      'a JPEG that ends behind its head',
      () => bombs.jpegThatSays(800, 800).subarray(0, 21),
      'document-broken',
    ],
  ])('%s: refused, and nothing is left', { timeout: 120_000 }, async (_, bytes, code) => {
    const before = files()
    expect(await rig.take(bytes())).toMatchObject({ result: 'refused', code })
    expect(files()).toEqual(before)
  })

  test.each([
    ['forms of forms behind a sound page', () => bombs.formBomb(1), 'document-too-complex'],
    ['a TIFF whose rows are not there', () => bombs.tiffThatSays(8_000, 9_000, 5), 'document-broken'],
  ])(
    '%s: failed with its reason before anybody dials, and nothing half done is left',
    { timeout: 120_000 },
    async (_, bytes, code) => {
      const document = taken(await rig.take(bytes()))
      expect(await rig.fax.pages(document, fine)).toMatchObject({ result: 'failed', reason: { code } })
      expect(files().filter((name) => name.endsWith('.part'))).toEqual([])
    },
  )

  test.each([
    // Ghostscript gives up after half a million of them: on one machine that takes longer than it is given to count
    // the pages, on another it does not.
    ['arrays within arrays', bombs.deepObject],
    ['gigabytes deflated twice', bombs.deflateBomb],
  ])(
    '%s: refused or failed, as fast as the machine is, and nothing half done is left',
    {
      timeout: 120_000,
    },
    async (_, bytes) => {
      const took = await rig.take(bytes())
      const end = took.result === 'taken' ? await rig.fax.pages(took.document, fine) : took
      const reason = end.result === 'failed' ? end.reason : end
      expect(reason).toMatchObject({ code: expect.stringMatching(/^document-(too-complex|broken)$/) })
      expect(files().filter((name) => name.endsWith('.part'))).toEqual([])
    },
  )

  test.each([
    ['paper of 700 km', () => bombs.hugePaper('[0 0 2000000000 2000000000]')],
    ['paper of a millionth of an inch', () => bombs.hugePaper('[0 0 0.00001 0.00001]')],
    ['a form that holds itself', bombs.selfContained],
    ['a program within a PDF, which is never run', bombs.programWithin],
    ['a picture that says it is huge', bombs.hugeImage],
    ['a text that is a program, which is never run', () => Buffer.from('\n%!PS\n{} loop\nshowpage\n')],
    [
      'a PNG of gigabytes of nothing',
      () => bombs.pngThatSays(2_000, 2_000, deflateSync(Buffer.alloc(100e6))),
    ],
  ])('%s: a page of the sheet as any other', async (_, bytes) => {
    const made = await rig.fax.pages(taken(await rig.take(bytes())), fine)
    if (made.result !== 'pages') throw new Error(made.reason.text)
    expect(pagesIn(made.file).map(({ page }) => [page.width, page.height])).toEqual([[1728, 2292]])
  })
})
