/**
 * A store that came out of a backup: what it had queued may have been sent since the backup was made. Until the other
 * members, or a person, have said so, none of it is claimed; what is accepted from now on goes out as always.
 */
import { integer, live, type Tables, text } from './tables.ts'

/** Name of the row in `state`. */
export const RESTORED = 'restored'

export interface RestoredState {
  /** When the backup was made, ms since 1970. */
  backupAt: number
  /** When it was restored, ms since 1970. */
  at: number
  /** What lies below this position was in the backup. */
  before: number
  /** It is not to be sent yet. */
  held: boolean
  /** A person said that it may be sent, and nobody knows whether it was before. */
  copies: boolean
}

export type Release =
  /** The other members know what was sent. */
  | 'known'
  /** All of it is sent, as possible copies. */
  | 'send'

/** @returns undefined on a store that never came out of a backup */
export function readRestored(tables: Tables): RestoredState | undefined {
  const row = tables.get('SELECT value FROM state WHERE name = ?', RESTORED)
  if (row === undefined) return undefined
  const {
    backupAt = 0,
    at = 0,
    before = 0,
    held = true,
    copies = false,
  } = JSON.parse(text(row, 'value')) as Partial<RestoredState>
  return { backupAt, at, before, held, copies }
}

/**
 * Takes note that the store has just been restored; does nothing at later starts.
 * @returns whether it was just restored
 */
export function beginRestored(tables: Tables, now: number): boolean {
  const state = readRestored(tables)
  if (state === undefined || state.at !== 0) return false
  write(tables, { ...state, at: now, before: tables.nextPosition })
  return true
}

export function releaseRestored(tables: Tables, how: Release): void {
  const state = readRestored(tables)
  if (state !== undefined) write(tables, { ...state, held: false, copies: how === 'send' })
}

function write(tables: Tables, state: RestoredState): void {
  tables.run('INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)', RESTORED, JSON.stringify(state))
}

/** Ids of deliveries that are held back, the first ones. */
export function heldBack(tables: Tables, limit: number): string[] {
  const state = readRestored(tables)
  if (state?.held !== true) return []
  return tables
    .all(
      `SELECT json_extract(document, '$.id') AS id FROM deliveries INDEXED BY deliveries_live
       WHERE live = ? AND position < ? ORDER BY position LIMIT ?`,
      live.queued,
      state.before,
      limit,
    )
    .map((row) => text(row, 'id'))
}

export function countHeldBack(tables: Tables): number {
  const state = readRestored(tables)
  if (state?.held !== true) return 0
  const row = tables.get(
    'SELECT count(*) AS n FROM deliveries INDEXED BY deliveries_live WHERE live = ? AND position < ?',
    live.queued,
    state.before,
  )
  return row === undefined ? 0 : integer(row, 'n')
}
