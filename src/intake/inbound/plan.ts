/**
 * What is to be done about one received message and what has become of it, as it is kept: as the fact `inbound:ID` of
 * the replicated store, so that a member that takes over goes on where the other one was. Pure.
 */
import type { Reason } from '#messages/states.ts'

const actionKinds = ['mail', 'webhook', 'mqtt', 'sms', 'reply', 'acknowledge', 'stop', 'start'] as const
export type ActionKind = (typeof actionKinds)[number]

export interface Action {
  kind: ActionKind
  /** The rule it comes from (rules.ts), or the word that the message was. */
  rule: string
  /** Addresses or recipients; of a webhook its address, absent for that of the configuration. */
  to?: readonly string[]
  text?: string
  /** What stood after ACK. */
  code?: string
  /** `dead`: given up, until somebody wants it again. */
  state: 'open' | 'done' | 'dead'
  attempts: number
  /** When it was decided or wanted again, ms since 1970. */
  since: number
  /** Not tried before, ms since 1970. */
  due: number
  /** What became of it, or why the last attempt failed. */
  result?: Reason
}

export interface Plan {
  /** ms since 1970 */
  at: number
  actions: Action[]
  skipped?: 'blacklisted'
}

export const open = (now: number): Pick<Action, 'state' | 'attempts' | 'since' | 'due'> => ({
  state: 'open',
  attempts: 0,
  since: now,
  due: now,
})

export const factName = (entry: string): string => `inbound:${entry}`

/** What a stored plan contains exactly when some action of it is in the state: quotes inside of texts are escaped. */
export const containing = (state: Action['state']): string => `"state":"${state}"`

/** @returns undefined for what another version wrote in a way that this one cannot read: it is left alone */
export function readPlan(fact: string): Plan | undefined {
  try {
    const plan: Partial<Plan> | null = JSON.parse(fact)
    if (typeof plan !== 'object' || plan === null || !Array.isArray(plan.actions)) return undefined
    const known = plan.actions.every((action) => actionKinds.includes(action.kind))
    return known ? { ...plan, at: plan.at ?? 0, actions: plan.actions } : undefined
  } catch {
    return undefined
  }
}

/** `entry.n`: names an action for ever, and so the event that a webhook gets. */
export const actionId = (entry: string, n: number): string => `${entry}.${n}`

export function parseActionId(id: string): { entry: string; n: number } | undefined {
  const match = /^([0-9a-f-]{36})\.([0-9]{1,4})$/.exec(id)
  return match ? { entry: match[1] ?? '', n: Number(match[2]) } : undefined
}

/** Actions of one lane happen one after the other, in the order in which the messages came. */
export const laneOf = ({ kind, rule, to }: Action): string => JSON.stringify([kind, rule, to ?? []])

const SHORTEST_MS = 1_000
const LONGEST_MS = 300_000

/** The pause after so many failed attempts in a row: doubled each time, up to five minutes. */
export const pauseAfter = (attempts: number): number =>
  Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(attempts - 1, 20))
