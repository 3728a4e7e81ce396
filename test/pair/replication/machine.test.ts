/** The machine step by step, where a schedule would hide what happens: windows, gaps, sessions, versions, lagging. */
import { describe, expect, it } from 'vitest'
import { isSynchronised, nextDeadline, step } from '../../../src/pair/replication/machine.ts'
import type { Hello, Message } from '../../../src/pair/replication/messages.ts'
import {
  type Effect,
  type Input,
  initialState,
  phases,
  type State,
} from '../../../src/pair/replication/state.ts'
import { WINDOW_BATCHES } from '../../../src/pair/replication/stream.ts'
import type { LogPosition } from '../../../src/store/contract.ts'

const own = (sequence: number): LogPosition => ({ origin: 'a', incarnation: 'a1', sequence })

class Machine {
  state: State
  now = 0
  constructor(sequence = 0) {
    this.state = initialState(own(sequence), [own(sequence)], true)
    this.take({ input: 'members', nodes: ['b'] })
  }
  take(input: Input): Effect[] {
    const { state, effects } = step(this.state, input, this.now)
    this.state = state
    return effects
  }
  hear(message: Message): Effect[] {
    return this.take({ input: 'message', from: 'b', message })
  }
  meet(extra: Partial<Hello> = {}): Effect[] {
    this.take({ input: 'open', node: 'b' })
    return this.hear({
      ...{ kind: 'hello', session: 'b1', min: 1, current: 1, incarnation: 'b1', heard: 'a1' },
      ...{ ask: false, complete: true, positions: [] },
      ...extra,
    })
  }
  log(from: number, count = 1): Effect[] {
    return this.take({
      input: 'logged',
      batch: { origin: 'a', incarnation: 'a1', from, count, entries: '[0]' },
    })
  }
  ack(sequence: number, state: 'merged' | 'gap' = 'merged', session = 'b1', round = 0): Effect[] {
    return this.hear({ kind: 'ack', session, round, position: own(sequence), state })
  }
  get phase(): string | undefined {
    return this.state.peers.get('b')?.phase
  }
}

const kinds = (effects: Effect[]): string[] =>
  effects.flatMap((effect) => (effect.effect === 'send' ? [effect.message.kind] : []))
const names = (effects: Effect[]): string[] =>
  effects.map(({ effect }) => effect).filter((name) => name !== 'note')

describe('how a member stands', () => {
  it('follows the table', () => {
    const machine = new Machine()
    expect(machine.phase).toBe('disconnected')
    expect(kinds(machine.take({ input: 'open', node: 'b' }))).toEqual(['hello'])
    expect(machine.phase).toBe('greeting')
    machine.meet()
    expect(machine.phase).toBe('current')
    machine.log(1)
    machine.take({ input: 'missed', sequence: 1 })
    expect(machine.phase).toBe('lagging')
    machine.ack(1)
    expect(machine.phase).toBe('current')
    machine.take({ input: 'closed', node: 'b' })
    expect(machine.phase).toBe('disconnected')
  })

  it('never leads out of the table', () => {
    const known = Object.keys(phases)
    for (const row of Object.values(phases)) {
      for (const next of Object.values(row)) expect(known).toContain(next)
      if (row !== phases.disconnected) expect(row.closed).toBe('disconnected')
    }
  })

  it('does not miss what is acknowledged', () => {
    const machine = new Machine()
    machine.meet()
    machine.log(1)
    machine.ack(1)
    machine.take({ input: 'missed', sequence: 1 })
    expect(machine.phase).toBe('current')
  })
})

describe('sending', () => {
  it('pushes without waiting, up to the window, and goes on with the acknowledgements', () => {
    const machine = new Machine()
    machine.meet()
    for (let n = 1; n <= WINDOW_BATCHES; n++) expect(kinds(machine.log(n))).toEqual(['push'])
    expect(names(machine.log(WINDOW_BATCHES + 1))).toEqual([])
    expect(names(machine.ack(1))).toEqual(['read'])
  })

  it('begins again at a gap, soon and once', () => {
    const machine = new Machine()
    machine.meet()
    for (let n = 1; n <= 3; n++) machine.log(n)
    machine.ack(1, 'gap')
    const due = nextDeadline(machine.state)
    expect(due - machine.now).toBeLessThan(100)
    // The third batch was a gap too, but of the round before.
    machine.ack(1, 'gap')
    expect(nextDeadline(machine.state)).toBe(due)
    machine.now = due
    expect(machine.take({ input: 'timer' })).toContainEqual({
      effect: 'read',
      to: 'b',
      incarnation: 'a1',
      after: 1,
      round: 1,
    })
  })

  it('sends again what nobody answers, less and less often', () => {
    const machine = new Machine()
    machine.meet()
    machine.log(1)
    const first = nextDeadline(machine.state)
    expect(first).toBeGreaterThan(1_000)
    machine.now = first
    const [read] = machine.take({ input: 'timer' }).filter(({ effect }) => effect === 'read')
    expect(read).toBeDefined()
    const batch = { origin: 'a', incarnation: 'a1', from: 1, count: 1, entries: '[0]' }
    machine.take({ input: 'read', to: 'b', incarnation: 'a1', round: 1, result: batch })
    expect(nextDeadline(machine.state) - machine.now).toBeGreaterThan(first + 1_000)
  })
})

describe('sessions', () => {
  it('believe no acknowledgement of another life of the member', () => {
    const machine = new Machine()
    machine.meet()
    machine.log(1)
    machine.meet({ session: 'b2' })
    machine.ack(1, 'merged', 'b1')
    expect(machine.state.peers.get('b')?.holds.get('a1')).toBeUndefined()
    machine.meet({ session: 'b1', positions: [own(1)] })
    expect(machine.state.peers.get('b')?.session).toBe('b2')
  })

  it('are asked for when they are not known', () => {
    const machine = new Machine()
    machine.meet()
    machine.now = 10_000
    expect(kinds(machine.ack(0, 'merged', 'b7'))).toEqual(['hello'])
  })
})

describe('versions', () => {
  it('that have nothing in common do not replicate, and somebody is told once', () => {
    const machine = new Machine()
    const effects = machine.meet({ min: 7, current: 9 })
    expect(effects).toContainEqual(expect.objectContaining({ effect: 'alarm', code: 'wire-version' }))
    expect(names(machine.meet({ min: 7, current: 9 }))).not.toContain('alarm')
    expect(machine.phase).toBe('greeting')
    expect(names(machine.log(1))).toEqual([])
  })

  it('that are newer are written as this one understands', () => {
    const machine = new Machine()
    machine.meet({ min: 1, current: 9 })
    expect(machine.log(1)).toContainEqual(expect.objectContaining({ effect: 'send', version: 1 }))
  })
})

it('is synchronised only with all that the member held when they met', () => {
  const machine = new Machine()
  expect(isSynchronised(machine.state)).toBe(false)
  machine.meet({ positions: [{ origin: 'b', incarnation: 'b1', sequence: 2 }] })
  expect(isSynchronised(machine.state)).toBe(false)
  const log = { origin: 'b', incarnation: 'b1', sequence: 2 }
  machine.take({
    input: 'merged',
    from: 'b',
    round: 0,
    bytes: 3,
    log,
    result: { result: 'merged', position: log },
  })
  expect(isSynchronised(machine.state)).toBe(true)
  machine.take({ input: 'closed', node: 'b' })
  expect(isSynchronised(machine.state)).toBe(true)
})
