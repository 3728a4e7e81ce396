/**
 * The own operation log: every change is applied and appended in one transaction, numbered without gaps.
 *
 * While no other member needs them, old entries are dropped: what is kept is the newest KEEP entries of the last day.
 */
import { randomUUID } from 'node:crypto'
import type { LogEntry, Operation, Term } from '#messages/operation.ts'
import { applyOperation } from './apply.ts'
import type { Applied } from './inbound.ts'
import { integer, type Tables, text } from './tables.ts'

const KEEP = 100_000
const KEEP_MS = 86_400_000
/** Dropped at a time, so that no transaction gets long. */
const TRIM = 500
/** Logs are numbered below 2^13 and sequences below 2^40: a place is an exact integer of a double. */
const SEQUENCES = 2 ** 40

export class Log {
  readonly #tables: Tables
  readonly #origin: string
  #number = 0
  #incarnation = ''
  #sequence = 0
  #first = 0
  #term: Term

  /** @param node the origin of the own log; a store that was another node's gets a log of its own name beside it */
  constructor(tables: Tables, node: string) {
    this.#tables = tables
    this.#origin = node
    this.#term = { counter: 1, node }
    const known = tables.get(
      'SELECT id, incarnation FROM logs WHERE origin = ? ORDER BY id DESC LIMIT 1',
      node,
    )
    if (known) {
      this.#number = integer(known, 'id')
      this.#incarnation = text(known, 'incarnation')
    } else {
      this.#incarnation = randomUUID()
      tables.run('INSERT INTO logs (origin, incarnation) VALUES (?, ?)', node, this.#incarnation)
      this.#number = tables.number('SELECT max(id) FROM logs') ?? 1
    }
    this.reload()
  }

  /** Reads the position anew: after the start, and after a transaction was rolled back. */
  reload(): void {
    const start = this.#number * SEQUENCES
    const last = this.#tables.get(
      'SELECT place, counter, node FROM log WHERE place > ? AND place < ? ORDER BY place DESC LIMIT 1',
      start,
      start + SEQUENCES,
    )
    const first = this.#tables.number(
      'SELECT place FROM log WHERE place > ? AND place < ? ORDER BY place LIMIT 1',
      start,
      start + SEQUENCES,
    )
    this.#sequence = last ? integer(last, 'place') - start : 0
    this.#first = first === undefined ? 1 : first - start
    if (last)
      this.observe({
        counter: integer(last, 'counter'),
        node: text(last, 'node'),
      })
  }

  /** Entries carry the highest term that anyone has shown. */
  observe(term: Term): void {
    const { counter, node } = this.#term
    if (term.counter > counter || (term.counter === counter && term.node > node)) this.#term = term
  }

  /** Applies an operation and, when it changed something, appends it. */
  write(operation: Operation, at: number): Applied {
    const applied = applyOperation(this.#tables, {
      origin: this.#origin,
      at,
      operation,
    })
    if (!applied.changed) return applied
    this.#sequence += 1
    this.#tables.run(
      'INSERT INTO log (place, at, counter, node, operation) VALUES (?, ?, ?, ?, ?)',
      this.#number * SEQUENCES + this.#sequence,
      at,
      this.#term.counter,
      this.#term.node,
      JSON.stringify(operation),
    )
    if (this.#sequence - this.#first >= KEEP + TRIM) this.#dropBefore(this.#first + TRIM)
    return applied
  }

  /** Drops entries of more than a day ago, a bounded number of them. */
  trim(now: number): void {
    const end = Math.min(this.#first + TRIM, this.#sequence)
    const young = this.#tables.number(
      'SELECT place FROM log WHERE place >= ? AND place < ? AND at >= ? ORDER BY place LIMIT 1',
      this.#number * SEQUENCES + this.#first,
      this.#number * SEQUENCES + end,
      now - KEEP_MS,
    )
    const before = young === undefined ? end : young - this.#number * SEQUENCES
    if (before > this.#first) this.#dropBefore(before)
  }

  #dropBefore(sequence: number): void {
    const start = this.#number * SEQUENCES
    this.#tables.run('DELETE FROM log WHERE place > ? AND place < ?', start, start + sequence)
    this.#first = sequence
  }

  position(): { origin: string; incarnation: string; sequence: number } {
    return {
      origin: this.#origin,
      incarnation: this.#incarnation,
      sequence: this.#sequence,
    }
  }

  /** The newest wall time among the last entries, ms since 1970; 0 when there are none. */
  lastLogged(): number {
    return this.#tables.number('SELECT max(at) FROM (SELECT at FROM log ORDER BY place DESC LIMIT 1000)') ?? 0
  }
}

/** Entries of one origin in order, through all its incarnations, starting after a sequence. */
export function entries(tables: Tables, origin: string, after: number, limit: number): LogEntry[] {
  const found: LogEntry[] = []
  for (const log of tables.all('SELECT id, incarnation FROM logs WHERE origin = ? ORDER BY id', origin)) {
    const start = integer(log, 'id') * SEQUENCES
    const rows = tables.all(
      `SELECT place, at, counter, node, operation FROM log WHERE place > ? AND place < ? ORDER BY place LIMIT ?`,
      start + after,
      start + SEQUENCES,
      limit - found.length,
    )
    for (const row of rows) {
      found.push({
        origin,
        incarnation: text(log, 'incarnation'),
        sequence: integer(row, 'place') - start,
        term: { counter: integer(row, 'counter'), node: text(row, 'node') },
        clock: integer(row, 'place') - start,
        at: integer(row, 'at'),
        operation: JSON.parse(text(row, 'operation')),
      })
    }
  }
  return found
}
