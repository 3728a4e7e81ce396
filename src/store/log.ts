/**
 * Entries: writing own ones (applied and appended in one transaction, numbered without gaps), reading them, and
 * dropping old ones. What is kept is the newest KEEP entries of a log of the last day, and beyond that what some
 * member still lacks, as long as it is neither too many nor too old and the disk has room.
 */
import type { LogEntry, Operation, Term } from '#messages/operation.ts'
import { compareTerms } from '#messages/order.ts'
import { parseOperation, writeOperation } from '#messages/packing.ts'
import { applyOperation } from './apply.ts'
import type { LogBatch, LogPosition } from './contract.ts'
import type { Applied } from './inbound.ts'
import { clockOf, ENTRIES, type KnownLog, type Logs, SEQUENCES, termOf } from './logs.ts'
import { integer, type Tables, text } from './tables.ts'

const KEEP = 100_000
const KEEP_MS = 86_400_000
const RETAINED = 1_000_000
const RETAINED_MS = 7 * KEEP_MS
/** Dropped at a time, so that no transaction gets long. */
const TRIM = 500

/** More entries than a member writes between the backup that it is restored from and the restore; 2^53 has room for 2^29 starts. */
const LOST_AT_MOST = 2 ** 24

export class Log {
  readonly #tables: Tables
  readonly #logs: Logs
  readonly #origin: string
  /** Whether the disk has room for what some member lacks. */
  readonly #room: () => boolean
  #own: KnownLog
  #term: Term
  #clock = 0
  #retained: ReadonlyMap<string, number> = new Map()
  /** Texts of own entries since the last take(), while somebody listens. */
  #written: { from: number; texts: string[] } | undefined
  /** Batches of incarnations that were closed since the last take(). */
  #closed: LogBatch[] = []

  /** @param node the origin of the own log; a store that was another node's gets a log of its own name beside it */
  constructor(tables: Tables, logs: Logs, node: string, room: () => boolean) {
    this.#tables = tables
    this.#logs = logs
    this.#origin = node
    this.#room = room
    this.#term = { counter: 1, node }
    this.#own = logs.newest(node) ?? logs.fresh(node)
    this.#look()
  }

  /** Reads everything anew after a transaction was rolled back; Logs and Tables must have done so already. */
  reload(): void {
    // One without an entry on the disk is known to nobody: it may be begun once more.
    const { incarnation } = this.#own
    this.#own = this.#logs.get(incarnation) ?? this.#logs.fresh(this.#origin, incarnation)
    if (this.#written) this.#written = { from: this.#own.last + 1, texts: [] }
    this.#closed = []
    this.#look()
  }

  /** The highest term and clock that any log or snapshot has shown. */
  #look(): void {
    for (const log of this.#logs.all()) {
      this.#clock = Math.max(this.#clock, log.opened)
      if (log.number === undefined) continue
      const row = this.#tables.get(`${ENTRIES} WHERE place = ?`, log.number * SEQUENCES + log.last)
      if (row) this.seen(termOf(row), clockOf(row))
    }
    const kept = this.#tables.get("SELECT value FROM state WHERE name = 'seen'")
    if (!kept) return
    const { term, clock }: { term: Term; clock: number } = JSON.parse(text(kept, 'value'))
    this.seen(term, clock)
  }

  /** Entries carry the highest term that anyone has shown. */
  observe(term: Term): void {
    if (compareTerms(term, this.#term) > 0) this.#term = { counter: term.counter, node: term.node }
  }

  /** What another member's entry carries. */
  seen(term: Term, clock: number): void {
    this.observe(term)
    this.#clock = Math.max(this.#clock, clock)
  }

  /** Applies an operation and, when it changed something, appends it. */
  write(operation: Operation, at: number): Applied {
    const clock = this.#clock + 1
    const place = this.#logs.nextPlace(this.#own, clock)
    const sequence = this.#own.last + 1
    const applied = applyOperation(this.#tables, this.#logs, {
      order: { term: this.#term, clock, origin: this.#origin },
      log: this.#own,
      sequence,
      place,
      at,
      operation,
      own: true,
    })
    if (!applied.changed) return applied
    const body = writeOperation(applied.written ?? operation)
    this.#append(this.#own, place, { term: this.#term, clock, at }, body)
    this.#clock = clock
    this.#written?.texts.push(entryText({ term: this.#term, clock, at }, body))
    return applied
  }

  /** Appends an entry of another member's log, as it is. */
  keep(log: KnownLog, head: EntryHead, body: string): number {
    const place = this.#logs.nextPlace(log, head.clock)
    this.#append(log, place, head, body)
    this.seen(head.term, head.clock)
    return place
  }

  #append(log: KnownLog, place: number, { term, clock, at }: EntryHead, body: string): void {
    this.#tables.run(
      'INSERT INTO log (place, at, counter, node, clock, operation) VALUES (?, ?, ?, ?, ?, ?)',
      place,
      at,
      term.counter,
      term.node,
      clock,
      body,
    )
    log.last += 1
    if (log.last - log.first >= KEEP + TRIM) this.#dropMany(log)
  }

  #dropMany(log: KnownLog): void {
    const needed = this.#retained.get(log.incarnation)
    const free = needed === undefined || log.first + TRIM <= needed
    const most = this.#room() ? RETAINED : KEEP
    if (free || log.last - log.first >= most + TRIM) this.#drop(log, log.first + TRIM)
  }

  /** From here on these are kept beyond the usual: incarnation to the last sequence that nobody lacks. */
  retain(upTo: ReadonlyMap<string, number>): void {
    this.#retained = upTo
  }

  /** Drops old entries, a bounded number of each log. */
  trim(now: number): void {
    const room = this.#room()
    for (const log of [...this.#logs.all()]) {
      if (log.number === undefined || log.last < log.first) continue
      const start = log.number * SEQUENCES
      const end = Math.min(log.first + TRIM, log === this.#own ? log.last : log.last + 1)
      const youngAfter = (age: number): number => {
        const place = this.#tables.number(
          'SELECT place FROM log WHERE place >= ? AND place < ? AND at >= ? ORDER BY place LIMIT 1',
          start + log.first,
          start + end,
          now - age,
        )
        return place === undefined ? end : place - start
      }
      const unneeded = (this.#retained.get(log.incarnation) ?? Number.MAX_SAFE_INTEGER) + 1
      const usual = Math.min(youngAfter(KEEP_MS), unneeded)
      this.#drop(log, Math.max(usual, room ? youngAfter(RETAINED_MS) : youngAfter(KEEP_MS)))
    }
  }

  #drop(log: KnownLog, before: number): void {
    if (before <= log.first) return
    this.#logs.dropBefore(log, before)
    if (log.last < log.first) this.remember()
  }

  /** Keeps the highest term and clock when the entries that show them may be gone. */
  remember(): void {
    const value = JSON.stringify({ term: this.#term, clock: this.#clock })
    this.#tables.run("INSERT OR REPLACE INTO state (name, value) VALUES ('seen', ?)", value)
  }

  /**
   * Own entries are an incarnation of their own from here on. Should the disk have lost the end of the former one, the
   * other members still have it, and it is fetched later: what is written meanwhile must not stand at the same places
   * of the order, so the clock leaps over whatever may have been lost.
   */
  open(): LogPosition {
    this.#closed = this.take()
    this.#clock += LOST_AT_MOST
    this.#own = this.#logs.fresh(this.#origin)
    if (this.#written) this.#written = { from: 1, texts: [] }
    return this.position()
  }

  get own(): KnownLog {
    return this.#own
  }

  get term(): Term {
    return this.#term
  }

  get clock(): number {
    return this.#clock
  }

  position(): LogPosition {
    const { origin, incarnation, last } = this.#own
    return { origin, incarnation, sequence: last }
  }

  /** From here on the texts of own entries are collected for take(). */
  listen(): void {
    this.#written ??= { from: this.#own.last + 1, texts: [] }
  }

  /** Own entries since the last call, when somebody listens; of several incarnations only around open(). */
  take(): LogBatch[] {
    const batches = this.#closed
    this.#closed = []
    if (!this.#written || this.#written.texts.length === 0) return batches
    const { from, texts } = this.#written
    this.#written = { from: this.#own.last + 1, texts: [] }
    const { origin, incarnation } = this.#own
    return [...batches, { origin, incarnation, from, count: texts.length, entries: `[${texts.join(',')}]` }]
  }

  /** The newest wall time among the last entries, ms since 1970; 0 when there are none. */
  lastLogged(): number {
    const { number } = this.#own
    if (number === undefined) {
      return (
        this.#tables.number('SELECT max(at) FROM (SELECT at FROM log ORDER BY place DESC LIMIT 1000)') ?? 0
      )
    }
    const newest = this.#tables.number(
      'SELECT max(at) FROM (SELECT at FROM log WHERE place > ? AND place < ? ORDER BY place DESC LIMIT 1000)',
      number * SEQUENCES,
      (number + 1) * SEQUENCES,
    )
    return newest ?? 0
  }
}

export interface EntryHead {
  term: Term
  clock: number
  /** ms since 1970 */
  at: number
}

const entryText = ({ term, clock, at }: EntryHead, body: string): string =>
  `{"term":{"counter":${term.counter},"node":${JSON.stringify(term.node)}},"clock":${clock},"at":${at},"operation":${body}}`

/** Consecutive entries after a sequence, at least one and then about `bytes` of them. */
export function read(
  tables: Tables,
  logs: Logs,
  incarnation: string,
  after: number,
  bytes: number,
): LogBatch | 'trimmed' | null {
  const log = logs.get(incarnation)
  if (!log || after >= log.last) return null
  if (log.number === undefined || after + 1 < log.first) return 'trimmed'
  const start = log.number * SEQUENCES
  const texts: string[] = []
  let size = 0
  for (const row of tables.iterate(
    `${ENTRIES} WHERE place > ? AND place < ? ORDER BY place`,
    start + after,
    start + SEQUENCES,
  )) {
    const entry = entryText(
      { term: termOf(row), clock: clockOf(row), at: integer(row, 'at') },
      text(row, 'operation'),
    )
    if (texts.length > 0 && size + entry.length > bytes) break
    texts.push(entry)
    size += entry.length
  }
  return {
    origin: log.origin,
    incarnation,
    from: after + 1,
    count: texts.length,
    entries: `[${texts.join(',')}]`,
  }
}

/** Entries of one origin in order, through all its incarnations, starting after a sequence in each. */
export function entries(
  tables: Tables,
  logs: Logs,
  origin: string,
  after: number,
  limit: number,
): LogEntry[] {
  const found: LogEntry[] = []
  const ofOrigin = [...logs.all()].filter((log) => log.origin === origin).sort((a, b) => a.opened - b.opened)
  for (const { number, incarnation } of ofOrigin) {
    if (number === undefined) continue
    const start = number * SEQUENCES
    const rows = tables.all(
      `${ENTRIES} WHERE place > ? AND place < ? ORDER BY place LIMIT ?`,
      start + after,
      start + SEQUENCES,
      limit - found.length,
    )
    for (const row of rows) {
      found.push({
        origin,
        incarnation,
        sequence: integer(row, 'place') - start,
        term: termOf(row),
        clock: clockOf(row),
        at: integer(row, 'at'),
        operation: parseOperation(text(row, 'operation')),
      })
    }
  }
  return found
}
