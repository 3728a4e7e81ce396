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
import type { Channel, Delivery, Message } from '#messages/message.ts'
import type {
  AuditRecord,
  IdempotencyKey,
  LogEntry,
  MemberRecord,
  Operation,
  Revision,
  SessionRecord,
  Term,
  TokenRecord,
  UserRecord,
} from '#messages/operation.ts'
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
  /** Whose deliveries: those of `node`, and while it is active those without an owner. Absent: all. */
  owner?: { node: string; active: boolean }
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
  /** How many there are, where these are not all of them: message() gives the next ones. */
  count?: number
}

/** Deliveries of a message that are handed out at a time. */
export const SHOWN = 1_000

export interface ListQuery {
  limit: number
  /** `next` of the page before (newest first), or the id of any message; absent for the first page. */
  after?: string
  /** One delivery has all of these. */
  state?: DeliveryState | readonly DeliveryState[]
  to?: string
  channel?: Channel
  /** The line of its last attempt, as `gsm0` or `node/gsm0`. */
  line?: string
  tag?: string
  /** As the message has it; `http:*` is every one that begins so. */
  source?: string
  /** Accepted at or after, and before, ms since 1970. */
  since?: number
  until?: number
  /** Part of the text. */
  search?: string
  /** Only what is in the archive, or only what is not; both when absent. */
  archived?: boolean
}

/** How many deliveries are in each state, those in the archive left out; absent where none is. */
export type StateCounts = Partial<Record<DeliveryState, number>>

export interface Page<T> {
  items: T[]
  /** Pass as `after` for the next page; absent on the last. */
  next?: string
}

export interface Callbacks {
  /** `told`: the fact `callback:ID`. */
  items: { id: string; told?: string }[]
  /** Where the next call goes on; absent when there was nothing more to look at. */
  next?: number
}

export interface InboxFactsQuery {
  /** `next` of the call before; 0 for the first. */
  after: number
  containing: string
  orNone: boolean
}

export interface InboxFacts {
  items: { entry: InboxEntry; fact?: string }[]
  /** Where the next call goes on; absent when there was nothing more to look at. */
  next?: number
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

/** What a restored store holds back (store/restored.ts). */
export interface RestoredView {
  /** When the backup was made, and when it was restored, ms since 1970. */
  backupAt: number
  at: number
  held: boolean
  /** How many deliveries are held back. */
  deliveries: number
  /** What was accepted before the backup may have been sent since, and a person let it go all the same. */
  copies: boolean
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
  /** From here on accept() answers `full` when less than this, in bytes, would be free. */
  setReserve(bytes: number): Promise<void>
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

  /** @param from the first delivery that is wanted, from 0; a listing shows the first hundred */
  message(id: string, from?: number): Promise<MessageView | undefined>
  /** A page may hold fewer than asked for and still have a next one: looking takes place in bounded steps. */
  messages(query: ListQuery): Promise<Page<MessageView>>
  stateCounts(): Promise<StateCounts>
  /**
   * Messages with a callback in the order in which they came here, without those whose fact `callback:ID` is `settled`.
   * One call looks at a bounded number of messages, none of them archived.
   * @param after `next` of the call before; 0 for the first
   */
  callbacks(after: number, settled: string): Promise<Callbacks>
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
  inboxEntry(id: string): Promise<InboxEntry | undefined>
  /** Whether an inbound part is kept, received here or elsewhere, whose fingerprint begins like this. */
  received(fingerprint: string): Promise<boolean>
  /**
   * Inbox entries in the order in which they came here, each with the fact `inbound:ID` about it: those whose fact
   * contains a text, and on request those that have none. One call looks at a bounded number of entries.
   */
  inboxFacts(query: InboxFactsQuery): Promise<InboxFacts>

  createToken(token: TokenRecord): Promise<void>
  revokeToken(id: string): Promise<boolean>
  tokens(): Promise<TokenEntry[]>
  /** Notes use; written at most once a minute, and never made durable in a hurry. */
  touchToken(id: string, at: number): void

  /** By name. */
  users(): Promise<UserRecord[]>
  /** Makes the user, or replaces the one of this name. */
  saveUser(user: UserRecord): Promise<void>
  removeUser(name: string): Promise<boolean>
  /** Those that were not ended, the latest use first; how long one lasts is not the store's to say. */
  sessions(): Promise<SessionRecord[]>
  /** Makes the session, or notes a later use of it. */
  saveSession(session: SessionRecord): Promise<void>
  /** For good. @param at ms since 1970 */
  endSession(id: string, at: number): Promise<void>

  remember(name: string, value: string): Promise<void>
  recall(name: string): Promise<string | undefined>
  /** Facts whose name begins like this, by name. */
  facts(prefix: string): Promise<{ name: string; value: string }[]>

  /** Those of the hashes that some message refers to, itself or by its pages (facts `pages:HASH:…`). */
  documentsInUse(hashes: readonly string[]): Promise<string[]>
  /** The documents of messages that are not finished, their pages, and the newest received faxes. */
  documentsNeeded(limit: number): Promise<string[]>

  /** Moves finished messages to the archive and drops old ones; returns how many it moved and dropped, at most `limit` of each. */
  sweep(now: number, retention: Retention, limit: number): Promise<{ archived: number; dropped: number }>
  /** Of a store that came out of a backup; undefined when it did not. */
  restored(): Promise<RestoredView | undefined>
  /** The first deliveries that are held back because they came out of a backup: their ids. */
  heldBack(limit: number): Promise<string[]>
  /** What came out of the backup may be claimed: `known`, others have told what was sent; `send`, nobody knows. */
  releaseRestored(how: 'known' | 'send'): Promise<void>
  /** Waits for writes under way and closes. */
  close(): Promise<void>
}

/** Where a log stands. An incarnation is opened at every start of a paired appliance, so its id alone names a log. */
export interface LogPosition {
  origin: string
  incarnation: string
  /** The last entry that is on this disk; entries of an incarnation count from 1 without gaps. */
  sequence: number
}

/** Consecutive entries of one log. */
export interface LogBatch {
  origin: string
  incarnation: string
  /** Sequence of the first entry. */
  from: number
  count: number
  /** JSON array of entries as they stand in the log: {term, clock, at, operation}. */
  entries: string
}

/** What merging other members' entries changed here; the listener decides whom to wake. */
export interface Merged {
  /** Something may have become due. */
  queue: boolean
  tokens: boolean
  /** Users or their sessions. */
  users: boolean
  members: boolean
  revisions: boolean
  /** Received messages. */
  inbox: boolean
  /** What was remembered. */
  facts: boolean
  /** Records of the audit log. */
  audit: boolean
  /** Lines of the failover log, in order. */
  failover: { origin: string; at: number; text: string }[]
}

export type MergeResult =
  | { result: 'merged'; position: LogPosition }
  /** Entries before these are missing here: send from `position.sequence + 1`. Nothing was changed. */
  | { result: 'gap'; position: LogPosition }

/**
 * The ordered logs beneath an embedded engine (a shared database has none): the member's own and a copy of each other
 * member's. Every write that changes something is an entry of the own log; entries of other logs are merged in any
 * order between logs, and members that hold the same entries hold the same state.
 */
export interface OperationLog {
  /** The own log as far as it is on disk; kept in memory, so asking costs nothing. */
  logged(): LogPosition
  /**
   * Told about own entries that reached the disk, in order, each once, right before the promises of their writes
   * settle. One listener.
   */
  onLogged(listener: (batch: LogBatch) => void): void
  /** Told after merge() or a snapshot changed something. One listener. */
  onMerged(listener: (merged: Merged) => void): void
  /** Every log of which something is known, the own ones too; `first` is the lowest entry that is still held. */
  positions(): Promise<(LogPosition & { first: number })[]>
  /** Entries after a sequence, about `bytes` of them at most; `trimmed` when they are no longer held, undefined at the end. */
  read(incarnation: string, after: number, bytes: number): Promise<LogBatch | 'trimmed' | undefined>
  /** Entries of one origin in order, starting after `sequence`, parsed; for people and tests. */
  entries(origin: string, after: number, limit: number): Promise<LogEntry[]>
  /** Writes entries of another member's log, or lost ones of an own earlier incarnation. What is known already is passed over. */
  merge(batch: LogBatch): Promise<MergeResult>
  /** Begins a new incarnation of the own log: at the start of a paired appliance, before its first entry. */
  openIncarnation(): Promise<LogPosition>
  /** From here on entries carry this term, if it is higher than what was seen. */
  observe(term: Term): Promise<void>
  /** Entries that some member still lacks: kept beyond the usual, within bounds. Incarnation to the last sequence not needed. */
  retain(upTo: ReadonlyMap<string, number>): void
  /** A view of everything at one moment, to be sent to a member that has nothing or has been away for too long. */
  snapshot(): Promise<SnapshotReader>
  /** Takes such a view in. What is held here beyond it stays, own entries above all. Until finish() the store counts as incomplete. */
  loadSnapshot(): Promise<SnapshotWriter>
  /** False from the first page of a snapshot to its last: what this store knows of others is not to be relied on. */
  complete(): boolean
  operate(operation: Operation): Promise<boolean>
  /** The logs by which unfinished deliveries came that this member owns: their incarnations. */
  owned(node: string): Promise<string[]>
  members(): Promise<MemberRecord[]>
  revisions(): Promise<(Revision & { term: Term; clock: number; origin: string })[]>
  /** Conflicts that were settled by a person: `revision path`. */
  settledConflicts(): Promise<string[]>
  audit(query: {
    origin?: string
    after?: number
    limit: number
  }): Promise<(AuditRecord & { origin: string })[]>
  /** Lines of the failover log from `since` on, ms since 1970. */
  failover(since: number, limit: number): Promise<{ origin: string; at: number; text: string }[]>
  /** The newest line of the failover log that begins like this and ends like none of these. */
  newestFailover(
    beginning: string,
    notEnding: readonly string[],
  ): Promise<{ origin: string; at: number; text: string } | undefined>
}

export interface SnapshotReader {
  /** Where each log stood when the view was taken. */
  readonly positions: readonly LogPosition[]
  /** One page as text, about 64 kB; undefined after the last. */
  next(): Promise<string | undefined>
  close(): Promise<void>
}

export interface SnapshotWriter {
  add(page: string): Promise<void>
  /** From here on the copies of other members' logs go on from these positions. */
  finish(positions: readonly LogPosition[]): Promise<void>
  /** Given up: it must begin again. */
  abandon(): Promise<void>
}
