/**
 * The logs as they lie on the disk: which there are, how far each is known, which of its entries are still held, and
 * what each is called by in the table of entries.
 *
 * A log has a number only while entries of it are held (or it is the newest of its member): the lowest free one, so
 * that a member that starts again and again does not run out of them. What is known of a log outlives its entries.
 */
import { randomUUID } from 'node:crypto'
import { CodedError } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import type { LogPosition } from './contract.ts'
import { integer, type Row, type Tables, text } from './tables.ts'

/** Logs are numbered below 2^13 and sequences below 2^40: a place is an exact integer of a double. */
export const SEQUENCES = 2 ** 40
const NUMBERS = 2 ** 13

/** What an entry is read with; termOf() and clockOf() look at its rows. */
export const ENTRIES = 'SELECT place, at, counter, node, clock, operation FROM log'

export const termOf = (row: Row): Term => ({ counter: integer(row, 'counter'), node: text(row, 'node') })

/** What a release before clocks wrote has clock 0: there its sequence is as good, since there was one log. */
export const clockOf = (row: Row): number => integer(row, 'clock') || integer(row, 'place') % SEQUENCES

export interface KnownLog {
  /** In `incarnations`; never given to another log. 0 for a log that has no entry yet. */
  id: number
  origin: string
  incarnation: string
  /** In places; undefined while no entries are held. */
  number: number | undefined
  /** Grows from one incarnation of a member to its next: the Lamport clock at its first known entry. */
  opened: number
  /** The lowest entry that is held, and the last one known. */
  first: number
  last: number
}

export class Logs {
  readonly #tables: Tables
  readonly #byIncarnation = new Map<string, KnownLog>()
  readonly #byNumber = new Map<number, KnownLog>()
  readonly #byId = new Map<number, KnownLog>()

  /** This member. */
  readonly node: string

  /** @param readOnly for a look at a view of the database */
  constructor(tables: Tables, node: string, readOnly = false) {
    this.#tables = tables
    this.node = node
    // The release before knows only the table of numbers.
    if (!readOnly)
      tables.run(`INSERT INTO incarnations (incarnation, origin, opened, sequence)
      SELECT incarnation, origin, 0, 0 FROM logs WHERE incarnation NOT IN (SELECT incarnation FROM incarnations)`)
    this.reload()
  }

  reload(): void {
    this.#byIncarnation.clear()
    this.#byNumber.clear()
    this.#byId.clear()
    const rows = this.#tables.all(`SELECT incarnations.id AS id, incarnations.incarnation AS incarnation,
      incarnations.origin AS origin, opened, sequence, logs.id AS number
      FROM incarnations LEFT JOIN logs ON logs.incarnation = incarnations.incarnation ORDER BY incarnations.id`)
    for (const row of rows) {
      const number = row['number'] === null ? undefined : integer(row, 'number')
      const sequence = integer(row, 'sequence')
      const log: KnownLog = {
        id: integer(row, 'id'),
        origin: text(row, 'origin'),
        incarnation: text(row, 'incarnation'),
        number,
        opened: integer(row, 'opened'),
        first: sequence + 1,
        last: sequence,
      }
      if (number !== undefined) {
        const [from, to] = [number * SEQUENCES, (number + 1) * SEQUENCES]
        const end = (order: string) =>
          this.#tables.number(
            `SELECT place FROM log WHERE place > ? AND place < ? ORDER BY place ${order} LIMIT 1`,
            from,
            to,
          )
        const first = end('ASC')
        const last = end('DESC')
        if (first !== undefined && last !== undefined) {
          log.first = first - from
          log.last = last - from
        }
      }
      this.#add(log)
    }
  }

  #add(log: KnownLog): void {
    this.#byIncarnation.set(log.incarnation, log)
    this.#byId.set(log.id, log)
    if (log.number !== undefined) this.#byNumber.set(log.number, log)
  }

  get(incarnation: string): KnownLog | undefined {
    return this.#byIncarnation.get(incarnation)
  }

  byId(id: number): KnownLog | undefined {
    return this.#byId.get(id)
  }

  /** The log that a place belongs to. */
  at(place: number): KnownLog | undefined {
    return this.#byNumber.get(Math.floor(place / SEQUENCES))
  }

  all(): Iterable<KnownLog> {
    return this.#byIncarnation.values()
  }

  /** The newest one of a member. */
  newest(origin: string): KnownLog | undefined {
    let newest: KnownLog | undefined
    for (const log of this.#byIncarnation.values()) {
      if (log.origin === origin && (!newest || log.opened >= newest.opened)) newest = log
    }
    return newest
  }

  /** One that nobody knows yet; it reaches the disk with its first entry. */
  fresh(origin: string, incarnation: string = randomUUID()): KnownLog {
    return { id: 0, origin, incarnation, number: undefined, opened: 0, first: 1, last: 0 }
  }

  /** What a message is noted to have come by, where no entries of that log may be held. */
  idOf(origin: string, incarnation: string, opened: number): number {
    const log = this.#byIncarnation.get(incarnation) ?? this.fresh(origin, incarnation)
    if (log.id === 0) this.#register(log, opened)
    return log.id
  }

  /** @returns the place of the entry that follows the last one */
  nextPlace(log: KnownLog, clock: number): number {
    if (log.id === 0) this.#register(log, clock)
    if (log.number === undefined) {
      log.number = this.#freeNumber()
      this.#byNumber.set(log.number, log)
      this.#tables.run(
        'INSERT INTO logs (id, origin, incarnation) VALUES (?, ?, ?)',
        log.number,
        log.origin,
        log.incarnation,
      )
    }
    return log.number * SEQUENCES + log.last + 1
  }

  #register(log: KnownLog, opened: number): void {
    this.#tables.run(
      'INSERT INTO incarnations (incarnation, origin, opened, sequence) VALUES (?, ?, ?, ?)',
      log.incarnation,
      log.origin,
      opened,
      log.last,
    )
    log.id = this.#tables.number('SELECT last_insert_rowid()') ?? 0
    log.opened = opened
    this.#add(log)
  }

  #freeNumber(): number {
    for (let number = 1; number < NUMBERS; number++) if (!this.#byNumber.has(number)) return number
    // Thousands of starts within the days that entries are kept: the oldest log gives way.
    const oldest = [...this.#byNumber.values()]
      .filter((log) => log !== this.newest(log.origin))
      .sort((a, b) => a.opened - b.opened)[0]
    if (oldest?.number === undefined) throw new CodedError('data-unusable', 'more logs than can be numbered')
    const { number } = oldest
    this.dropBefore(oldest, oldest.last + 1)
    return number
  }

  /** Drops the entries before a sequence; positions stay. */
  dropBefore(log: KnownLog, sequence: number): void {
    if (log.number === undefined || sequence <= log.first) return
    const start = log.number * SEQUENCES
    this.#tables.run('DELETE FROM log WHERE place > ? AND place < ?', start, start + sequence)
    log.first = sequence
    if (sequence <= log.last) return
    this.#tables.run('UPDATE incarnations SET sequence = ? WHERE id = ?', log.last, log.id)
    if (log === this.newest(log.origin)) return
    this.#tables.run('DELETE FROM logs WHERE id = ?', log.number)
    this.#byNumber.delete(log.number)
    log.number = undefined
  }

  /** A snapshot brought what the entries up to a position made: those before it will not come any more. */
  skipTo({ origin, incarnation, sequence }: LogPosition, clock: number): void {
    const log = this.#byIncarnation.get(incarnation) ?? this.fresh(origin, incarnation)
    if (log.last >= sequence) return
    if (log.id === 0) this.#register(log, clock)
    this.dropBefore(log, log.last + 1)
    log.last = sequence
    log.first = sequence + 1
    this.#tables.run('UPDATE incarnations SET sequence = ? WHERE id = ?', sequence, log.id)
  }

  positions(): (LogPosition & { first: number })[] {
    return [...this.#byIncarnation.values()].map(({ origin, incarnation, last, first }) => ({
      origin,
      incarnation,
      sequence: last,
      first,
    }))
  }
}
