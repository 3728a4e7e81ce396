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
  /** Absent of older ones. */
  createdBy?: string
}

/** `operate`: what is done to lines, to the queue and to roles; `admin` may do that too. */
export const scopes = ['send', 'read', 'operate', 'admin'] as const
export type Scope = (typeof scopes)[number]

export const roles = ['viewer', 'operator', 'admin'] as const
export type UserRole = (typeof roles)[number]

/** A person who uses the panel. */
export interface UserRecord {
  /** In small letters. */
  name: string
  role: UserRole
  /** argon2id in the PHC string format; the password itself is never stored. */
  password: string
  language?: string
  /** ms since 1970 */
  createdAt: number
  createdBy: string
}

/** One browser of a user. */
export interface SessionRecord {
  /** SHA-256 of what its cookie holds, hex. */
  id: string
  user: string
  /** ms since 1970 */
  createdAt: number
  /** When it was last used, to some minutes; ms since 1970. */
  usedAt: number
}

export type Operation =
  | { op: 'accept'; message: Message; deliveries: Delivery[]; key?: IdempotencyKey }
  | { op: 'delivery'; delivery: string; event: DeliveryEvent }
  | { op: 'inbound'; part: InboundPart }
  | { op: 'inboundPartial'; group: string }
  | { op: 'tokenCreate'; token: TokenRecord }
  | { op: 'tokenRevoke'; id: string }
  | { op: 'userSave'; user: UserRecord }
  | { op: 'userRemove'; name: string }
  /** Of one session the latest use stands, and an ended one stays ended. */
  | { op: 'sessionSave'; session: SessionRecord }
  | { op: 'sessionEnd'; id: string; at: number }
  /** A small fact that must outlive restarts and reach every member, e.g. that a SIM's PIN has been tried. */
  | { op: 'remember'; name: string; value: string }
  /** A member took over what `origin` owns of what came up to `position` of the log `incarnation`, its own or another's. */
  | { op: 'adopt'; origin: string; incarnation: string; position: number; term: Term }
  /** From now on `to` may transmit this delivery. */
  | { op: 'hand'; delivery: string; to: string }
  /** A member was admitted, or told its new addresses. */
  | { op: 'member'; member: MemberRecord }
  | { op: 'memberRemove'; node: string }
  /** A change of the replicated configuration (config/revision.ts). */
  | { op: 'revision'; revision: Revision }
  /** A conflict that a person has looked at; it is no longer listed. */
  | { op: 'conflictSettle'; revision: string; path: string }
  /** A significant event, in this member's chain of hashes. */
  | { op: 'audit'; record: AuditRecord }
  /** A line of the failover log. */
  | { op: 'failover'; text: string }
  /** The clock was corrected: times of unfinished deliveries accepted at or after `since` move by `byMs`. */
  | { op: 'shiftTimes'; since: number; byMs: number }

/** A member as every other one knows it. Its certificate is pinned: the fingerprint is the proof, dates are ignored. */
export interface MemberRecord {
  node: string
  /** SHA-256 of the certificate (DER), hex in lower case. */
  fingerprint: string
  /** host:port of the guard's broker, one per path. */
  guard: readonly string[]
  /** host:port of the gateway's broker, one per path. */
  log: readonly string[]
  /** URLs at which its HTTP interface is reached, when other members may send clients there (`pair.redirect`). */
  web?: readonly string[]
  priority: number
  /** Its `pair.mode`, which must be the same everywhere; absent in what an older version wrote. */
  mode?: PairMode
}

export const pairModes = ['active-standby', 'active-active', 'cold'] as const
export type PairMode = (typeof pairModes)[number]

/** One value at one path of the replicated configuration; `undefined` (absent) where there is none. */
export interface RevisionChange {
  path: string
  before?: unknown
  after?: unknown
}

export interface Revision {
  id: string
  /** The newest revision that its author had before this one; absent for the first. */
  base?: string
  /** Further ones that it had seen and that `base` does not follow from: made apart, and met here. */
  merges?: readonly string[]
  author: string
  /** ms since 1970; for people. */
  at: number
  changes: readonly RevisionChange[]
}

export interface AuditRecord {
  /** Counts from 1 in each member's own chain. */
  number: number
  /** ms since 1970; for people. */
  at: number
  /** The user, token or member that did it. */
  who: string
  /** A documented code (docs/errors.md). */
  what: string
  text: string
  /** SHA-256 over the record before and this one's fields, hex. */
  hash: string
}

export interface LogEntry {
  origin: string
  incarnation: string
  sequence: number
  /** The highest term that its member had seen. */
  term: Term
  /**
   * One more than the highest of every entry that its member had seen, of any log (Lamport): an entry that was made
   * knowing another one has the higher number. Entries are ordered by term, clock and origin, never by time.
   */
  clock: number
  /** ms since 1970, for people. */
  at: number
  operation: Operation
}
