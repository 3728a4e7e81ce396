/** The life of a line, step by step, with a clock of its own. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ladder } from '#lines/recovery-ladder.ts'
import {
  type Effect,
  type Input,
  initialState,
  lineState,
  type MachineState,
  step,
} from '#lines/supervisor-machine.ts'

const rungs = ladder(['AT+CFUN=1,1', 'AT+CRESET'], 10_000)
const reason = { code: 'no-prompt', text: 'no prompt' }

/** Feeds inputs one a second; keeps what was done. */
function play(inputs: readonly Input[], from: MachineState = initialState(rungs), startAt = 0) {
  let state = from
  let now = startAt
  const effects: Effect[] = []
  for (const input of inputs) {
    const next = step(state, input, now)
    state = next.state
    effects.push(...next.effects)
    now += 1_000
  }
  return { state, effects, now }
}

const ready: Input[] = [{ input: 'start' }, { input: 'opened' }, { input: 'prepared' }]
const acts = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => {
    if (effect.effect === 'act')
      return [effect.rung.rung === 'command' ? effect.rung.command : effect.rung.rung]
    return effect.effect === 'open' || effect.effect === 'probe' ? [effect.effect] : []
  })

describe('the way up', () => {
  it('opens, prepares, is ready', () => {
    const { state, effects } = play(ready)
    expect(effects.map(({ effect }) => effect)).toEqual(['close', 'open', 'prepare', 'ready'])
    expect(lineState(state)).toBe('ready')
  })

  it('is starting until it has worked once, and recovering afterwards', () => {
    expect(lineState(play([{ input: 'start' }]).state)).toBe('starting')
    expect(lineState(play([...ready, { input: 'reset', line: 'RDY' }]).state)).toBe('recovering')
  })

  it('looks for a port that is not there twice a second', () => {
    const { state, effects } = play([
      { input: 'start' },
      { input: 'openFailed', absent: true, why: 'ENOENT' },
    ])
    expect(lineState(state)).toBe('absent')
    expect(effects.at(-1)).toEqual({ effect: 'timer', ms: 500 })
    expect(play([{ input: 'timer' }], state).effects).toEqual([{ effect: 'open' }])
  })

  it('waits for a network with a reason, and looks at once when told to', () => {
    const waiting: Input = { input: 'notYet', reason: { code: 'not-registered', text: '' }, limitMs: 180_000 }
    const { state } = play([{ input: 'start' }, { input: 'opened' }, waiting])
    expect([lineState(state), state.reason?.code]).toEqual(['starting', 'not-registered'])
    expect(play([{ input: 'nudge' }], state).effects).toEqual([{ effect: 'prepare' }])
  })

  it('climbs the ladder when the wait has no end', () => {
    const waiting: Input = { input: 'notYet', reason: { code: 'not-registered', text: '' }, limitMs: 5_000 }
    const once: Input[] = [waiting, { input: 'timer' }]
    const { effects } = play([{ input: 'start' }, { input: 'opened' }, ...Array(6).fill(once).flat()])
    expect(acts(effects)).toContain('resync')
  })

  it('stays blocked while it is looked at, and begins anew when a person enables it', () => {
    const blocked: Input = { input: 'blocked', reason: { code: 'puk-wanted', text: '' } }
    const { state } = play([{ input: 'start' }, { input: 'opened' }, blocked, { input: 'timer' }])
    expect([lineState(state), state.phase]).toEqual(['blocked', 'preparing'])
    expect(acts(play([{ input: 'start' }], state).effects)).toEqual(['open'])
  })
})

describe('the ladder', () => {
  const back: Input[] = [{ input: 'answered', answered: true }, { input: 'prepared' }]
  const again: Input[] = [{ input: 'fault', reason }, ...back]

  it('takes one rung more for each failure of a modem that answers', () => {
    const { effects } = play([
      ...ready,
      ...again,
      ...again,
      ...again,
      ...again,
      ...again,
      { input: 'fault', reason },
    ])
    expect(acts(effects).slice(1)).toEqual(['resync', 'ATZ', 'AT+CFUN=1,1', 'AT+CRESET', 'dtr', 'open'])
  })

  it('begins at its foot when the line has worked', () => {
    const { effects } = play([...ready, ...again, ...again, { input: 'proven' }, { input: 'fault', reason }])
    expect(acts(effects).slice(1)).toEqual(['resync', 'ATZ', 'resync'])
  })

  it('begins at its foot when the line was ready for long', () => {
    const { state } = play([...ready, ...again, ...again])
    expect(acts(play([{ input: 'fault', reason }], state, 10 * 60_000).effects)).toEqual(['resync'])
  })

  it('probes a deaf modem once a second and sends it no reset command at first', () => {
    let { state, now } = play([...ready, { input: 'fault', reason }])
    const seen: string[] = []
    const silent: Input = { input: 'answered', answered: false }
    for (let i = 0; i < 200 && now < 80_000; i++) {
      const input: Input =
        state.phase === 'opening'
          ? { input: 'opened' }
          : state.phase === 'preparing'
            ? { input: 'silent' }
            : silent
      const next = step(state, input, now)
      seen.push(...acts(next.effects))
      const timer = next.effects.find((effect) => effect.effect === 'timer')
      state = timer ? step(next.state, { input: 'timer' }, now).state : next.state
      now += 1_000
    }
    expect(seen).toContain('ATZ')
    expect(seen).toContain('dtr')
    expect(seen).toContain('open')
    expect(seen.filter((act) => act.startsWith('AT+C'))).toEqual([])
  })

  it('lets a modem that restarts be silent while it starts', () => {
    const { effects } = play([...ready, { input: 'reset', line: 'RDY' }, { input: 'silent' }])
    expect(acts(effects).slice(1)).toEqual(['probe'])
  })
})

describe('at any moment', () => {
  const inputs: fc.Arbitrary<Input> = fc.constantFrom<Input[]>(
    { input: 'start' },
    { input: 'restart' },
    { input: 'disable' },
    { input: 'opened' },
    { input: 'openFailed', absent: true, why: '' },
    { input: 'portClosed', why: '' },
    { input: 'reset', line: 'RDY' },
    { input: 'prepared' },
    { input: 'notYet', reason, limitMs: 3_000 },
    { input: 'blocked', reason },
    { input: 'other-modem', reason },
    { input: 'fault', reason },
    { input: 'silent' },
    { input: 'answered', answered: true },
    { input: 'answered', answered: false },
    { input: 'proven' },
    { input: 'nudge' },
    { input: 'timer' },
  )

  it('says ready and down by turns, never twice', () => {
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 60 }), (all) => {
        const said = play(all).effects.flatMap(({ effect }) =>
          effect === 'ready' || effect === 'down' ? [effect] : [],
        )
        said.forEach((word, i) => {
          expect(word).toBe(i % 2 === 0 ? 'ready' : 'down')
        })
      }),
    )
  })

  it('leaves a line that shall run with something under way: an act, a timer, or ready', () => {
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 60 }), (all) => {
        let state = initialState(rungs)
        let pending: string | undefined
        all.forEach((input, i) => {
          const next = step(state, input, i * 1_000)
          state = next.state
          const last = next.effects.filter(({ effect }) => !['note', 'down', 'close'].includes(effect)).at(-1)
          if (last) pending = last.effect
          if (state.wanted === 'running' && state.phase !== 'ready') expect(pending).toBeDefined()
          if (state.wanted === 'running' && last?.effect === 'timer') {
            expect(['absent', 'waiting', 'blocked', 'probing']).toContain(state.phase)
          }
        })
      }),
    )
  })

  it('never rests longer than ten seconds, but for a line that needs a person', () => {
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 60 }), (all) => {
        let state = initialState(rungs)
        all.forEach((input, i) => {
          const next = step(state, input, i * 1_000)
          state = next.state
          for (const effect of next.effects) {
            if (effect.effect === 'timer' && state.phase !== 'blocked')
              expect(effect.ms).toBeLessThanOrEqual(10_000)
          }
        })
      }),
    )
  })
})
