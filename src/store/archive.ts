/**
 * Retention: finished messages move from the queue tables to the archive tables and leave those later. Both keep a
 * message's positions, so that moving copies rows and nothing else. What each member keeps is its own affair: nothing
 * here is an operation.
 */
import type { Retention } from './contract.ts'
import { integer, type Tables } from './tables.ts'
import { forgetSessions } from './users.ts'

const DAY_MS = 86_400_000
/** An idempotency key is known for this long, so its message stays in the queue tables that long at least. */
export const KEY_MS = DAY_MS
/** A part that comes a second time after this long would be taken for a new one. */
const FINGERPRINTS_MS = 30 * DAY_MS
const TOTALS_MS = 400 * DAY_MS
/** An acceptance that is so late will not come: its message was dropped everywhere. */
const PENDING_MS = 30 * DAY_MS
/** Messages looked at for each one that may be moved: those still in the queue are passed over, not waited for. */
const LOOKS = 10

const from = (table: string, to: string) =>
  [
    `INSERT INTO ${to}_messages SELECT * FROM ${table}_messages WHERE position = ?`,
    `INSERT INTO ${to}_deliveries SELECT * FROM ${table}_deliveries WHERE position >= ? AND position < ?`,
    `DELETE FROM ${table}_messages WHERE position = ?`,
    `DELETE FROM ${table}_deliveries WHERE position >= ? AND position < ?`,
  ].map((sql) => sql.replaceAll('queue_', ''))

const toArchive = from('queue', 'archive')
const fromArchive = from('archive', 'queue')

function move(tables: Tables, statements: readonly string[], position: number, count: number): void {
  for (const [n, sql] of statements.entries()) {
    if (n % 2 === 0) tables.run(sql, position)
    else tables.run(sql, position, position + count)
  }
}

/** Brings an archived message back, because something happens to it. @returns false when the archive does not have it */
export function restoreArchived(tables: Tables, id: string): boolean {
  const row = tables.get('SELECT position, count FROM archive_messages WHERE id = ?', id)
  if (!row) return false
  const position = integer(row, 'position')
  const count = integer(row, 'count')
  move(tables, fromArchive, position, count)
  for (const live of liveOf(tables, position, count)) tables.counted(null, live)
  return true
}

/** Deliveries in `unknown` are final and yet counted while they are in the queue tables. */
function liveOf(tables: Tables, position: number, count: number): number[] {
  return tables
    .all(
      'SELECT live FROM deliveries WHERE position >= ? AND position < ? AND live IS NOT NULL',
      position,
      position + count,
    )
    .map((row) => integer(row, 'live'))
}

export class Sweeper {
  readonly #tables: Tables
  /** Where the next sweep of the queue tables goes on; it begins anew at the end. */
  #cursor = 0

  constructor(tables: Tables) {
    this.#tables = tables
  }

  sweep(now: number, retention: Retention, limit: number): { archived: number; dropped: number } {
    const archived = this.#archive(now, retention.queue, limit)
    const dropped = this.#drop(now - retention.archive, limit)
    this.#dropOldest('inbound', now - FINGERPRINTS_MS, limit)
    this.#dropInboxFacts(now - retention.archive, limit)
    this.#dropOldest('inbox', now - retention.archive, limit)
    this.#tables.run('DELETE FROM totals WHERE hour < ?', now - TOTALS_MS)
    this.#tables.run('DELETE FROM pending WHERE at < ?', now - PENDING_MS)
    this.#tables.run('DELETE FROM partials WHERE at < ?', now - FINGERPRINTS_MS)
    this.#tables.run('DELETE FROM spans WHERE at < ?', now - PENDING_MS)
    forgetSessions(this.#tables, now)
    this.#tables.run('DELETE FROM failover WHERE at < ?', now - TOTALS_MS)
    return { archived, dropped }
  }

  /** Looks at the oldest rows only, so that it costs nothing when there is nothing to drop. */
  #dropOldest(table: 'inbound' | 'inbox', before: number, limit: number): void {
    this.#tables.run(
      `DELETE FROM ${table} WHERE position IN (SELECT position FROM ${table} ORDER BY position LIMIT ?) AND at < ?`,
      limit,
      before,
    )
  }

  /** What was done about received messages goes with them. */
  #dropInboxFacts(before: number, limit: number): void {
    this.#tables.run(
      `DELETE FROM facts WHERE name IN (SELECT 'inbound:' || id FROM
       (SELECT id, at FROM inbox ORDER BY position LIMIT ?) WHERE at < ?)`,
      limit,
      before,
    )
  }

  #archive(now: number, keep: number, limit: number): number {
    const tables = this.#tables
    const rows = tables.all(
      'SELECT position, count, at, key IS NOT NULL AS keyed FROM messages WHERE position >= ? ORDER BY position LIMIT ?',
      this.#cursor,
      limit * LOOKS,
    )
    let archived = 0
    for (const row of rows) {
      const position = integer(row, 'position')
      const count = integer(row, 'count')
      this.#cursor = position + 1
      if (integer(row, 'keyed') === 1 && integer(row, 'at') > now - KEY_MS) continue
      if (integer(row, 'at') > now - keep) continue
      const inUse = tables.get(
        `SELECT 1 FROM deliveries WHERE position >= ? AND position < ?
         AND (deadline IS NOT NULL OR changed > ? OR position IN (SELECT position FROM temp.claims)) LIMIT 1`,
        position,
        position + count,
        now - keep,
      )
      if (inUse) continue
      for (const live of liveOf(tables, position, count)) tables.counted(live, null)
      move(tables, toArchive, position, count)
      archived += 1
      if (archived === limit) return archived
    }
    if (rows.length < limit * LOOKS) this.#cursor = 0
    return archived
  }

  #drop(before: number, limit: number): number {
    const tables = this.#tables
    const rows = tables.all(
      'SELECT position, count, at FROM archive_messages ORDER BY position LIMIT ?',
      limit,
    )
    let dropped = 0
    for (const row of rows) {
      const position = integer(row, 'position')
      const end = position + integer(row, 'count')
      const changed = tables.number(
        'SELECT max(changed) FROM archive_deliveries WHERE position >= ? AND position < ?',
        position,
        end,
      )
      if ((changed ?? integer(row, 'at')) >= before) continue
      tables.run(
        "DELETE FROM facts WHERE name = (SELECT 'callback:' || id FROM archive_messages WHERE position = ?)",
        position,
      )
      tables.run('DELETE FROM archive_messages WHERE position = ?', position)
      tables.run('DELETE FROM archive_deliveries WHERE position >= ? AND position < ?', position, end)
      dropped += 1
    }
    return dropped
  }
}
