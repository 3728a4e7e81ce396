/** Pages of unusual length: those without end are bounded, and the longest that are taken go out. */
import { expect, test } from 'vitest'
import { IncomingPages } from '#fax/class1/incoming.ts'
import { encode } from '#fax/coding/encode.ts'
import { blankBitmap } from '#fax/coding/rows.ts'
import type { ReceivedPage } from '#fax/contract.ts'
import { MOST_ROWS } from '#fax/documents/inspect.ts'
import { OutgoingPages } from '#fax/outgoing-pages.ts'
import type { Choice } from '#fax/t30/capabilities.ts'
import { blockBits, blocksOf } from '#fax/t30/ecm.ts'
import { modulations } from '#fax/t30/modulation.ts'
import { writeTiff } from '#fax/tiff.ts'

const [modulation] = modulations
if (!modulation) throw new Error('the table has lost its rows')
const choice: Choice = { modulation, resolution: 196, coding: 'MMR', ecm: true, frameSize: 256, rowTime: 0 }

test('a page ends at 16 MB', () => {
  const [block = []] = blocksOf(new Uint8Array(65_536), 256)
  const bits = blockBits(block, undefined, modulation)
  const pages = new IncomingPages({ progress: () => {}, page: () => Promise.resolve() })
  let closed = 0
  do pages.take(bits, choice)
  while (++closed < 300 && pages.closeBlock())
  expect(closed).toBe(256)
})

test('the longest page that is taken can be sent, and comes whole; a longer one is marked', async () => {
  const data = (rows: number) => encode('MMR', blankBitmap(1728, rows), { bitOrder: 'lsb' })
  const page = {
    width: 1728,
    rows: MOST_ROWS,
    resolution: 196 as const,
    data: encode('MMR', blankBitmap(1728, MOST_ROWS)),
  }
  expect(OutgoingPages.read(writeTiff([page]))).toBeInstanceOf(OutgoingPages)
  for (const [rows, complete] of [
    [MOST_ROWS, true],
    [31_000, false],
  ] as const) {
    const kept: ReceivedPage[] = []
    const pages = new IncomingPages({ progress: () => {}, page: async (one) => void kept.push(one) })
    pages.take(data(rows), { ...choice, ecm: false })
    await pages.keep({ ...choice, ecm: false }, true)
    expect(kept).toMatchObject([{ rows: Math.min(rows, 30_000), complete }])
  }
})

test('a page whose sender left frames out for good (EOR) is marked, whatever came after them', async () => {
  // Rows of MH stand alone: without a frame in the middle the others are good.
  const coded = encode('MH', blankBitmap(1728, 1_000), { bitOrder: 'lsb' })
  const [block = []] = blocksOf(coded, 256)
  const kept: ReceivedPage[] = []
  const pages = new IncomingPages({ progress: () => {}, page: async (one) => void kept.push(one) })
  const mh: Choice = { ...choice, coding: 'MH' }
  const numbers = block.map((_, number) => number).filter((number) => number !== 3)
  pages.take(blockBits(block, numbers, modulation), mh)
  expect(pages.missing(block.length)).toEqual([3])
  pages.closeBlock()
  pages.take(blockBits(block, undefined, modulation), mh)
  await pages.keep(mh, true)
  expect(kept).toMatchObject([{ complete: false }])
})
