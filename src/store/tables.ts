/**
 * The open database inside the worker: prepared statements, and the few figures kept in memory because asking for
 * them each time would cost a page read. A rolled-back transaction makes the figures stale: reload() reads them anew.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { CodedError } from '#core/errors.ts'
import type { Delivery } from '#messages/message.ts'
import { isFinal } from '#messages/states.ts'

export type Row = Record<string, SQLOutputValue>

export const live = {
  queued: 0,
  submitting: 1,
  awaitingReport: 2,
  unknown: 3,
} as const

/**
 * Small, because most commits change a few short rows: a message writes 53 kB over its life with pages of 1 kB,
 * 79 with 2, 131 with 4.
 */
export const PAGE_BYTES = 1_024

export interface Columns {
  live: number | null
  deadline: number | null
}

/** The indexed columns of a delivery. */
export function columnsOf(delivery: Delivery): Columns {
  switch (delivery.state) {
    case 'queued':
    case 'claimed':
      return { live: live.queued, deadline: delivery.expires }
    case 'submitting':
      return { live: live.submitting, deadline: delivery.expires }
    case 'unknown':
      return { live: live.unknown, deadline: null }
    default:
      if (isFinal(delivery)) return { live: null, deadline: null }
      return { live: live.awaitingReport, deadline: delivery.reportBy ?? null }
  }
}

export class Tables {
  readonly db: DatabaseSync
  /** The position that the next message takes. */
  nextPosition = 0
  /** Pages written since the last checkpoint, roughly: tells when the next one is worth it. */
  pagesWritten = 0
  readonly #statements = new Map<string, StatementSync>()
  readonly #lines = new Map<string, number>()
  #counts: number[] | undefined

  constructor(db: DatabaseSync) {
    this.db = db
    // Claims live as long as the process, but take part in transactions: a rollback takes them back too.
    db.exec('PRAGMA temp_store = MEMORY; CREATE TEMP TABLE claims (position INTEGER PRIMARY KEY);')
    this.reload()
  }

  reload(): void {
    this.#lines.clear()
    this.#counts = undefined
    const top = (table: string) =>
      this.number(`SELECT position + max(count, 1) AS n FROM ${table} ORDER BY position DESC LIMIT 1`) ?? 1
    this.nextPosition = Math.max(top('messages'), top('archive_messages'))
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** @returns the number of rows changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    this.pagesWritten += 1
    for (const value of values) {
      if (typeof value === 'string') this.pagesWritten += value.length / PAGE_BYTES
    }
    return Number(this.#prepared(sql).run(...values).changes)
  }

  /** As run(), for what lives in memory only. */
  runVolatile(sql: string, ...values: SQLInputValue[]): void {
    this.#prepared(sql).run(...values)
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values)
  }

  iterate(sql: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#prepared(sql).iterate(...values)
  }

  /** The only column of the first row, as a number; undefined when there is no row or it is null. */
  number(sql: string, ...values: SQLInputValue[]): number | undefined {
    const row = this.get(sql, ...values)
    const value = row && Object.values(row)[0]
    return typeof value === 'number' ? value : undefined
  }

  /** The small number that stands for a line in the tables. */
  line(node: string, line: string): number {
    const name = `${node}\n${line}`
    let id = this.#lines.get(name)
    if (id === undefined) {
      id = this.number('SELECT id FROM lines WHERE node = ? AND line = ?', node, line)
      if (id === undefined) {
        this.run('INSERT INTO lines (node, line) VALUES (?, ?)', node, line)
        id = this.number('SELECT last_insert_rowid()') ?? 0
      }
      this.#lines.set(name, id)
    }
    return id
  }

  /** Deliveries by `live`. */
  counts(): readonly number[] {
    if (!this.#counts) {
      this.#counts = [0, 0, 0, 0]
      for (const row of this.iterate(
        'SELECT live, count(*) AS n FROM deliveries WHERE live IS NOT NULL GROUP BY live',
      )) {
        this.#counts[integer(row, 'live')] = integer(row, 'n')
      }
    }
    return this.#counts
  }

  counted(before: number | null, after: number | null): void {
    const counts = this.#counts
    if (!counts || before === after) return
    if (before !== null) counts[before] = (counts[before] ?? 0) - 1
    if (after !== null) counts[after] = (counts[after] ?? 0) + 1
  }
}

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new CodedError('data-unusable', `column ${column} holds no text`)
  return value
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw new CodedError('data-unusable', `column ${column} holds no number`)
  return value
}
