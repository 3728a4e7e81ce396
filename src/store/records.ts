/**
 * What is neither a message nor a delivery: tokens, facts, members, revisions of the configuration, the audit log and
 * the failover log. Each is joined so that the order in which entries come does not matter: the highest order wins
 * where there is one value, a revoked token stays revoked, and what is only added is added once.
 */
import { auditHash } from '#messages/audit.ts'
import type { AuditRecord, MemberRecord, Operation, Revision, Term } from '#messages/operation.ts'
import { compareOrders, isNewer, type Order, orderText, readOrder } from '#messages/order.ts'
import type { Applied } from './inbound.ts'
import { integer, type Row, type Tables, text } from './tables.ts'
import { applyUser } from './users.ts'

type RecordOperation = Extract<
  Operation,
  {
    op:
      | 'tokenCreate'
      | 'tokenRevoke'
      | 'userSave'
      | 'userRemove'
      | 'sessionSave'
      | 'sessionEnd'
      | 'remember'
      | 'member'
      | 'memberRemove'
      | 'revision'
      | 'conflictSettle'
      | 'audit'
      | 'failover'
  }
>

interface RecordEntry {
  order: Order
  at: number
  own: boolean
}

const changedIf = (changed: boolean): Applied => ({ changed })

export function applyRecord(tables: Tables, entry: RecordEntry, operation: RecordOperation): Applied {
  const { order, at, own } = entry
  switch (operation.op) {
    case 'tokenCreate':
      return changedIf(createToken(tables, operation.token.id, JSON.stringify(operation.token)))
    case 'tokenRevoke':
      if (own && !tables.get('SELECT 1 FROM tokens WHERE id = ?', operation.id)) return changedIf(false)
      revokeToken(tables, operation.id)
      return changedIf(true)
    case 'userSave':
    case 'userRemove':
    case 'sessionSave':
    case 'sessionEnd':
      return changedIf(applyUser(tables, orderText(order), own, operation))
    case 'remember':
      return changedIf(rememberFact(tables, operation.name, operation.value, orderText(order)))
    case 'member': {
      const { member } = operation
      return changedIf(keepMember(tables, member.node, JSON.stringify(member), orderText(order)))
    }
    case 'memberRemove':
      return changedIf(keepMember(tables, operation.node, null, orderText(order)))
    case 'revision': {
      const { revision } = operation
      return changedIf(keepRevision(tables, revision.id, orderText(order), JSON.stringify(revision)))
    }
    case 'conflictSettle':
      return changedIf(keepSettled(tables, operation.revision, operation.path))
    case 'audit': {
      const record = own ? chained(tables, order.origin, operation.record) : operation.record
      const changed = keepAudit(tables, order.origin, record)
      return { changed, written: { op: 'audit', record } }
    }
    case 'failover':
      return changedIf(keepFailover(tables, at, orderText(order), operation.text))
  }
}

export function createToken(tables: Tables, id: string, document: string): boolean {
  if (tables.get('SELECT 1 FROM revoked WHERE id = ?', id)) return false
  return tables.run('INSERT OR REPLACE INTO tokens (id, document) VALUES (?, ?)', id, document) > 0
}

/** For good: a creation of it may be on its way. */
export function revokeToken(tables: Tables, id: string): void {
  tables.run('DELETE FROM tokens WHERE id = ?', id)
  tables.run('INSERT OR IGNORE INTO revoked (id) VALUES (?)', id)
}

/** @param ordering null for one that is older than orders are */
export function rememberFact(tables: Tables, name: string, value: string, ordering: string | null): boolean {
  const known = tables.get('SELECT ordering FROM facts WHERE name = ?', name)
  if (known && !isNewer(ordering, known['ordering'])) return false
  tables.run('INSERT OR REPLACE INTO facts (name, value, ordering) VALUES (?, ?, ?)', name, value, ordering)
  return true
}

/** Facts whose name begins like this, by name. */
export const facts = (tables: Tables, prefix: string): { name: string; value: string }[] =>
  tables
    .all(
      'SELECT name, value FROM facts WHERE name >= ? AND name < ? ORDER BY name',
      prefix,
      `${prefix}\u{10ffff}`,
    )
    .map((row) => ({ name: text(row, 'name'), value: text(row, 'value') }))

/** @param document null for one that was removed */
export function keepMember(tables: Tables, node: string, document: string | null, ordering: string): boolean {
  const known = tables.get('SELECT ordering FROM members WHERE node = ?', node)
  if (known && !isNewer(ordering, known['ordering'])) return false
  tables.run(
    'INSERT OR REPLACE INTO members (node, ordering, document) VALUES (?, ?, ?)',
    node,
    ordering,
    document,
  )
  return true
}

export const keepRevision = (tables: Tables, id: string, ordering: string, document: string): boolean =>
  tables.run(
    'INSERT OR IGNORE INTO revisions (id, ordering, document) VALUES (?, ?, ?)',
    id,
    ordering,
    document,
  ) > 0

export const keepSettled = (tables: Tables, revision: string, path: string): boolean =>
  tables.run('INSERT OR IGNORE INTO settled (revision, path) VALUES (?, ?)', revision, path) > 0

export const keepAudit = (tables: Tables, origin: string, record: AuditRecord): boolean =>
  tables.run(
    'INSERT OR IGNORE INTO audit (origin, number, hash, document) VALUES (?, ?, ?, ?)',
    origin,
    record.number,
    record.hash,
    JSON.stringify(record),
  ) > 0

export const keepFailover = (tables: Tables, at: number, ordering: string, line: string): boolean =>
  tables.run('INSERT OR IGNORE INTO failover (at, ordering, text) VALUES (?, ?, ?)', at, ordering, line) > 0

/** The record with its number and hash: the next in the chain of its member. */
function chained(
  tables: Tables,
  origin: string,
  { at, who, what, text: sentence }: AuditRecord,
): AuditRecord {
  const before = tables.get(
    'SELECT number, hash FROM audit WHERE origin = ? ORDER BY number DESC, hash LIMIT 1',
    origin,
  )
  const record = { number: before ? integer(before, 'number') + 1 : 1, at, who, what, text: sentence }
  return { ...record, hash: auditHash(before ? text(before, 'hash') : '', record) }
}

export const members = (tables: Tables): MemberRecord[] =>
  tables
    .all('SELECT document FROM members WHERE document IS NOT NULL ORDER BY node')
    .map((row) => JSON.parse(text(row, 'document')))

/** In their order. */
export const revisions = (tables: Tables): (Revision & { term: Term; clock: number; origin: string })[] =>
  tables
    .all('SELECT ordering, document FROM revisions')
    .map((row): Revision & Order => ({
      ...JSON.parse(text(row, 'document')),
      ...readOrder(text(row, 'ordering')),
    }))
    .sort(compareOrders)

export const settledConflicts = (tables: Tables): string[] =>
  tables
    .all('SELECT revision, path FROM settled ORDER BY revision, path')
    .map((row) => `${text(row, 'revision')} ${text(row, 'path')}`)

/** By member and number; of one member's after a number. */
export function audit(
  tables: Tables,
  { origin, after = 0, limit }: { origin?: string; after?: number; limit: number },
): (AuditRecord & { origin: string })[] {
  const rows =
    origin === undefined
      ? tables.all(
          'SELECT origin, document FROM audit WHERE number > ? ORDER BY origin, number, hash LIMIT ?',
          after,
          limit,
        )
      : tables.all(
          'SELECT origin, document FROM audit WHERE origin = ? AND number > ? ORDER BY number, hash LIMIT ?',
          origin,
          after,
          limit,
        )
  return rows.map((row) => ({ ...JSON.parse(text(row, 'document')), origin: text(row, 'origin') }))
}

const failoverLine = (row: Row): { origin: string; at: number; text: string } => ({
  origin: readOrder(text(row, 'ordering')).origin,
  at: integer(row, 'at'),
  text: text(row, 'text'),
})

export function newestFailover(
  tables: Tables,
  beginning: string,
  notEnding: readonly string[],
): { origin: string; at: number; text: string } | undefined {
  const row = tables.get(
    `SELECT at, ordering, text FROM failover WHERE substr(text, 1, ?) = ?
      AND NOT EXISTS (SELECT 1 FROM json_each(?) WHERE substr(text, -length(value)) = value)
      ORDER BY at DESC, ordering DESC LIMIT 1`,
    beginning.length,
    beginning,
    JSON.stringify(notEnding),
  )
  return row && failoverLine(row)
}

export const failover = (
  tables: Tables,
  since: number,
  limit: number,
): { origin: string; at: number; text: string }[] =>
  tables
    .all('SELECT at, ordering, text FROM failover WHERE at >= ? ORDER BY at, ordering LIMIT ?', since, limit)
    .map(failoverLine)
