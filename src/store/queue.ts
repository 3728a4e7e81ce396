/**
 * Who gets which delivery next. Claims live in a table in memory: a crash gives everything back.
 *
 * The queue index is ordered by priority and due time, so the cost of a claim follows from what is claimed already
 * (at most a dispatcher's window), never from how much is queued.
 */
import { priorities } from '#messages/message.ts'
import type { ClaimRequest, QueueDepth } from './contract.ts'
import { positionOf } from './deliveries.ts'
import { integer, live, type Row, type Tables, text } from './tables.ts'

/** The literal `live = 0` lets SQLite use the partial index, and `owner IS ?` finds those without an owner in it too. */
const DUE = `SELECT position, due, document FROM deliveries
  WHERE live = 0 AND owner IS ? AND priority = ? AND due <= ? AND position >= ? AND position NOT IN (SELECT position FROM temp.claims)
  ORDER BY due, position LIMIT ?`
const NEXT = `SELECT due FROM deliveries
  WHERE live = 0 AND owner IS ? AND priority = ? AND due >= ? AND position >= ? AND position NOT IN (SELECT position FROM temp.claims)
  ORDER BY due, position LIMIT 1`
/** Without being told, SQLite would look at every queued delivery to sort their owners. */
const NEXT_OWNER = `SELECT owner FROM deliveries INDEXED BY deliveries_claim
  WHERE live = 0 AND owner > ? ORDER BY owner LIMIT 1`

/**
 * @param from what lies below this position is not to be had: it came out of a backup, and nobody said yet what was sent
 * @returns a ClaimResult as JSON
 */
export function claim(tables: Tables, request: ClaimRequest, from = 0): string {
  const owners = ownersOf(tables, request)
  const claims: string[] = []
  let nextDue: number | undefined
  for (const priority of priorities) {
    // All rows are read before any is claimed: a statement must not see its own effect.
    const room = request.limit - claims.length
    const rows = room > 0 ? dueOf(tables, owners, priority, request.now, from, room) : []
    for (const row of rows) {
      hold(tables, integer(row, 'position'))
      claims.push(claimJson(tables, row))
    }
    // Below the limit everything due was taken, and the rest of this priority is due later.
    const taken = room > rows.length
    for (const owner of owners) {
      const due = tables.number(NEXT, owner, priority, taken ? request.now + 1 : 0, from)
      if (due !== undefined && (nextDue === undefined || due < nextDue)) nextDue = due
    }
  }
  return `{"claims":[${claims.join(',')}]${nextDue === undefined ? '' : `,"nextDue":${nextDue}`}}`
}

/** Whose deliveries are asked for; null stands for those that have no owner. */
function ownersOf(tables: Tables, { owner }: ClaimRequest): (string | null)[] {
  if (owner) return owner.active ? [null, owner.node] : [owner.node]
  const owners: (string | null)[] = [null]
  for (let last = ''; ; ) {
    const row = tables.get(NEXT_OWNER, last)
    if (!row) return owners
    last = text(row, 'owner')
    owners.push(last)
  }
}

function dueOf(
  tables: Tables,
  owners: readonly (string | null)[],
  priority: number,
  now: number,
  from: number,
  limit: number,
): Row[] {
  const [one, ...others] = owners
  if (one !== undefined && others.length === 0) return tables.all(DUE, one, priority, now, from, limit)
  return owners
    .flatMap((owner) => tables.all(DUE, owner, priority, now, from, limit))
    .sort((a, b) => integer(a, 'due') - integer(b, 'due') || integer(a, 'position') - integer(b, 'position'))
    .slice(0, limit)
}

export function hold(tables: Tables, position: number): void {
  tables.runVolatile('INSERT OR IGNORE INTO temp.claims (position) VALUES (?)', position)
}

export function unhold(tables: Tables, position: number): void {
  tables.runVolatile('DELETE FROM temp.claims WHERE position = ?', position)
}

export function release(tables: Tables, deliveries: readonly string[]): void {
  for (const delivery of deliveries) {
    const position = positionOf(tables, delivery)
    if (position !== undefined) unhold(tables, position)
  }
}

/** @returns Claim[] as JSON */
export function submitting(tables: Tables): string {
  const rows = tables.all(
    'SELECT position, document FROM deliveries WHERE live = ? ORDER BY position',
    live.submitting,
  )
  return `[${rows.map((row) => claimJson(tables, row)).join(',')}]`
}

/** A message stands under the position of its first delivery: the nearest one at or below. */
function claimJson(tables: Tables, row: Row): string {
  const message = tables.get(
    'SELECT document FROM messages WHERE position <= ? ORDER BY position DESC LIMIT 1',
    integer(row, 'position'),
  )
  return `{"delivery":${text(row, 'document')},"message":${message ? text(message, 'document') : 'null'}}`
}

/** @returns Delivery[] as JSON */
export function overdue(tables: Tables, now: number, limit: number): string {
  const rows = tables.all(
    `SELECT document FROM deliveries WHERE deadline <= ? AND live <> ?
     AND position NOT IN (SELECT position FROM temp.claims) ORDER BY deadline LIMIT ?`,
    now,
    live.submitting,
    limit,
  )
  return `[${rows.map((row) => text(row, 'document')).join(',')}]`
}

export function depth(tables: Tables): QueueDepth {
  const counts = tables.counts()
  return {
    queued: counts[live.queued] ?? 0,
    submitting: counts[live.submitting] ?? 0,
    awaitingReport: counts[live.awaitingReport] ?? 0,
    unknown: counts[live.unknown] ?? 0,
    oldest: tables.number(
      'SELECT accepted FROM deliveries WHERE live = ? ORDER BY position LIMIT 1',
      live.queued,
    ),
  }
}
