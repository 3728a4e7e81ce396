/** What is done about received messages over a real store: after restarts, in order, by the active member alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type InboundRule, inboundDefaults } from '#config/inbound.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import { createStopList } from '#dispatch/stop-list.ts'
import { createActionRecords } from '#intake/inbound/action-records.ts'
import { type Actions, createActions } from '#intake/inbound/actions.ts'
import type { InboundEvent, InboundPublisher } from '#intake/inbound/perform.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { until } from '../../system/appliance.ts'

vi.setConfig({ testTimeout: 90_000 })

const clock = systemClock(0)
const everything: InboundRule = { from: '*', mail: [], mqtt: true, sms: [] }

let directory: string
let store: Store & OperationLog
const running = new Set<Actions>()
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'actions-'))
  store = await openStore({ directory, node: 'a' })
})
afterEach(async () => {
  await Promise.all([...running].map((actions) => actions.stop()))
  running.clear()
  await store.close()
  rmSync(directory, { recursive: true })
})

let count = 0
const receive = (text: string, from = '+491702222222', at = clock.now()) =>
  store.receive({ fingerprint: `f${count++}`, node: 'a', line: 'gsm0', at, from, sentAt: at, text })

interface Rig {
  actions: Actions
  told: string[]
  role: { active: boolean }
}

async function begin(
  publish: (event: InboundEvent) => Promise<void> = async () => {},
  rules: readonly InboundRule[] = [everything],
  submit: Dispatch['submit'] = async () => ({ result: 'full' }),
): Promise<Rig> {
  const told: string[] = []
  const publisher: InboundPublisher = async (event) => {
    await publish(event)
    if (event.type === 'received') told.push(event.text)
  }
  const role = { active: true }
  const rig: Rig = {
    told,
    role,
    actions: createActions({
      store,
      clock,
      log: silent,
      dispatch: { submit },
      stops: await createStopList({ store, clock }),
      audit: { write: () => {} },
      metrics: { accepted: () => {} },
      publishers: [publisher],
      settings: () => ({ ...inboundDefaults(), rules }),
      active: () => role.active,
    }),
  }
  running.add(rig.actions)
  return rig
}

async function end({ actions }: Rig): Promise<void> {
  running.delete(actions)
  await actions.stop()
}

test('what came before the appliance knew of actions gets none; what came while it was down does', async () => {
  await receive('long ago', '+491702222222', clock.now() - 1_000)
  await end(await begin())
  await receive('while it was down')
  const rig = await begin()
  await until(() => rig.told.length === 1, 'told')
  await receive('while it runs')
  rig.actions.wake()
  await until(() => rig.told.length === 2, 'both told')
  expect(rig.told).toEqual(['while it was down', 'while it runs'])
  await end(rig)
  const again = await begin()
  await receive('the last')
  again.actions.wake()
  await until(() => again.told.length === 1, 'only the new one')
  expect(again.told).toEqual(['the last'])
})

test('thousands that came meanwhile are told in their order, each once', async () => {
  await end(await begin())
  const texts = Array.from({ length: 1_200 }, (_, n) => `n${n}`)
  for (const text of texts) void receive(text)
  const rig = await begin()
  await until(() => rig.told.length >= texts.length, 'all told')
  expect(rig.told).toEqual(texts)
  // One that was given up long ago is found again, far behind what has been looked at.
  const first = (await store.inboxFacts({ after: 0, containing: '', orNone: true })).items[0]
  const given = { kind: 'mqtt', rule: '*', state: 'dead', attempts: 9, since: 1, due: 1 }
  const id = first?.entry.id ?? ''
  await store.remember(`inbound:${id}`, JSON.stringify({ at: 1, actions: [given] }))
  const records = createActionRecords(store, clock, (entry) => rig.actions.reload(entry))
  expect(await records.list({ limit: 10 })).toMatchObject({ items: [{ id: `${id}.0` }] })
  expect(await records.replay(`${id}.0`)).toBeDefined()
  await until(() => rig.told.length > texts.length, 'told again')
  expect(rig.told.at(-1)).toBe('n0')
})

test('a role that is lost in the middle: nothing more begins, and what was under way is asked for again by its key', async () => {
  await end(await begin())
  const keys: (string | undefined)[] = []
  const release = Promise.withResolvers<void>()
  const forward: InboundRule = { ...everything, mqtt: false, sms: ['+491711111111'] }
  const submit: Dispatch['submit'] = async ({ key }) => {
    keys.push(key?.key)
    await release.promise
    return { result: 'full' }
  }
  const former = await begin(undefined, [forward], submit)
  await receive('one')
  await receive('two')
  former.actions.wake()
  await until(() => keys.length === 1, 'the first is under way')
  former.role.active = false
  release.resolve()
  await end(former)
  expect(keys).toHaveLength(1)
  await begin(undefined, [forward], submit)
  await until(() => keys.length === 3, 'the next one, and once more after the disk was full')
  expect(keys[1]).toBe(keys[0])
  expect(keys[2]).not.toBe(keys[0])
})

test('only while it is active, and what another member did meanwhile is not done again', async () => {
  await end(await begin())
  const rig = await begin()
  rig.role.active = false
  rig.actions.wake()
  const [one, two] = [await receive('one'), await receive('two')]
  rig.actions.wake()
  const plan = { at: 1, actions: [{ kind: 'mqtt', rule: '*', state: 'done', attempts: 1, since: 1, due: 1 }] }
  await store.remember(`inbound:${one?.id}`, JSON.stringify(plan))
  await store.remember('a write later', 'so that the look before it is over')
  expect(rig.told).toEqual([])
  rig.role.active = true
  rig.actions.wake()
  await until(() => rig.told.length === 1, 'told')
  expect(rig.told).toEqual(['two'])
  expect(await createActionRecords(store, clock, () => {}).of(two?.id ?? '')).toMatchObject({
    actions: [{ kind: 'mqtt', state: 'done', attempts: 1 }],
  })
})

test('what it held before another member was active is forgotten', async () => {
  await end(await begin())
  let asked = 0
  const rig = await begin(async () => {
    asked += 1
    if (asked === 1) throw new Error('away')
  })
  const entry = await receive('done by the other one')
  rig.actions.wake()
  await until(() => asked === 1, 'it failed here')
  rig.role.active = false
  rig.actions.wake()
  const plan = { at: 1, actions: [{ kind: 'mqtt', rule: '*', state: 'done', attempts: 1, since: 1, due: 1 }] }
  await store.remember(`inbound:${entry?.id}`, JSON.stringify(plan))
  rig.role.active = true
  await receive('next')
  rig.actions.wake()
  await until(() => rig.told.length === 1, 'the next one is told')
  // In one lane the one that failed would have come before it.
  await end(rig)
  expect(rig.told).toEqual(['next'])
  expect(asked).toBe(2)
})

test('what a later version decided is left to it, and holds up nothing', async () => {
  await end(await begin())
  const strange = await receive('strange')
  const fact = '{"at":1,"actions":[{"kind":"hologram","state":"open"}]}'
  await store.remember(`inbound:${strange?.id}`, fact)
  await receive('plain')
  const rig = await begin()
  await until(() => rig.told.length === 1, 'told')
  expect(rig.told).toEqual(['plain'])
  expect(await store.recall(`inbound:${strange?.id}`)).toBe(fact)
})

test('a lane that fails waits, and the others go on', async () => {
  const rules = [everything, { ...everything, from: '+43*' }]
  let broken = true
  const rig = await begin(async (event) => {
    if (broken && event.type === 'received' && event.rule === '*') throw new Error('away')
  }, rules)
  await receive('from Austria', '+43660111111')
  rig.actions.wake()
  await until(() => rig.told.length === 1, 'one rule told')
  broken = false
  await until(() => rig.told.length === 2, 'the other one told')
  const [entry] = (await store.inbox({ limit: 1 })).items
  const kept = await createActionRecords(store, clock, () => {}).of(entry?.id ?? '')
  expect(kept?.actions.map(({ rule, state, attempts }) => [rule, state, attempts])).toEqual([
    ['*', 'done', 2],
    ['+43*', 'done', 1],
  ])
})
