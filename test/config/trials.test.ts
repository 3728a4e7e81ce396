/** A change on trial: who takes it back, what of it, and what a restart or another member makes of it. */
import { expect, test, vi } from 'vitest'
import { createTrials, type TrialDependencies } from '#config/trials.ts'
import { silent } from '#core/log.ts'

const START = Date.UTC(2026, 0, 1)

function rig(facts = new Map<string, string>()) {
  let now = START
  const undone: string[] = []
  const told: string[] = []
  let revisions = 0
  const settings: TrialDependencies['settings'] = {
    async set(_changes, author, announce) {
      revisions += 1
      const revision = { id: `r${revisions}`, author, at: now, changes: [] }
      await announce?.(revision)
      return { result: 'changed', revision }
    },
    async undo(revision) {
      undone.push(revision)
      return { result: 'changed', revision: { id: 'undo', author: 'rollback', at: now, changes: [] } }
    },
    refresh: async () => {},
  }
  const deps: TrialDependencies = {
    settings,
    store: {
      remember: async (name, value) => void facts.set(name, value),
      recall: async (name) => facts.get(name),
    },
    clock: { now: () => now, monotonic: () => now, trusted: () => true },
    log: silent,
    undone: ({ revision }) => told.push(revision),
  }
  return { deps, facts, undone, told, pass: (ms: number) => (now += ms) }
}

test('is taken back by the active member when its time is over, once', async () => {
  vi.useFakeTimers()
  try {
    const { deps, undone, told, pass, facts } = rig()
    const trials = await createTrials(deps)
    trials.follow(true)
    const applied = await trials.apply([{ path: 'validity', value: '1h' }], 'ann', 90_000)
    expect(applied).toMatchObject({
      result: 'changed',
      trial: { revision: 'r1', until: START + 90_000, author: 'ann' },
    })
    expect(await trials.apply([{ path: 'validity', value: '2h' }], 'bob', 90_000)).toMatchObject({
      result: 'trialPending',
      trial: { revision: 'r1' },
    })
    pass(89_000)
    await vi.advanceTimersByTimeAsync(89_000)
    expect(undone).toEqual([])
    pass(2_000)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(undone).toEqual(['r1'])
    expect(told).toEqual(['r1'])
    expect(trials.current()).toBeUndefined()
    expect(facts.get('config/trial')).toBe('')
    expect(await trials.confirm('r1')).toBe(false)
  } finally {
    vi.useRealTimers()
  }
})

test('a member that stands by leaves it alone, and takes it back when it becomes active', async () => {
  vi.useFakeTimers()
  try {
    const first = rig()
    const there = await createTrials(first.deps)
    await there.apply([{ path: 'validity', value: '1h' }], 'ann', 90_000)
    const second = rig(first.facts)
    const here = await createTrials(second.deps)
    expect(here.current()).toMatchObject({ revision: 'r1' })
    second.pass(100_000)
    await vi.advanceTimersByTimeAsync(100_000)
    expect(second.undone).toEqual([])
    here.follow(true)
    await vi.advanceTimersByTimeAsync(1)
    expect(second.undone).toEqual(['r1'])
    expect(first.undone).toEqual([])
  } finally {
    vi.useRealTimers()
  }
})

test('confirmed on one member it is over on the other too', async () => {
  const first = rig()
  const there = await createTrials(first.deps)
  await there.apply([{ path: 'validity', value: '1h' }], 'ann', 90_000)
  const second = rig(first.facts)
  const here = await createTrials(second.deps)
  expect(await there.confirm('r9')).toBe(false)
  expect(await there.confirm('r1')).toBe(true)
  await here.refresh()
  expect(here.current()).toBeUndefined()
})

test('two at the same moment: one is on trial, the other is told so', async () => {
  const { deps } = rig()
  const trials = await createTrials(deps)
  const both = await Promise.all([
    trials.apply([{ path: 'validity', value: '1h' }], 'ann', 90_000),
    trials.apply([{ path: 'validity', value: '2h' }], 'bob', 90_000),
  ])
  expect(both.map(({ result }) => result)).toEqual(['changed', 'trialPending'])
})

test('what cannot be read is no trial', async () => {
  for (const text of ['', '{', '{}', 'null', '[]']) {
    const trials = await createTrials(rig(new Map([['config/trial', text]])).deps)
    expect(trials.current()).toBeUndefined()
  }
})
