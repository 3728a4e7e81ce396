/**
 * One watched register as a machine: readings and silences in, alerts out. Pure: the loop in poller.ts reads and sends.
 *
 *   normal ──when──▶ pending ──delay──▶ alarm ──clear──▶ normal            (all-clear)
 *     ▲                 │                 └──clear, latch──▶ latched ──acknowledge──▶ normal   (all-clear)
 *     └────not when─────┘                 ▲                    │
 *                                         └───────when─────────┘           (told once already)
 *
 * Beside it, and whatever the value: connected ──silent for `lost`──▶ lost ──a reading──▶ connected.
 */
import { type Condition, holds, type ModbusPollConfig } from '#config/modbus.ts'

export type WatchRules = Pick<ModbusPollConfig, 'when' | 'delay' | 'lost' | 'latch'> & { clear?: Condition }

/** What must outlive a restart and reach whoever becomes active next; the rest begins anew there. */
export interface WatchRecord {
  value: 'normal' | 'alarm' | 'latched'
  /** An acknowledged alarm that has not ended yet: it then ends by itself, latch or not. */
  acknowledged: boolean
  lost: boolean
}

export interface WatchState extends WatchRecord {
  /** Since when `when` has held without its being an alarm yet, ms of a clock that no one sets. */
  pendingSince?: number
  /** Since when no answer has come, likewise. */
  silentSince?: number
}

export type WatchInput =
  | { input: 'reading'; value: number; at: number }
  | { input: 'silence'; at: number }
  | { input: 'acknowledge' }

export type WatchEvent = 'alarm' | 'clear' | 'lost' | 'found'

export interface WatchStep {
  state: WatchState
  /** In this order. */
  events: WatchEvent[]
}

export const newWatch: WatchState = { value: 'normal', acknowledged: false, lost: false }

export const recordOf = ({ value, acknowledged, lost }: WatchState): WatchRecord => ({
  value,
  acknowledged,
  lost,
})

/** Whether somebody should acknowledge it. */
export const awaitsAcknowledgement = (state: WatchRecord, { latch }: Pick<WatchRules, 'latch'>): boolean =>
  latch && state.value !== 'normal' && !state.acknowledged

export function step(before: WatchState, input: WatchInput, rules: WatchRules): WatchStep {
  switch (input.input) {
    case 'silence':
      return silence(before, input.at, rules)
    case 'acknowledge':
      return acknowledge(before, rules)
    case 'reading': {
      const { silentSince: _, ...heard } = before
      const looked = look({ ...heard, lost: false }, input.value, input.at, rules)
      return before.lost ? { ...looked, events: ['found', ...looked.events] } : looked
    }
  }
}

function silence(before: WatchState, at: number, { lost }: WatchRules): WatchStep {
  // Nobody knows whether the value has stayed beyond its limit, so the delay begins again with the next reading.
  const { pendingSince: _, ...rest } = before
  const state = { ...rest, silentSince: before.silentSince ?? at }
  if (before.lost || at - state.silentSince < lost) return { state, events: [] }
  return { state: { ...state, lost: true }, events: ['lost'] }
}

function acknowledge(before: WatchState, rules: WatchRules): WatchStep {
  if (!awaitsAcknowledgement(before, rules)) return { state: before, events: [] }
  return before.value === 'latched'
    ? { state: { ...before, value: 'normal' }, events: ['clear'] }
    : { state: { ...before, acknowledged: true }, events: [] }
}

function look(before: WatchState, value: number, at: number, rules: WatchRules): WatchStep {
  const beyond = holds(rules.when, value)
  const ended = rules.clear === undefined ? !beyond : holds(rules.clear, value)
  const { pendingSince, ...rest } = before
  switch (before.value) {
    case 'normal': {
      if (!beyond) return { state: rest, events: [] }
      const since = pendingSince ?? at
      return at - since >= rules.delay
        ? { state: { ...rest, value: 'alarm', acknowledged: false }, events: ['alarm'] }
        : { state: { ...rest, pendingSince: since }, events: [] }
    }
    case 'alarm':
      if (!ended) return { state: rest, events: [] }
      return rules.latch && !before.acknowledged
        ? { state: { ...rest, value: 'latched' }, events: [] }
        : { state: { ...rest, value: 'normal', acknowledged: false }, events: ['clear'] }
    case 'latched':
      return { state: { ...rest, value: beyond ? 'alarm' : 'latched' }, events: [] }
  }
}

/** @returns undefined when it is no record of a watch */
export function parseRecord(value: unknown): WatchRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { value: phase, acknowledged, lost } = value as Partial<Record<keyof WatchRecord, unknown>>
  if (phase !== 'normal' && phase !== 'alarm' && phase !== 'latched') return undefined
  return { value: phase, acknowledged: acknowledged === true, lost: lost === true }
}
