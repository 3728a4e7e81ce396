/**
 * The operation log: everything that changes what an appliance knows about messages is one of these, appended to the
 * log and applied to the tables in the same transaction. Another member that applies the same operations holds the
 * same queue. Each member has a log of its own (`origin`); an incarnation id tells two logs of one member apart
 * after its disk was lost or restored.
 */
import type { InboundPart } from './inbound.ts'
import type { Delivery, Message } from './message.ts'
import type { DeliveryEvent } from './states.ts'

/** Compared counter first, then node. Grows with every takeover; an appliance without a pair stays at its first term. */
export interface Term {
  counter: number
  node: string
}

export interface IdempotencyKey {
  key: string
  /** SHA-256 of the request body, hex: the same key with another body is refused. */
  bodyHash: string
}

export interface TokenRecord {
  id: string
  name: string
  /** SHA-256 of the token, hex; the token itself is never stored. */
  hash: string
  scopes: readonly Scope[]
  createdAt: number
}

export const scopes = ['send', 'read', 'admin'] as const
export type Scope = (typeof scopes)[number]

export type Operation =
  | { op: 'accept'; message: Message; deliveries: Delivery[]; key?: IdempotencyKey }
  | { op: 'delivery'; delivery: string; event: DeliveryEvent }
  | { op: 'inbound'; part: InboundPart }
  | { op: 'inboundPartial'; group: string }
  | { op: 'tokenCreate'; token: TokenRecord }
  | { op: 'tokenRevoke'; id: string }
  /** A small fact that must outlive restarts and reach every member, e.g. that a SIM's PIN has been tried. */
  | { op: 'remember'; name: string; value: string }
  /** The clock was corrected: times of unfinished deliveries accepted at or after `since` move by `byMs`. */
  | { op: 'shiftTimes'; since: number; byMs: number }

export interface LogEntry {
  origin: string
  incarnation: string
  sequence: number
  term: Term
  at: number
  operation: Operation
}
