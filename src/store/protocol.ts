/**
 * What the main thread may ask of the store's worker. Requests and answers cross as one JSON text a batch: cheaper
 * than cloning objects, and what is stored as JSON goes back without being read on the way.
 */
import type { InboundPart, InboxEntry } from '#messages/inbound.ts'
import type { Delivery } from '#messages/message.ts'
import type { LogEntry, Operation, Term } from '#messages/operation.ts'
import type {
  Acceptance,
  AcceptResult,
  Change,
  Claim,
  ClaimRequest,
  ClaimResult,
  ListQuery,
  MessageView,
  Page,
  QueueDepth,
  ReportMatch,
  Retention,
  TokenEntry,
  TotalsRow,
} from './contract.ts'

/** How the worker is started. */
export interface WorkerOptions {
  directory: string
  node: string
  /** Bytes of free space below which nothing more is accepted. */
  reserve: number
}

/** First word of the worker: it is open, or why not. */
export type Opening = { lastLogged: number } | { error: Failure }

export interface Failure {
  code: string
  message: string
}

/** One slice of a listing: `rows` messages are looked at, at most. */
export type Slice = ListQuery & { rows: number }

export interface Methods {
  accept(batch: readonly Acceptance[], claimTerm: Term | null): AcceptResult[]
  claim(request: ClaimRequest): ClaimResult
  release(deliveries: readonly string[]): null
  record(changes: readonly Change[]): boolean[]
  submitting(): Claim[]
  overdue(now: number, limit: number): Delivery[]
  message(id: string): MessageView | null
  messages(slice: Slice): Page<MessageView>
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
  tokens(): TokenEntry[]
  touch(uses: readonly { id: string; at: number }[]): null
  recall(name: string): string | null
  /** An operation that needs no look at the tables first; answers whether it changed anything. */
  operate(operation: Operation, at: number): boolean
  sweep(now: number, retention: Retention, limit: number): { archived: number; dropped: number }
  entries(origin: string, after: number, limit: number): LogEntry[]
}

export type Method = keyof Methods

/** A request as it crosses. */
export type Request = {
  [M in Method]: { method: M; args: Parameters<Methods[M]> }
}[Method]

export type Answer = { value: unknown } | { error: Failure }
