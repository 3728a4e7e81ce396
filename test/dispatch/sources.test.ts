/** A source names the appliance that sends its messages, in mode active-active and while that one can. */
import { expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { preferredFor } from '#config/sources.ts'
import { soleOwner } from '#dispatch/ownership.ts'
import type { MemberView } from '#pair/contract.ts'
import { pair, rig } from './rig.ts'

const sources = [
  { source: 'http:monitoring', prefer: 'b' },
  { source: 'mqtt*', prefer: 'c' },
]

test('the first that fits', () => {
  expect(
    ['http:monitoring', 'mqtt:plc', 'http:other'].map((source) => preferredFor(sources, source)),
  ).toEqual(['b', 'c', undefined])
  const text = 'sources: [{ source: "http:monitoring", prefer: b }]'
  expect(parseConfig(text, '/x.yaml').sources).toEqual(sources.slice(0, 1))
  expect(() => parseConfig('sources: [{ source: "a b", prefer: b }]', '/x.yaml')).toThrow(
    /sources\[0\]\.source/,
  )
})

test('what it is to send is its own from the beginning; without it this one sends', async () => {
  const members: MemberView[] = [{ node: 'b', signal: 'LIVE', healthy: true, linesHealthy: 1, paths: [] }]
  const { send, sent, view, settled } = await rig({
    sources,
    pair: { ...pair('accept'), mode: 'active-active' },
    ownership: { ...soleOwner('a'), takers: () => members },
  })
  const theirs = await send({ source: 'http:monitoring' })
  expect(theirs.deliveries[0]?.owner).toBe('b')
  const ours = await send({ source: 'http:other' })
  await settled(ours.message.id, 'sent')
  expect(sent).toHaveLength(1)
  expect((await view(theirs.message.id)).deliveries[0]).toMatchObject({ state: 'queued', owner: 'b' })
  members.length = 0
  const instead = await send({ source: 'http:monitoring' })
  await settled(instead.message.id, 'sent')
})
