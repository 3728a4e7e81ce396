/**
 * What the rest of the program may ask of durable memory. Two engines answer to it: SQLite in a worker on the
 * appliance, and (later) a shared database for a fleet; test/store/conformance.ts holds for both.
 *
 * Rules that every engine keeps:
 * - A promise of a write settles only when the write is on disk. Writes of one tick share one transaction.
 * - Calls take effect in the order they were made.
 * - The transition table of messages/states.ts decides what an event does; an engine only stores the result.
 * - No queue in it is unbounded: `accept` answers `full` rather than pile up.
 */
import type { InboundPart, InboxEntry } from '#messages/inbound.ts'
import type { Delivery, Message } from '#messages/message.ts'
import type { IdempotencyKey, LogEntry, Term, TokenRecord } from '#messages/operation.ts'
import type { DeliveryEvent, DeliveryState } from '#messages/states.ts'

export interface Acceptance {
  message: Message
  deliveries: Delivery[]
  key?: IdempotencyKey
}

export type AcceptResult =
  | { result: 'accepted' }
  /** The key is known with this body: the message that it made then. */
  | { result: 'replayed'; message: MessageView }
  /** The key is known with another body. */
  | { result: 'conflict' }
  /** The disk has no room for it; nothing was stored. */
  | { result: 'full' }

export interface Claim {
  delivery: Delivery
  message: Message
}

export interface ClaimRequest {
  limit: number
  /** Deliveries with `due` at or before this time, ms since 1970. */
  now: number
  /** When the claim lapses by itself, ms since 1970 (an embedded engine has one owner and lets it lapse at close). */
  until: number
  term: Term
}

export interface ClaimResult {
  claims: Claim[]
  /** The earliest `due` of the unclaimed rest, ms since 1970; undefined when the queue holds no more. */
  nextDue: number | undefined
}

export interface Change {
  delivery: string
  event: DeliveryEvent
  /** ms since 1970 */
  at: number
}

export interface MessageView {
  message: Message
  deliveries: Delivery[]
}

export interface ListQuery {
  limit: number
  /** The id after which the page begins (newest first); absent for the first page. */
  after?: string
  state?: DeliveryState
  to?: string
  tag?: string
  /** Part of the text. */
  search?: string
}

export interface Page<T> {
  items: T[]
  /** Pass as `after` for the next page; absent on the last. */
  next?: string
}

export interface ReportMatch {
  delivery: string
  part: number
}

export interface TotalsRow {
  node: string
  line: string
  /** Start of the hour, ms since 1970. */
  hour: number
  sent: number
  delivered: number
  failed: number
  unknown: number
  received: number
}

export interface QueueDepth {
  /** Deliveries by state, finished ones left out. */
  queued: number
  submitting: number
  awaitingReport: number
  unknown: number
  /** When the oldest queued delivery was accepted, ms since 1970. */
  oldest: number | undefined
}

/** A token and when it was last used (ms since 1970, to the minute). */
export interface TokenEntry extends TokenRecord {
  lastUsedAt: number | undefined
}

export interface Retention {
  /** How long a finished message stays in the queue tables, ms. */
  queue: number
  /** How long the archive keeps it, ms. */
  archive: number
}

export interface Store {
  /** The newest wall time in it, ms since 1970; 0 when it is new. */
  readonly lastLogged: number

  /**
   * Stores messages with their deliveries. Where `claim` is given they come out claimed, as if claim() had returned
   * them, so that an idle line can start at once.
   */
  accept(batch: readonly Acceptance[], claim?: Pick<ClaimRequest, 'until' | 'term'>): Promise<AcceptResult[]>
  /** The most urgent due deliveries that nobody holds: by priority, then due time, then order of acceptance. */
  claim(request: ClaimRequest): Promise<ClaimResult>
  /** Gives claims back unchanged. */
  release(deliveries: readonly string[]): Promise<void>
  /**
   * Applies events. `false` where the state does not allow the event or the delivery is not known.
   * An event that queues a delivery again also releases the claim on it.
   */
  record(changes: readonly Change[]): Promise<boolean[]>
  /** Deliveries in `submitting`, whoever holds them: after a start these are the ones that the last run left half done. */
  submitting(): Promise<Claim[]>
  /** Queued deliveries past `expires`, and sent ones past `reportBy`, that nobody holds. */
  overdue(now: number, limit: number): Promise<Delivery[]>
  /** Adds to `due` and `expires` of unfinished deliveries accepted at or after `since`: the clock was corrected. */
  shiftTimes(since: number, byMs: number): Promise<void>

  message(id: string): Promise<MessageView | undefined>
  messages(query: ListQuery): Promise<Page<MessageView>>
  depth(): Promise<QueueDepth>
  /** @param since ms since 1970 */
  totals(since: number): Promise<TotalsRow[]>

  /** Which transmitted part a status report is about. Numbers are compared by their last nine digits. */
  matchReport(report: {
    node: string
    line: string
    reference: number
    to: string
    at: number
  }): Promise<ReportMatch | undefined>

  /** Keeps an inbound part; resolves to the inbox entry it completed or amended, if any. Known fingerprints change nothing. */
  receive(part: InboundPart): Promise<InboxEntry | undefined>
  /** Makes entries, with marks in the gaps, of parts that have waited since before `olderThan` (ms since 1970). */
  completePartials(olderThan: number): Promise<InboxEntry[]>
  inbox(query: { limit: number; after?: string }): Promise<Page<InboxEntry>>

  createToken(token: TokenRecord): Promise<void>
  revokeToken(id: string): Promise<boolean>
  tokens(): Promise<TokenEntry[]>
  /** Notes use; written at most once a minute, and never made durable in a hurry. */
  touchToken(id: string, at: number): void

  remember(name: string, value: string): Promise<void>
  recall(name: string): Promise<string | undefined>

  /** Moves finished messages to the archive and drops old ones; returns how many it moved and dropped, at most `limit` of each. */
  sweep(now: number, retention: Retention, limit: number): Promise<{ archived: number; dropped: number }>
  /** Waits for writes under way and closes. */
  close(): Promise<void>
}

/** The ordered log beneath an embedded engine; a shared database has none. */
export interface OperationLog {
  /** Entries of one origin in order, starting after `sequence`. */
  entries(origin: string, after: number, limit: number): Promise<LogEntry[]>
  /** The last position of the own log. */
  position(): Promise<{ origin: string; incarnation: string; sequence: number }>
}
