/**
 * Users and their sessions in the tables. Of a user the highest order stands, a removal included. A session is made under
 * an id that nobody guesses and only ever used later or ended, so the latest use stands and its end stands for good.
 */
import type { Operation, SessionRecord, UserRecord } from '#messages/operation.ts'
import { isNewer } from '#messages/order.ts'
import { type Tables, text } from './tables.ts'

type UserOperation = Extract<Operation, { op: 'userSave' | 'userRemove' | 'sessionSave' | 'sessionEnd' }>

/** @param own made here just now: what would change nothing is no entry */
export function applyUser(tables: Tables, ordering: string, own: boolean, operation: UserOperation): boolean {
  switch (operation.op) {
    case 'userSave':
      return keepUser(tables, operation.user.name, JSON.stringify(operation.user), ordering)
    case 'userRemove':
      if (own && !tables.get('SELECT 1 FROM users WHERE name = ? AND document IS NOT NULL', operation.name))
        return false
      return keepUser(tables, operation.name, null, ordering)
    case 'sessionSave': {
      const { session } = operation
      return keepSession(tables, session.id, session.usedAt, JSON.stringify(session))
    }
    case 'sessionEnd':
      return keepSession(tables, operation.id, operation.at, null)
  }
}

/** @param document null for one that was removed */
export function keepUser(tables: Tables, name: string, document: string | null, ordering: string): boolean {
  const known = tables.get('SELECT ordering FROM users WHERE name = ?', name)
  if (known && !isNewer(ordering, known['ordering'])) return false
  tables.run(
    'INSERT OR REPLACE INTO users (name, ordering, document) VALUES (?, ?, ?)',
    name,
    ordering,
    document,
  )
  return true
}

/** @param document null for one that was ended */
export function keepSession(tables: Tables, id: string, used: number, document: string | null): boolean {
  return (
    tables.run(
      `INSERT INTO sessions (id, used, document) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET used = max(used, excluded.used),
         document = CASE WHEN document IS NULL THEN NULL ELSE excluded.document END
       WHERE excluded.used > used OR (excluded.document IS NULL AND document IS NOT NULL)`,
      id,
      used,
      document,
    ) > 0
  )
}

export const users = (tables: Tables): UserRecord[] =>
  tables
    .all('SELECT document FROM users WHERE document IS NOT NULL ORDER BY name')
    .map((row) => JSON.parse(text(row, 'document')))

/** The latest use first. */
export const sessions = (tables: Tables): SessionRecord[] =>
  tables
    .all('SELECT document FROM sessions WHERE document IS NOT NULL ORDER BY used DESC, id LIMIT 5000')
    .map((row) => JSON.parse(text(row, 'document')))

/** Sessions that nobody used for so long are over whatever is still on its way about them. */
const KEPT_MS = 7 * 86_400_000

/** @param now ms since 1970 */
export function forgetSessions(tables: Tables, now: number): void {
  tables.run('DELETE FROM sessions WHERE used < ?', now - KEPT_MS)
}
