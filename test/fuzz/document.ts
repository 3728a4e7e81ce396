/**
 * Documents and page data that nobody means: coded rows, TIFF, PNG, JPEG, PDF and text with bytes spoiled, lost or said
 * twice, and noise. Found is an exception, a reading that takes more than two seconds of the processor, rows that do not
 * add up, and a sound page that is no longer read as what it shows. In the program all of this has a process of its own.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { decode } from '#fax/coding/decode.ts'
import { type Coding, encode } from '#fax/coding/encode.ts'
import { strideOf } from '#fax/coding/rows.ts'
import { inspect } from '#fax/documents/inspect.ts'
import { prepare } from '#fax/documents/prepare.ts'
import { readTiff, tiffBitmap, writeTiff } from '#fax/tiff.ts'
import { pngOf } from '../fax/documents/rig.ts'
import { printedPage } from '../fax/pictures.ts'
import { Random } from './random.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

const LONGEST_MS = 2_000
const MOST_ROWS = 3_000
const codings = ['MH', 'MR', 'MMR'] as const

const picture = printedPage(1728, 40)
const page = { width: 1728, rows: 40, resolution: 196, data: encode('MMR', picture) } as const
const tiff = writeTiff([page, page])
const png = pngOf(40, 8, 2, Array(30).fill(new Uint8Array(120).fill(77)))
const jpeg = Buffer.from(
  'ffd8ffe000104a46494600010101012c012c0000ffe1002245786966000049492a000800000001001201030001000000060000000000' +
    'ffc0000b0800100010010111 00ffda0008010100003f00'.replace(/ /g, ''),
  'hex',
)
const words = Buffer.from('Wörter und\tΛόγια\fund mehr\r\n'.repeat(20))
const samples = [tiff, png, jpeg, words, Buffer.from('%PDF-1.4\n')] as const

function rows(random: Random, found: FuzzRun['found']): void {
  const coding = random.one<Coding>(codings)
  const bitOrder = random.one(['msb', 'lsb'] as const)
  const width = random.happens(0.7) ? 1728 : 1 + random.below(5_000)
  const sound = encode(coding, picture, { bitOrder, k: 1 + random.below(5) })
  const bytes = random.happens(0.2) ? random.bytes(random.below(5_000)) : random.spoiled(Buffer.from(sound))
  const { bitmap, badRows } = decode(coding, bytes, {
    width,
    bitOrder,
    mostRows: MOST_ROWS,
    bare: random.happens(0.1),
  })
  const add =
    bitmap.height <= MOST_ROWS &&
    badRows <= bitmap.height &&
    bitmap.data.length === bitmap.height * strideOf(width)
  if (!add) found(`${coding}: rows that do not add up out of ${bytes.toString('hex')}`)
  const again = decode(coding, sound, { width: 1728, bitOrder })
  if (again.badRows > 0 || Buffer.compare(again.bitmap.data, picture.data) !== 0)
    found(`${coding}: a sound page is read otherwise`)
}

function tiffs(random: Random, found: FuzzRun['found']): void {
  const bytes = random.spoiled(Buffer.from(tiff))
  const read = readTiff(bytes, { pages: 5, rows: MOST_ROWS })
  if (read.result !== 'pages') return
  for (const one of read.pages) {
    if (tiffBitmap(bytes, one).bitmap.height !== one.height)
      found(`a TIFF of other rows: ${bytes.toString('hex')}`)
  }
}

async function documents(random: Random): Promise<void> {
  const bytes = random.happens(0.1)
    ? random.bytes(random.below(3_000))
    : random.spoiled(Buffer.from(random.one(samples)))
  const looked = inspect(bytes, { pages: 20, paper: 'a4' })
  if (looked.result === 'document') await prepare(bytes, looked.type, 'a4')
}

export const document: FuzzTarget = {
  name: 'document',
  async run({ seed, until, found }) {
    let cases = 0
    while (performance.now() < until) {
      const random = new Random(seed + cases)
      const began = process.cpuUsage()
      try {
        const what = random.one(['rows', 'tiff', 'document'] as const)
        if (what === 'rows') rows(random, found)
        else if (what === 'tiff') tiffs(random, found)
        else await documents(random)
      } catch (error) {
        found(`case ${cases} (seed ${seed + cases}): ${error instanceof Error ? error.stack : String(error)}`)
      }
      const took = process.cpuUsage(began).user / 1_000
      if (took > LONGEST_MS) found(`case ${cases} (seed ${seed + cases}): ${Math.round(took)} ms`)
      cases += 1
      await turn()
    }
    return cases
  },
}
