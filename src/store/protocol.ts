/**
 * What the main thread may ask of the store's worker. Requests and answers cross as one JSON text a batch: cheaper
 * than cloning objects, and what is stored as JSON goes back without being read on the way.
 */
import type { InboundPart, InboxEntry } from '#messages/inbound.ts'
import type { Delivery } from '#messages/message.ts'
import type {
  AuditRecord,
  LogEntry,
  MemberRecord,
  Operation,
  Revision,
  SessionRecord,
  Term,
  UserRecord,
} from '#messages/operation.ts'
import type { Packed } from '#messages/packing.ts'
import type {
  AcceptResult,
  Callbacks,
  Change,
  Claim,
  ClaimRequest,
  ClaimResult,
  InboxFacts,
  InboxFactsQuery,
  ListQuery,
  LogBatch,
  LogPosition,
  Merged,
  MergeResult,
  MessageView,
  Page,
  QueueDepth,
  ReportMatch,
  Retention,
  StateCounts,
  TokenEntry,
  TotalsRow,
} from './contract.ts'
import type { Release, RestoredState } from './restored.ts'

/** How the worker is started. */
export interface WorkerOptions {
  directory: string
  node: string
  /** Bytes of free space below which nothing more is accepted. */
  reserve: number
  /** When it is started, ms since 1970. */
  now: number
}

/** First word of the worker: it is open, or why not. */
export type Opening = { lastLogged: number; position: LogPosition; complete: boolean } | { error: Failure }

/** What the worker says once a batch is on the disk. */
export interface Answered {
  /** JSON array of Answer. */
  answers: string
  /** The own log after it. */
  incarnation: string
  sequence: number
  /** The own entries in it, while somebody listens. */
  logged?: LogBatch[]
  /** What entries of other members changed. */
  merged?: Merged
}

export interface Failure {
  code: string
  message: string
}

/** One slice of a listing: `rows` messages are looked at, at most. */
export type Slice = ListQuery & Partial<Span> & { rows: number }

/** Positions from which on, and before which, something lies. */
export interface Span {
  from: number
  before: number
}

export interface Methods {
  accept(batch: readonly Packed[], claimTerm: Term | null): AcceptResult[]
  claim(request: ClaimRequest): ClaimResult
  release(deliveries: readonly string[]): null
  restored(): { state: RestoredState | null; deliveries: number }
  heldBack(limit: number): string[]
  releaseRestored(how: Release): null
  record(changes: readonly Change[]): boolean[]
  submitting(): Claim[]
  overdue(now: number, limit: number): Delivery[]
  message(id: string, from: number): MessageView | null
  messages(slice: Slice): Page<MessageView>
  spanOf(since: number | null, until: number | null): Span
  stateCounts(): StateCounts
  depth(): QueueDepth
  totals(since: number): TotalsRow[]
  matchReport(report: {
    node: string
    line: string
    reference: number
    to: string
    at: number
  }): ReportMatch | null
  receive(part: InboundPart): InboxEntry | null
  completePartials(olderThan: number, now: number): InboxEntry[]
  inbox(query: { limit: number; after?: string }): Page<InboxEntry>
  inboxEntry(id: string): InboxEntry | null
  received(fingerprint: string): boolean
  callbacks(after: number, settled: string): Callbacks
  inboxFacts(query: InboxFactsQuery): InboxFacts
  tokens(): TokenEntry[]
  users(): UserRecord[]
  sessions(): SessionRecord[]
  touch(uses: readonly { id: string; at: number }[]): null
  recall(name: string): string | null
  facts(prefix: string): { name: string; value: string }[]
  setReserve(bytes: number): null
  /** An operation that needs no look at the tables first; answers whether it changed anything. */
  operate(operation: Operation, at: number): boolean
  owned(node: string): string[]
  documentsInUse(hashes: readonly string[]): string[]
  documentsNeeded(limit: number): string[]
  sweep(now: number, retention: Retention, limit: number): { archived: number; dropped: number }
  entries(origin: string, after: number, limit: number): LogEntry[]
  listen(): null
  positions(): (LogPosition & { first: number })[]
  read(incarnation: string, after: number, bytes: number): LogBatch | 'trimmed' | null
  merge(batch: LogBatch): MergeResult
  openIncarnation(): LogPosition
  observe(term: Term): null
  retain(upTo: readonly (readonly [string, number])[]): null
  snapshotOpen(): { view: number; positions: LogPosition[] }
  snapshotPage(view: number): string | null
  snapshotClose(view: number): null
  loadBegin(): null
  loadPage(page: string): null
  loadFinish(positions: readonly LogPosition[]): null
  loadAbandon(): null
  members(): MemberRecord[]
  revisions(): (Revision & { term: Term; clock: number; origin: string })[]
  settledConflicts(): string[]
  audit(query: { origin?: string; after?: number; limit: number }): (AuditRecord & { origin: string })[]
  failover(since: number, limit: number): { origin: string; at: number; text: string }[]
  newestFailover(
    beginning: string,
    notEnding: readonly string[],
  ): { origin: string; at: number; text: string } | null
}

export type Method = keyof Methods

/** A request as it crosses. */
export type Request = {
  [M in Method]: { method: M; args: Parameters<Methods[M]> }
}[Method]

export type Answer = { value: unknown } | { error: Failure }
