/** A page that comes in partial pages without end: what is held of it is bounded. */
import { expect, test } from 'vitest'
import { IncomingPages } from '#fax/class1/incoming.ts'
import type { Choice } from '#fax/t30/capabilities.ts'
import { blockBits, blocksOf } from '#fax/t30/ecm.ts'
import { modulations } from '#fax/t30/modulation.ts'

test('a page ends at 16 MB', () => {
  const [modulation] = modulations
  if (!modulation) throw new Error('the table has lost its rows')
  const choice: Choice = { modulation, resolution: 196, coding: 'MMR', ecm: true, frameSize: 256, rowTime: 0 }
  const [block = []] = blocksOf(new Uint8Array(65_536), 256)
  const bits = blockBits(block, undefined, modulation)
  const pages = new IncomingPages({ progress: () => {}, page: () => Promise.resolve() })
  let closed = 0
  do pages.take(bits, choice)
  while (++closed < 300 && pages.closeBlock())
  expect(closed).toBe(256)
})
