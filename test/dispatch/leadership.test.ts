/** A role that could not be followed at once, because the store refused, is followed later. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { silent } from '#core/log.ts'
import { followLeadership } from '#dispatch/leadership.ts'
import { PairOwnership } from '#dispatch/pair-ownership.ts'
import type { PassiveLines } from '#dispatch/passive-lines.ts'
import type { RoleState } from '#pair/contract.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const state = (role: RoleState['role'], counter: number): RoleState => ({
  role,
  term: { counter, node: 'box-a' },
  since: 0,
  reason: 'r',
})

function rig() {
  const refuses = { now: false, calls: 0, connected: false }
  const ownership = new PairOwnership(
    {
      node: 'box-a',
      mode: 'active-standby',
      store: {
        async observe() {
          refuses.calls += 1
          if (refuses.now) throw new Error('no room')
        },
        operate: async () => true,
        positions: async () => [],
        owned: async () => [],
        recall: async () => undefined,
        remember: async () => {},
      },
      clock: { now: () => 0, monotonic: () => 0, trusted: () => true },
      log: silent,
      transmitUntil: () => 1_000,
      members: () => [],
      connected: () => refuses.connected,
      synchronised: () => true,
      grantWait: 1_700,
    },
    state('standby', 1),
  )
  let changed = 0
  const lost: boolean[] = []
  const passive: PassiveLines = { update: (_active, alive) => lost.push(!alive('box-b')) }
  const leadership = followLeadership({
    ownership,
    loop: {
      async ownershipChanged() {
        changed += 1
      },
      adopt: async () => {},
    },
    passive,
    log: silent,
  })
  return { ownership, leadership, refuses, changed: () => changed, lost }
}

it('takes over as soon as the store takes writes again', async () => {
  const { ownership, leadership, refuses, changed } = rig()
  refuses.now = true
  leadership.role(state('active', 2))
  await vi.advanceTimersByTimeAsync(2_500)
  expect(ownership.stop()).toBeDefined()
  expect(refuses.calls).toBe(3)
  refuses.now = false
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ownership.stop()).toBeUndefined()
  expect(changed()).toBe(1)
})

it('does not come back to a role that is over', async () => {
  const { ownership, leadership, refuses, changed } = rig()
  refuses.now = true
  leadership.role(state('active', 2))
  await vi.advanceTimersByTimeAsync(500)
  leadership.role(state('standby', 3))
  refuses.now = false
  await vi.advanceTimersByTimeAsync(5_000)
  expect(ownership.stop()).toBeDefined()
  expect(refuses.calls).toBe(1)
  expect(changed()).toBe(1)
})

it('looks again at a silent member until its connection has ended: only then its lines are taken', async () => {
  const { leadership, refuses, lost } = rig()
  refuses.connected = true
  leadership.signal('box-b', 'DEAD')
  await vi.advanceTimersByTimeAsync(2_500)
  expect(lost).toEqual([false, false, false])
  refuses.connected = false
  await vi.advanceTimersByTimeAsync(5_000)
  expect(lost).toEqual([false, false, false, true])
})
