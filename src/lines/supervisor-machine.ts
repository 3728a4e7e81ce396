/**
 * The life of a supervised line, as a pure machine: open, prepare, run, recover. supervisor.ts acts on its effects.
 *
 *   off ─▶ opening ─▶ preparing ─▶ ready ──fault──▶ recovering (rung by rung) ─▶ preparing
 *             ▲           │  ▲                            │
 *             └── absent ◀┴──┴─ waiting, blocked ◀────────┘ reopen
 *
 * Recovering climbs one rung of the ladder (recovery-ladder.ts) a failure. It begins at the foot again when the line has
 * worked (proven) or was ready for LEVEL_MS.
 */
import { unreachable } from '#core/errors.ts'
import type { Reason } from '#messages/states.ts'
import type { LineState } from './contract.ts'
import { describe, nextRung, type Rung, startProbes } from './recovery-ladder.ts'

/** How often a port that is not there is looked for: half of the two seconds in which a replugged modem is to be back. */
const ABSENT_MS = 500
/** A port that is there and cannot be opened (held by another program, no right). */
export const REFUSED_MS = 2_000
const PROBE_PAUSE_MS = 100
const LEVEL_MS = 60_000
/** How often a line that only a person can mend is looked at. */
const BLOCKED_MS = 30_000
/** Longest wait between two looks at a modem that is not usable yet. */
const WAITING_MS = 1_000

export type Phase =
  | 'off'
  | 'opening'
  | 'absent'
  | 'preparing'
  | 'waiting'
  | 'ready'
  | 'acting'
  | 'probing'
  | 'blocked'

export interface MachineState {
  phase: Phase
  /** What a person wants: a line that runs, is switched off, or a program that stops. */
  wanted: 'running' | 'disabled' | 'stopped'
  reason?: Reason
  rungs: readonly Rung[]
  /** The next rung to climb. */
  level: number
  /** Rungs climbed since the line last worked: the log tells of the first round, the status of the others. */
  climbs: number
  /** Probes left on the present rung. */
  probes: number
  /** It has not worked yet since the program started. */
  fresh: boolean
  /** Only a person can help; stays true while it is looked at again. */
  blocked: boolean
  recoveries: number
  /** ms of the monotonic clock; -1 where nothing is under way. */
  readySince: number
  deafSince: number
  /** Since when the modem answers but is not usable (SIM starting, no network). */
  waitingSince: number
  waitingLimit: number
  nextTry: number
}

export type Input =
  | { input: 'start' | 'disable' | 'stop' | 'restart' }
  | { input: 'opened' }
  | { input: 'openFailed'; absent: boolean; why: string }
  | { input: 'portClosed'; why: string }
  /** The modem announced a start of its own. */
  | { input: 'reset'; line: string }
  | { input: 'prepared' }
  /** Answers, but is not usable yet; `limitMs` later the ladder is climbed. */
  | { input: 'notYet'; reason: Reason; limitMs: number }
  | { input: 'blocked'; reason: Reason }
  | { input: 'other-modem'; reason: Reason }
  | { input: 'fault'; reason: Reason }
  | { input: 'silent' }
  /** What an act or a probe came to. */
  | { input: 'answered'; answered: boolean }
  | { input: 'profile'; rungs: readonly Rung[] }
  /** A message went out: the line works. */
  | { input: 'proven' }
  /** Something changed (SIM ready, network found): look now. */
  | { input: 'nudge' }
  | { input: 'timer' }

export type Effect =
  | { effect: 'open' }
  | { effect: 'close' }
  | { effect: 'prepare' }
  | { effect: 'act'; rung: Rung }
  | { effect: 'probe' }
  /** Replaces the timer before it. */
  | { effect: 'timer'; ms: number }
  | { effect: 'ready' }
  | { effect: 'down'; reason: Reason }
  | { effect: 'note'; level: 'debug' | 'info' | 'warn'; text: string; fields?: object }

export const initialState = (rungs: readonly Rung[]): MachineState => ({
  phase: 'off',
  wanted: 'stopped',
  rungs,
  level: 0,
  climbs: 0,
  probes: 0,
  fresh: true,
  blocked: false,
  recoveries: 0,
  readySince: -1,
  deafSince: -1,
  waitingSince: -1,
  waitingLimit: 0,
  nextTry: -1,
})

/** The state in the words of the line contract. */
export function lineState(state: MachineState): LineState {
  if (state.wanted !== 'running') return state.wanted
  if (state.blocked) return 'blocked'
  switch (state.phase) {
    case 'ready':
      return 'ready'
    case 'absent':
      return 'absent'
    case 'blocked':
      return 'blocked'
    case 'off':
    case 'opening':
    case 'preparing':
    case 'waiting':
      return state.fresh ? 'starting' : 'recovering'
    case 'acting':
    case 'probing':
      return 'recovering'
  }
}

/** @param now ms of the monotonic clock */
export function step(
  before: MachineState,
  input: Input,
  now: number,
): { state: MachineState; effects: Effect[] } {
  const state = { ...before }
  const effects: Effect[] = []
  decide(state, input, now, effects)
  return { state, effects }
}

function decide(state: MachineState, input: Input, now: number, effects: Effect[]): void {
  switch (input.input) {
    case 'start':
      if (state.wanted === 'running' && !state.blocked) return
      state.wanted = 'running'
      restart(state, effects)
      return
    case 'restart':
      if (state.wanted === 'running') restart(state, effects)
      return
    case 'disable':
    case 'stop':
      leave(
        state,
        {
          code: input.input === 'stop' ? 'stopping' : 'disabled',
          text: 'The line was switched off',
        },
        effects,
      )
      state.wanted = input.input === 'stop' ? 'stopped' : 'disabled'
      state.phase = 'off'
      effects.push({ effect: 'close' })
      return
    case 'profile':
      state.rungs = input.rungs
      return
    default:
      if (state.wanted === 'running') running(state, input, now, effects)
  }
}

type Running = Exclude<Input, { input: 'start' | 'disable' | 'stop' | 'restart' } | { input: 'profile' }>

function running(state: MachineState, input: Running, now: number, effects: Effect[]): void {
  switch (input.input) {
    case 'opened':
      if (state.phase !== 'opening') return
      state.probes = 0
      prepare(state, effects)
      return
    case 'openFailed': {
      if (state.phase !== 'opening') return
      const reason: Reason = input.absent
        ? { code: 'port-absent', text: `The port is not there: ${input.why}` }
        : {
            code: 'port-refused',
            text: `The port cannot be opened: ${input.why}`,
          }
      if (state.reason?.code !== reason.code)
        effects.push({ effect: 'note', level: 'warn', text: reason.text })
      state.phase = 'absent'
      state.reason = reason
      pause(state, input.absent ? ABSENT_MS : REFUSED_MS, now, effects)
      return
    }
    case 'portClosed':
      leave(state, { code: 'port-lost', text: `The port was lost: ${input.why}` }, effects)
      state.phase = 'absent'
      state.blocked = false
      state.deafSince = -1
      pause(state, ABSENT_MS, now, effects)
      return
    case 'reset':
      leave(state, { code: 'modem-reset', text: `The modem has restarted (${input.line})` }, effects)
      state.deafSince = -1
      state.waitingSince = -1
      // While it starts, silence is no new failure.
      state.probes = startProbes(state.rungs)
      prepare(state, effects)
      return
    case 'prepared':
      if (state.phase !== 'preparing') return
      state.phase = 'ready'
      state.blocked = false
      state.climbs = 0
      state.probes = 0
      state.fresh = false
      state.readySince = now
      state.deafSince = -1
      state.waitingSince = -1
      state.nextTry = -1
      delete state.reason
      effects.push({ effect: 'ready' })
      return
    case 'notYet':
      notYet(state, input.reason, input.limitMs, now, effects)
      return
    case 'blocked':
      if (state.phase !== 'preparing') return
      if (state.reason?.code !== input.reason.code) {
        effects.push({
          effect: 'note',
          level: 'warn',
          text: input.reason.text,
        })
      }
      state.phase = 'blocked'
      state.blocked = true
      state.reason = input.reason
      pause(state, BLOCKED_MS, now, effects)
      return
    case 'other-modem':
      state.phase = 'absent'
      state.reason = input.reason
      effects.push({ effect: 'close' })
      pause(state, ABSENT_MS, now, effects)
      return
    case 'fault':
      if (state.phase !== 'ready' && state.phase !== 'preparing') return
      climb(state, input.reason, now, effects)
      return
    case 'silent':
      if (state.phase !== 'preparing') return
      if (state.deafSince < 0) state.deafSince = now
      // After a rung's own probes an answer that stayed away is that rung's business, not a new failure.
      if (state.probes > 0) probe(state, effects)
      else climb(state, { code: 'no-answer', text: 'The modem does not answer' }, now, effects)
      return
    case 'answered':
      answered(state, input.answered, now, effects)
      return
    case 'proven':
      state.level = 0
      return
    case 'nudge':
      if (state.phase === 'waiting' || state.phase === 'blocked') prepare(state, effects)
      return
    case 'timer':
      onTimer(state, effects)
      return
    default:
      unreachable(input)
  }
}

function answered(state: MachineState, heard: boolean, now: number, effects: Effect[]): void {
  if (state.phase !== 'acting' && state.phase !== 'probing') return
  if (heard) {
    state.deafSince = -1
    prepare(state, effects)
    return
  }
  if (state.deafSince < 0) state.deafSince = now
  if (state.phase === 'probing') state.probes -= 1
  if (state.probes > 0) {
    state.phase = 'probing'
    effects.push({ effect: 'timer', ms: PROBE_PAUSE_MS })
  } else climb(state, state.reason ?? { code: 'no-answer', text: 'The modem does not answer' }, now, effects)
}

function onTimer(state: MachineState, effects: Effect[]): void {
  switch (state.phase) {
    case 'absent':
      state.phase = 'opening'
      effects.push({ effect: 'open' })
      return
    case 'waiting':
    case 'blocked':
      prepare(state, effects)
      return
    case 'probing':
      probe(state, effects)
      return
    default:
      return
  }
}

function notYet(state: MachineState, reason: Reason, limitMs: number, now: number, effects: Effect[]): void {
  if (state.phase === 'ready') leave(state, reason, effects)
  else if (state.phase !== 'preparing') return
  state.blocked = false
  if (state.waitingSince < 0 || state.reason?.code !== reason.code) {
    state.waitingSince = now
    effects.push({ effect: 'note', level: 'info', text: reason.text })
  }
  state.reason = reason
  if (now - state.waitingSince > limitMs) {
    state.waitingSince = now
    climb(state, reason, now, effects)
    return
  }
  state.phase = 'waiting'
  pause(state, WAITING_MS, now, effects)
}

function restart(state: MachineState, effects: Effect[]): void {
  leave(state, { code: 'restarting', text: 'The line is being restarted' }, effects)
  state.level = 0
  state.deafSince = -1
  state.waitingSince = -1
  state.blocked = false
  state.phase = 'opening'
  delete state.reason
  effects.push({ effect: 'close' }, { effect: 'open' })
}

function prepare(state: MachineState, effects: Effect[]): void {
  state.phase = 'preparing'
  effects.push({ effect: 'prepare' })
}

function probe(state: MachineState, effects: Effect[]): void {
  state.phase = 'probing'
  effects.push({ effect: 'probe' })
}

/** Takes the next rung. */
function climb(state: MachineState, reason: Reason, now: number, effects: Effect[]): void {
  if (state.phase === 'ready' && now - state.readySince > LEVEL_MS) state.level = 0
  leave(state, reason, effects)
  const deaf = state.deafSince >= 0
  const { rung, level } = nextRung(state.rungs, state.level, deaf ? now - state.deafSince : undefined)
  state.level = level
  if (!rung) return
  effects.push({
    effect: 'note',
    level: state.climbs++ < state.rungs.length ? 'warn' : 'debug',
    text: `Recovering: ${describe(rung)}`,
    fields: { reason: reason.code },
  })
  if (rung.rung === 'reopen') {
    state.phase = 'opening'
    effects.push({ effect: 'close' }, { effect: 'open' })
    return
  }
  if (rung.rung === 'rest') {
    state.probes = Math.ceil(rung.ms / 1_000)
    if (deaf) probe(state, effects)
    else {
      state.phase = 'waiting'
      state.waitingSince = -1
      pause(state, rung.ms, now, effects)
    }
    return
  }
  state.probes = rung.probes
  state.phase = 'acting'
  state.nextTry = now + rung.probes * 1_000
  effects.push({ effect: 'act', rung })
}

/** Says that the line has stopped working, once. */
function leave(state: MachineState, reason: Reason, effects: Effect[]): void {
  if (state.phase === 'ready') {
    state.recoveries += 1
    effects.push({ effect: 'down', reason })
  }
  state.reason = reason
  state.readySince = -1
}

function pause(state: MachineState, ms: number, now: number, effects: Effect[]): void {
  state.nextTry = now + ms
  effects.push({ effect: 'timer', ms })
}
