/** Who belongs to the pair: out of the log, told to whom it concerns, and forgotten when it has left. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Config } from '#config/types.ts'
import type { MemberRecord } from '#messages/operation.ts'
import {
  type Membership,
  type MembershipChange,
  openMembership,
  otherModes,
  ownRecord,
  wentAlone,
} from '#pair/membership.ts'
import { pairConfig } from '../intake/http/pair-stand-in.ts'
import { memberStore, nodes } from './ceremony/two-boxes.ts'

const record = (node: string): MemberRecord => ({
  node,
  fingerprint: node.at(-1)?.repeat(64) ?? '',
  guard: [`${node}:8883`],
  log: [`${node}:8884`],
  priority: 100,
})
const [a, b, c] = [record('box-a'), record('box-b'), record('box-c')]
const now = async () => {}

let store: ReturnType<typeof memberStore>
let membership: Membership
let changes: MembershipChange[]
beforeEach(async () => {
  store = memberStore()
  membership = await openMembership(store, a)
  changes = []
  membership.onChange((change) => changes.push(change))
})

test('an appliance without members is single and writes nothing', () => {
  expect(membership.standing()).toBe('single')
  expect(membership.others()).toEqual([])
  expect(store.operations).toEqual([])
})

test('who admits a member lists itself first', async () => {
  await membership.admit(b)
  expect(store.operations).toEqual([
    { op: 'member', member: a },
    { op: 'member', member: b },
  ])
  expect(changes).toEqual([{ others: [b], standing: 'member', joined: false, dropped: [] }])
  await membership.admit(b)
  expect(store.operations).toHaveLength(2)
})

test('members with another mode are found; one that does not tell its mode is not accused', async () => {
  const own = { ...a, mode: 'active-standby' } as const
  membership = await openMembership(memberStore(), own)
  await membership.join([{ ...b, mode: 'active-active' }, c])
  expect(otherModes(membership)).toEqual([{ ...b, mode: 'active-active' }])
})

test('who joins says so, and keeps what it was told across a restart', async () => {
  await membership.join([b, c])
  expect(changes).toEqual([{ others: [b, c], standing: 'member', joined: true, dropped: [] }])
  expect(nodes((await openMembership(store, a)).others())).toEqual(['box-b', 'box-c'])
})

test('a removed member is told before it is cut off, and known by its certificate afterwards', async () => {
  await membership.join([b, c])
  changes.length = 0
  const seen: string[][] = []
  const removed = await membership.remove('box-b', async () => {
    seen.push(nodes(membership.others()))
    expect(store.operations.at(-1)).toEqual({ op: 'memberRemove', node: 'box-b' })
  })
  expect(removed).toBe(true)
  expect(seen).toEqual([['box-b', 'box-c']])
  expect(changes).toEqual([{ others: [c], standing: 'member', joined: false, dropped: [b] }])
  expect(membership.removed(b.fingerprint)).toBe('box-b')
  expect(membership.removed(c.fingerprint)).toBeUndefined()
  expect((await openMembership(store, a)).removed(b.fingerprint)).toBe('box-b')
})

test('what is no other member cannot be removed', async () => {
  await membership.join([b])
  expect(await membership.remove('box-x', now)).toBe(false)
  expect(await membership.remove('box-a', now)).toBe(false)
})

test('a member that comes back is no longer one that was removed', async () => {
  await membership.join([b])
  await membership.remove('box-b', now)
  expect(membership.standing()).toBe('single')
  await membership.admit(b)
  expect(membership.removed(b.fingerprint)).toBeUndefined()
  expect(membership.others()).toEqual([b])
})

test('who finds itself removed trusts nobody', async () => {
  await membership.join([b, c])
  changes.length = 0
  await store.operate({ op: 'memberRemove', node: 'box-a' })
  await membership.reload()
  expect(membership.standing()).toBe('removed')
  expect(membership.others()).toEqual([])
  expect(changes).toEqual([{ others: [], standing: 'removed', joined: false, dropped: [b, c] }])
  expect((await openMembership(store, a)).standing()).toBe('removed')
})

test('a removed member that goes on alone is single, and notes that others may have sent what it holds', async () => {
  await membership.join([b, c])
  await membership.join([b])
  expect(await store.recall(wentAlone('box-a'))).toBeUndefined()
  await store.operate({ op: 'memberRemove', node: 'box-a' })
  await membership.reload()
  changes.length = 0
  await membership.join([])
  expect(membership.standing()).toBe('single')
  expect(nodes(await store.members())).toEqual(['box-a'])
  expect(changes).toEqual([{ others: [], standing: 'single', joined: false, dropped: [] }])
  expect(await store.recall(wentAlone('box-a'))).toBe('0')
})

test('a removed member that takes in others begins a pair of its own, and notes the same', async () => {
  await membership.join([b])
  await store.operate({ op: 'memberRemove', node: 'box-a' })
  await membership.reload()
  await membership.admit(c)
  expect(nodes(membership.others())).toEqual(['box-c'])
  expect(await store.recall(wentAlone('box-a'))).toBe('0')
})

test('records of a pair that was left do not come along into the next', async () => {
  await membership.join([b])
  await store.operate({ op: 'memberRemove', node: 'box-a' })
  await membership.reload()
  await membership.join([c])
  expect(nodes(await store.members())).toEqual(['box-a', 'box-c'])
  expect(store.operations).toContainEqual({ op: 'memberRemove', node: 'box-b' })
})

test('joining the same pair again removes nobody', async () => {
  await membership.join([b, c])
  await membership.join([b])
  expect(nodes(membership.others())).toEqual(['box-b', 'box-c'])
})

test('what others changed is noticed once', async () => {
  await membership.join([b])
  changes.length = 0
  await membership.reload()
  expect(changes).toEqual([])
  await store.operate({ op: 'member', member: { ...b, log: ['elsewhere:1'] } })
  await membership.reload()
  await membership.reload()
  expect(changes).toMatchObject([{ others: [{ log: ['elsewhere:1'] }], dropped: [] }])
})

test('new addresses of one’s own are told at the start, another certificate is not', async () => {
  await membership.join([b])
  store.operations.length = 0
  await openMembership(store, { ...a, priority: 7 })
  expect(store.operations).toEqual([{ op: 'member', member: { ...a, priority: 7 } }])
  store.operations.length = 0
  await openMembership(store, { ...a, fingerprint: '0'.repeat(64) })
  expect(store.operations).toEqual([])
})

describe('what others are told of this member', () => {
  const listen = (host: string, port: number) => ({ listen: { host, port } })
  const of = (config: Partial<Pick<Config, 'http' | 'https'>>, pair: Partial<typeof pairConfig> = {}) =>
    ownRecord({ node: 'box-a', pair: { ...pairConfig, ...pair }, ...config }, 'f', { guard: 11, log: 12 })

  test('every advertised path, with the ports as they are', () => {
    const advertise = [
      { host: '10.77.0.1', port: 8883 },
      { host: 'fd00::1', port: 0 },
    ]
    expect(of({}, { advertise })).toEqual({
      node: 'box-a',
      fingerprint: 'f',
      guard: ['10.77.0.1:8883', '[fd00::1]:11'],
      log: ['10.77.0.1:12', '[fd00::1]:12'],
      priority: 150,
      mode: 'active-standby',
    })
  })

  test.each([
    [{ http: listen('0.0.0.0', 8080) }, ['http://127.0.0.1:8080']],
    [{ https: listen('::', 8443), http: listen('127.0.0.1', 8080) }, ['https://127.0.0.1:8443']],
    [{ http: listen('10.0.0.9', 80) }, ['http://10.0.0.9:80']],
    [{ http: listen('::1', 8080) }, undefined],
    [{}, undefined],
  ])('%j is reached at %j', (config, web) => {
    expect(of(config).web).toEqual(web)
  })
})
