/** The right to transmit as the guard gives it: a lease, a term that the store carries first, and honest flags. */
import { expect, it } from 'vitest'
import type { PairConfig } from '#config/types.ts'
import { silent } from '#core/log.ts'
import { followLeadership } from '#dispatch/leadership.ts'
import { PairOwnership } from '#dispatch/pair-ownership.ts'
import { newDelivery } from '#messages/message.ts'
import type { Operation, Term } from '#messages/operation.ts'
import type { MemberView, Role, RoleState } from '#pair/contract.ts'
import { wentAlone } from '#pair/membership.ts'
import type { LogPosition } from '#store/contract.ts'

const roleState = (role: Role, counter: number): RoleState => ({
  role,
  term: { counter, node: 'a' },
  since: 0,
  reason: 'a test',
})

function rig(mode: PairConfig['mode'] = 'active-standby') {
  const world = {
    now: 0,
    until: 100,
    observed: 0,
    operations: [] as Operation[],
    members: [] as MemberView[],
    connected: false,
    positions: [] as (LogPosition & { first: number })[],
    owned: new Map<string, string[]>(),
    synchronised: true,
    facts: new Map<string, string>(),
  }
  const ownership = new PairOwnership(
    {
      node: 'a',
      mode,
      clock: { now: () => 0, monotonic: () => world.now, trusted: () => true },
      log: silent,
      transmitUntil: () => world.until,
      members: () => world.members,
      connected: () => world.connected,
      store: {
        observe: async ({ counter }: Term) => {
          world.observed = counter
        },
        operate: async (operation) => {
          world.operations.push(operation)
          return true
        },
        positions: async () => world.positions,
        owned: async (node) => world.owned.get(node) ?? [],
        recall: async (name) => world.facts.get(name),
        remember: async (name, value) => {
          world.facts.set(name, value)
        },
      },
      synchronised: () => world.synchronised,
      grantWait: 1_700,
    },
    roleState('standby', 1),
  )
  return { world, ownership }
}

const position = (origin: string, sequence: number) => ({
  origin,
  incarnation: `i-${origin}`,
  sequence,
  first: 1,
})
const view = (node: string, more: Partial<MemberView> = {}): MemberView => ({ node, paths: [], ...more })
const message = {
  id: 'm',
  at: 0,
  node: 'b',
  source: 'test',
  text: 'x',
  priority: 2,
  validity: 1,
  onUnknown: 'resend',
  flash: false,
} as const
const delivery = (counter: number) => ({
  ...newDelivery(message, 0, '+49', 'sms', 1),
  latest: { term: { counter, node: 'b' }, clock: 1, origin: 'b' },
})

it('transmits only as active, with the term in the store, within the lease', async () => {
  const { ownership, world } = rig()
  expect(ownership.stop()?.code).toBe('standing-by')
  expect(await ownership.follow(roleState('active', 2))).toBe(true)
  expect(world.observed).toBe(2)
  expect(ownership.stop()).toBeUndefined()
  world.now = 100
  expect(ownership.stop()?.code).toBe('standing-by')
  world.until = 300
  expect(ownership.stop()).toBeUndefined()
  expect(await ownership.follow(roleState('standby', 3))).toBe(true)
  expect(ownership.stop()?.code).toBe('standing-by')
})

it('adopts what it holds of every other member, and flags those of whom it does not hold all that was announced', async () => {
  const { ownership, world } = rig()
  world.positions = [position('a', 9), position('b', 7), position('c', 5)]
  world.members = [
    view('b', { signal: 'DEAD', position: position('b', 9) }),
    view('c', { signal: 'LIVE', position: position('c', 5) }),
  ]
  ownership.met()
  await ownership.follow(roleState('active', 2))
  expect(
    world.operations.map((operation) => operation.op === 'adopt' && [operation.origin, operation.position]),
  ).toEqual([
    ['b', 7],
    ['c', 5],
  ])
  expect(ownership.mayBeCopy(delivery(1), message)).toBe(true)
  expect(ownership.mayBeCopy(delivery(1), { ...message, node: 'c' })).toBe(false)
  // What came after the takeover was sent by nobody else.
  expect(ownership.mayBeCopy(delivery(2), message)).toBe(false)
})

it('flags everything unfinished when it became active without having heard anybody', async () => {
  const { ownership, world } = rig()
  world.members = [view('b')]
  await ownership.follow(roleState('active', 2))
  expect(ownership.mayBeCopy(delivery(1), { ...message, node: 'a' })).toBe(true)
  expect(ownership.mayBeCopy(delivery(2), { ...message, node: 'a' })).toBe(false)
  // Just accepted: it goes to a line before it is read back from the store.
  expect(ownership.mayBeCopy(newDelivery(message, 0, '+49', 'sms', 1), { ...message, node: 'a' })).toBe(false)
})

it('an appliance that nobody has joined flags nothing', async () => {
  const { ownership } = rig()
  await ownership.follow(roleState('single', 1))
  expect(ownership.mayBeCopy(delivery(0), message)).toBe(false)
})

it('a standby transmits what it owns in mode active-active, and only there', async () => {
  const standby = { ...roleState('standby', 1), active: 'b' }
  for (const mode of ['active-active', 'active-standby', 'cold'] as const) {
    const { ownership, world } = rig(mode)
    world.connected = true
    await ownership.follow(standby)
    expect(ownership.stop()?.code).toBe(mode === 'active-active' ? undefined : 'standing-by')
    expect(ownership.owner()).toEqual({ node: 'a', active: false })
  }
})

it('a standby transmits nothing before it has heard what became of what it owned', async () => {
  const { ownership, world } = rig('active-active')
  await ownership.follow({ ...roleState('standby', 1), active: 'b' })
  expect(ownership.stop()?.code).toBe('standing-by')
  world.connected = true
  world.synchronised = false
  expect(ownership.stop()?.code).toBe('standing-by')
  world.synchronised = true
  expect(ownership.stop()).toBeUndefined()
})

const adoptions = (operations: readonly Operation[]) =>
  operations.flatMap((operation) =>
    operation.op === 'adopt' ? [[operation.origin, operation.incarnation, operation.position]] : [],
  )

it('adopts what a lost member owns by whichever log it came: an earlier run, or what another one handed to it', async () => {
  const { ownership, world } = rig()
  world.positions = [
    { ...position('b', 4), incarnation: 'b-old' },
    position('a', 9),
    { ...position('b', 8), incarnation: 'b-idle' },
    position('b', 7),
  ]
  world.owned.set('b', ['b-old', 'i-a'])
  world.members = [view('b', { signal: 'DEAD' })]
  ownership.met()
  await ownership.follow(roleState('active', 2))
  expect(adoptions(world.operations)).toEqual([
    ['b', 'b-old', 4],
    ['b', 'i-a', 9],
    ['b', 'i-b', 7],
  ])
})

it('in mode active-active adopts of a member that stays away once its right is over, and of no living one', async () => {
  const { ownership, world } = rig('active-active')
  world.positions = [position('a', 9), position('b', 7)]
  world.members = [view('b', { signal: 'LIVE' })]
  world.owned.set('b', ['i-b'])
  ownership.met()
  await ownership.follow(roleState('active', 2))
  expect(await ownership.adoptLost()).toBe(false)
  world.members = [view('b', { signal: 'DEAD', silentMs: 1_600 })]
  expect(await ownership.adoptLost()).toBe(false)
  expect(world.operations).toEqual([])
  world.members = [view('b', { signal: 'DEAD', silentMs: 1_700 })]
  expect(await ownership.adoptLost()).toBe(true)
  expect(adoptions(world.operations)).toEqual([['b', 'i-b', 7]])
  world.owned.clear()
  expect(await ownership.adoptLost()).toBe(false)
})

it('a standby adopts nothing, whoever is lost', async () => {
  const { ownership, world } = rig('active-active')
  world.owned.set('b', ['i-b'])
  world.members = [view('b', { signal: 'DEAD', silentMs: 60_000 })]
  expect(await ownership.adoptLost()).toBe(false)
})

it('flags as well what a member had been handed whose newest entries it does not hold', async () => {
  const { ownership, world } = rig()
  world.positions = [position('b', 7)]
  world.members = [view('b', { signal: 'DEAD', position: position('b', 9) })]
  ownership.met()
  await ownership.follow(roleState('active', 2))
  const own = { ...message, node: 'a' }
  expect(ownership.mayBeCopy(delivery(1), own)).toBe(false)
  expect(ownership.mayBeCopy({ ...delivery(1), handed: ['a', 'b'] }, own)).toBe(true)
})

it('a member is alive while it is heard or connected, unless its gateway hangs', () => {
  const { ownership, world } = rig()
  expect(ownership.alive('a')).toBe(true)
  world.members = [view('b', { signal: 'LIVE' })]
  expect(ownership.alive('b')).toBe(true)
  world.members = [view('b', { signal: 'LIVE', healthy: false })]
  expect(ownership.alive('b')).toBe(false)
  world.members = [view('b', { signal: 'CLOSE' })]
  expect(ownership.alive('b')).toBe(false)
  world.connected = true
  expect(ownership.alive('b')).toBe(true)
})

it('takes changes of the role one after another, and tells the loop of each', async () => {
  const { ownership } = rig()
  const told: string[] = []
  const loop = {
    ownershipChanged: async () => {
      told.push(ownership.stop() ? 'may not' : 'may')
    },
    adopt: async () => {
      told.push('adopts')
    },
  }
  const { role, signal } = followLeadership({ ownership, loop, passive: { update: () => {} }, log: silent })
  role(roleState('active', 2))
  role(roleState('standby', 3))
  role(roleState('active', 4))
  signal('b', 'DEAD')
  signal('b', 'LIVE')
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  expect(told).toEqual(['may', 'may not', 'may', 'adopts'])
})

it('who goes on alone after its removal flags all that was there before, also after a restart', async () => {
  const { ownership, world } = rig()
  world.facts.set(wentAlone('a'), '0')
  await ownership.follow(roleState('single', 5))
  expect(ownership.mayBeCopy(delivery(4), message)).toBe(true)
  expect(ownership.mayBeCopy(delivery(5), message)).toBe(false)
  const again = rig()
  again.world.facts = world.facts
  await again.ownership.follow(roleState('single', 6))
  expect(again.ownership.mayBeCopy(delivery(4), message)).toBe(true)
  expect(again.ownership.mayBeCopy(delivery(5), message)).toBe(false)
})
