/**
 * Browsers that people are logged in with. The cookie holds 256 random bits, and the store their SHA-256, as it is with
 * tokens. Sessions replicate, so a browser stays logged in when another member takes over. That one is in use is kept in
 * memory and written every ten minutes at most: a panel that is open must not wear the disk out.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '#core/clock.ts'
import type { SessionRecord, UserRecord } from '#messages/operation.ts'
import type { Store } from '#store/contract.ts'
import type { Users } from './users.ts'

/** A session that nobody used for so long is over. */
export const IDLE_MS = 12 * 3_600_000
const WRITE_MS = 600_000
/** Browsers of one user; the one that was used longest ago is logged out for the next. */
const MOST_SESSIONS = 20

const idOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export interface Login {
  session: SessionRecord
  user: UserRecord
}

export interface Sessions {
  /** Who presents this cookie, which counts as use; undefined when it is not known, or over. */
  find(secret: string): Login | undefined
  /** As find(), of a session that was found before: an open page counts as use. */
  holds(id: string): Login | undefined
  /** @returns what the cookie holds, which is kept nowhere */
  create(user: UserRecord): Promise<string>
  end(id: string): Promise<void>
  /** Logs a user out everywhere. */
  endAll(user: string): Promise<void>
  of(user: string): readonly SessionRecord[]
  /** Reads them anew: another member's were merged. */
  refresh(): Promise<void>
}

export async function openSessions(
  store: Pick<Store, 'sessions' | 'saveSession' | 'endSession'>,
  users: Pick<Users, 'find'>,
  clock: Clock,
): Promise<Sessions> {
  let known = new Map<string, SessionRecord>()
  /** Uses that are later than what is stored. */
  const used = new Map<string, number>()

  async function load(): Promise<void> {
    const stored = await store.sessions()
    known = new Map(stored.filter(alive).map((session) => [session.id, session]))
    for (const id of used.keys()) if (!known.has(id)) used.delete(id)
  }

  const lastUse = (session: SessionRecord): number => Math.max(session.usedAt, used.get(session.id) ?? 0)
  const alive = (session: SessionRecord): boolean => clock.now() - lastUse(session) < IDLE_MS
  const newest = (sessions: readonly SessionRecord[]) =>
    sessions.map((session) => ({ ...session, usedAt: lastUse(session) })).sort((a, b) => b.usedAt - a.usedAt)
  const of = (user: string) =>
    newest([...known.values()].filter((session) => session.user === user && alive(session)))

  function holds(id: string): Login | undefined {
    const session = known.get(id)
    const user = session && alive(session) ? users.find(session.user) : undefined
    if (session === undefined || user === undefined) return undefined
    touch(session)
    return { session, user }
  }

  function touch(session: SessionRecord): void {
    const now = clock.now()
    used.set(session.id, now)
    if (now - session.usedAt < WRITE_MS) return
    const later = { ...session, usedAt: now }
    known.set(session.id, later)
    // Where it cannot be written, it goes on here and ends a little early elsewhere.
    store.saveSession(later).catch(() => {})
  }

  async function end(id: string): Promise<void> {
    known.delete(id)
    used.delete(id)
    await store.endSession(id, clock.now())
    // A look at the store that began before may have brought it back.
    known.delete(id)
  }

  await load()
  return {
    find: (secret) => holds(idOf(secret)),
    holds,
    async create(user) {
      const secret = randomBytes(32).toString('base64url')
      const now = clock.now()
      const session = { id: idOf(secret), user: user.name, createdAt: now, usedAt: now }
      for (const { id } of of(user.name).slice(MOST_SESSIONS - 1)) await end(id)
      await store.saveSession(session)
      known.set(session.id, session)
      return secret
    },
    end,
    async endAll(user) {
      for (const session of [...known.values()]) if (session.user === user) await end(session.id)
    },
    of,
    refresh: load,
  }
}
