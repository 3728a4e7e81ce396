/** The storm guard at work: in the delivery loop over a real store, across a restart, under a storm. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { noStorm, type StormConfig } from '#config/storm.ts'
import { rig } from './rig.ts'

test('what is folded is cancelled with its reason, told in a digest, and sent when asked for', async () => {
  const storm = { ...noStorm(), group: { after: 2, window: 1_000 } }
  const { send, settled, sent, dispatch, store } = await rig({ storm })
  const first = await send({ text: 'one' })
  const second = await send({ text: 'two' })
  const third = await send({ text: 'three' })
  const urgent = await send({ text: 'urgent', priority: 0 })
  await settled(first.message.id, 'sent')
  await settled(second.message.id, 'sent')
  await settled(urgent.message.id, 'sent')
  const folded = await settled(third.message.id, 'cancelled')
  expect(folded.deliveries[0]?.reason?.code).toBe('folded')
  await vi.waitFor(() => expect(sent).toHaveLength(4), { timeout: 10_000 })
  const digests = (await store.messages({ limit: 10, search: 'held back by' })).items
  expect(digests.map(({ message }) => message.text)).toEqual([
    'and 1 more message held back by the storm guard. Latest: three',
  ])
  expect(await dispatch.retry(third.message.id)).toMatchObject({ result: 'done' })
  await settled(third.message.id, 'sent')
})

test('after a restart it knows what went out, and tells what was not told', async () => {
  const storm: StormConfig = {
    ...noStorm(),
    budgets: { recipient: { parts: 3, perMs: 3_600_000 } },
    dedupe: { window: 3_600_000, text: true },
    group: { after: 10, window: 1_500 },
  }
  const directory = await mkdtemp(join(tmpdir(), 'twinline-storm-'))
  const before = await rig({ storm, directory })
  for (const text of ['a', 'b', 'c', 'd']) await before.send({ text })
  await vi.waitFor(() => expect(before.sent).toHaveLength(2))
  await before.stop()
  const after = await rig({ storm, directory })
  const repeated = await after.send({ text: 'a' })
  expect((await after.settled(repeated.message.id, 'cancelled')).deliveries[0]?.reason?.code).toBe('repeated')
  const more = await after.send({ text: 'e' })
  expect((await after.settled(more.message.id, 'cancelled')).deliveries[0]?.reason?.code).toBe('over-budget')
  await vi.waitFor(() => expect(after.sent).toHaveLength(1), { timeout: 10_000 })
  const digests = (await after.store.messages({ limit: 10, search: 'held back by' })).items
  expect(digests.map(({ message }) => message.text)).toEqual([
    'and 3 more messages held back by the storm guard. Latest: e',
  ])
  await after.stop()
  await rm(directory, { recursive: true })
})

test('what waits for the budget of a line until its validity ends says so', async () => {
  const storm: StormConfig = { ...noStorm(), budgets: { line: { parts: 1, perMs: 3_600_000 } } }
  const { send, settled, sent } = await rig({ storm })
  const first = await send({ text: 'one' })
  await settled(first.message.id, 'sent')
  const second = await send({ text: 'two', validity: 5_000 })
  const ended = await settled(second.message.id, 'expired')
  expect(ended.deliveries[0]?.reason?.code).toBe('expired-over-budget')
  expect(sent).toHaveLength(1)
})

test('1,000 alerts with a budget of 10, priority 0 first', async () => {
  const storm: StormConfig = {
    ...noStorm(),
    budgets: { recipient: { parts: 10, perMs: 3_600_000 } },
    group: { after: 1_000, window: 2_000 },
  }
  const { dispatch, sent, store, ids, settled, view, send } = await rig({ storm, ready: false })
  const submit = (n: number) => dispatch.submit({ to: ['+491701'], text: `alert ${n}`, source: 'test' })
  await Promise.all(Array.from({ length: 999 }, (_, n) => submit(n)))
  const urgent = await send({ text: 'urgent', priority: 0 })
  for (const id of ids) dispatch.loop.lineReady(id)
  await vi.waitFor(async () => expect((await store.depth()).queued).toBe(0), { timeout: 20_000 })
  const digests = async () => (await store.messages({ limit: 10, search: 'held back by' })).items
  await vi.waitFor(async () => expect(await digests()).toHaveLength(1), { timeout: 20_000 })
  const [digest] = await digests()
  await settled(digest?.message.id ?? '', 'sent')
  const out = sent.length - 1
  expect(digest?.message.text).toContain(`and ${1_000 - out} more messages`)
  // Nine of the ordinary ones at most, the urgent one, and the digest.
  expect(out).toBeLessThanOrEqual(10)
  expect(await view(urgent.message.id)).toMatchObject({ deliveries: [{ state: 'sent' }] })
})
