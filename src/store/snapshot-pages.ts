/**
 * What a snapshot is made of: pages of rows of one kind, as JSON. A kind that a reader does not know is passed over.
 * Documents stand in it as they lie in the tables; names stand for the numbers that each store gives them.
 */
import type { Term } from '#messages/operation.ts'
import type { LogPosition } from './contract.ts'

export type Value = string | number | null

/** What the view knows, before anything else: on the first page. */
export interface SnapshotHead {
  positions: LogPosition[]
  /** The highest that any entry in it carries. */
  term: Term
  clock: number
}

export type SnapshotPage = { head: SnapshotHead } | { kind: string; rows: Value[][] }

/** The kinds in the order in which they are sent: what others rest on comes first. */
export const snapshotKinds: readonly { kind: string; query: string }[] = [
  { kind: 'revoked', query: 'SELECT id FROM revoked' },
  { kind: 'token', query: 'SELECT id, document FROM tokens' },
  { kind: 'user', query: 'SELECT name, ordering, document FROM users' },
  { kind: 'session', query: 'SELECT id, used, document FROM sessions' },
  { kind: 'fact', query: 'SELECT name, value, ordering FROM facts' },
  { kind: 'member', query: 'SELECT node, ordering, document FROM members' },
  { kind: 'revision', query: 'SELECT id, ordering, document FROM revisions' },
  { kind: 'settled', query: 'SELECT revision, path FROM settled' },
  { kind: 'audit', query: 'SELECT origin, document FROM audit' },
  { kind: 'failover', query: 'SELECT at, ordering, text FROM failover' },
  { kind: 'span', query: 'SELECT ordering, at, operation FROM spans' },
  {
    kind: 'message',
    query: `SELECT messages.id, count, at, key, body_hash, ordering, incarnations.incarnation, messages.sequence,
      superseded, document
      FROM (SELECT * FROM archive_messages UNION ALL SELECT * FROM messages) AS messages
      LEFT JOIN incarnations ON incarnations.id = messages.incarnation ORDER BY position`,
  },
  {
    kind: 'delivery',
    query:
      'SELECT changed, document FROM archive_deliveries UNION ALL SELECT changed, document FROM deliveries',
  },
  { kind: 'pending', query: 'SELECT delivery, step FROM pending' },
  { kind: 'partial', query: 'SELECT entry, ordering, at FROM partials' },
  { kind: 'inbound', query: 'SELECT entry, ordering, document FROM inbound ORDER BY position' },
  { kind: 'inbox', query: 'SELECT document FROM inbox ORDER BY position' },
  {
    kind: 'total',
    query: `SELECT node, lines.line, hour, sent, delivered, failed, unknown, received
      FROM totals JOIN lines ON lines.id = totals.line`,
  },
]
