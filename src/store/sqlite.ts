/**
 * The Store on SQLite (node:sqlite, one worker thread, WAL, synchronous=FULL, group commit), for one appliance.
 * This file turns each call of the contract into a request; connection.ts batches them, worker.ts answers them.
 */
import type { CodedError } from '#core/errors.ts'
import { pack } from '#messages/packing.ts'
import { Connection } from './connection.ts'
import type { OperationLog, Page, Store } from './contract.ts'
import { operationLog } from './operation-log.ts'

export interface SqliteOptions {
  /** Made when missing (0700; the files in it 0600). One process at a time may use it. */
  directory: string
  /** This member's name: the origin of the log. */
  node: string
  /** Bytes of free space below which `accept` answers `full`; everything else may still use them. */
  reserve?: number
  /** Wall time, ms since 1970, for changes that carry none themselves. */
  now?: () => number
  /** Told once when the store has stopped by itself: nothing can be stored any more, the program should end. */
  onFailure?: (error: CodedError) => void
}

const RESERVE = 16 * 1024 * 1024
/** Uses of tokens are noted this often, at most. */
const TOUCH_MS = 60_000
/** A filtered listing looks at this many messages for one page, in slices so that writes get in between. */
const SCAN_ROWS = 20_000
const SLICE_ROWS = 250

/**
 * Opens or makes the store in a directory.
 * @throws CodedError `data-in-use`, `data-newer`, `data-unusable`
 */
export async function openStore(options: SqliteOptions): Promise<Store & OperationLog> {
  const { directory, node, reserve = RESERVE, now = Date.now, onFailure } = options
  const touched = new Map<string, number>()
  let touching: NodeJS.Timeout | undefined
  const connection = await Connection.open({ directory, node, reserve, now: now() }, (error) => {
    clearTimeout(touching)
    onFailure?.(error)
  })

  /** Only notes: where they cannot be written, the next use makes others. */
  async function writeTouched(): Promise<void> {
    clearTimeout(touching)
    touching = undefined
    const uses = [...touched].map(([id, at]) => ({ id, at }))
    touched.clear()
    await connection.call('touch', [uses], uses.length).catch(() => {})
  }

  return {
    lastLogged: connection.lastLogged,

    async accept(batch, claim) {
      if (batch.length === 0) return []
      if (!connection.accepting()) return batch.map(() => ({ result: 'full' as const }))
      const weight = batch.reduce((sum, { deliveries }) => sum + deliveries.length, 0)
      return connection.call('accept', [batch.map(pack), claim?.term ?? null], weight)
    },
    async claim(request) {
      const { claims, nextDue } = await connection.call('claim', [request])
      return { claims, nextDue }
    },
    async release(deliveries) {
      if (deliveries.length > 0) await connection.call('release', [deliveries], deliveries.length)
    },
    async record(changes) {
      if (changes.length === 0) return []
      const urgent = changes.some(({ event }) => event.event === 'intend')
      return connection.call('record', [changes], changes.length, urgent)
    },
    submitting: () => connection.call('submitting', []),
    overdue: (at, limit) => connection.call('overdue', [at, limit]),
    async shiftTimes(since, byMs) {
      await connection.call('operate', [{ op: 'shiftTimes', since, byMs }, now()])
    },

    message: async (id, from = 0) => (await connection.call('message', [id, from])) ?? undefined,
    async messages(query) {
      const { limit: _limit, after: _after, archived: _archived, since, until, ...filters } = query
      const filtered = Object.values(filters).some((filter) => filter !== undefined)
      // Only the first page has to find the time's end: the next ones begin below it.
      const below = query.after === undefined ? until : undefined
      const timed = since !== undefined || below !== undefined
      const span = timed ? await connection.call('spanOf', [since ?? null, below ?? null]) : {}
      const page: Page<Awaited<ReturnType<Store['messages']>>['items'][number]> = { items: [] }
      let after = query.after
      for (let looked = 0; looked < SCAN_ROWS && page.items.length < query.limit; looked += SLICE_ROWS) {
        const limit = query.limit - page.items.length
        const rows = filtered ? SLICE_ROWS : Math.min(limit, SLICE_ROWS)
        const slice = await connection.call('messages', [
          { ...query, ...span, limit, rows, ...(after === undefined ? {} : { after }) },
        ])
        page.items.push(...slice.items)
        after = slice.next
        if (after === undefined) break
      }
      if (after !== undefined) page.next = after
      return page
    },
    async restored() {
      const { state, deliveries } = await connection.call('restored', [])
      if (state === null) return undefined
      const { backupAt, at, held, copies } = state
      return { backupAt, at, held, copies, deliveries }
    },
    heldBack: (limit) => connection.call('heldBack', [limit]),
    async releaseRestored(how) {
      await connection.call('releaseRestored', [how])
    },
    stateCounts: () => connection.call('stateCounts', []),
    async depth() {
      const depth = await connection.call('depth', [])
      return { ...depth, oldest: depth.oldest }
    },
    totals: (since) => connection.call('totals', [since]),
    matchReport: async (report) => (await connection.call('matchReport', [report])) ?? undefined,

    receive: async (part) => (await connection.call('receive', [part])) ?? undefined,
    completePartials: (olderThan) => connection.call('completePartials', [olderThan, now()]),
    inbox: (query) => connection.call('inbox', [query]),
    callbacks: (after, settled) => connection.call('callbacks', [after, settled]),
    inboxEntry: async (id) => (await connection.call('inboxEntry', [id])) ?? undefined,
    received: (fingerprint) => connection.call('received', [fingerprint]),
    inboxFacts: (query) => connection.call('inboxFacts', [query]),

    async createToken(token) {
      await connection.call('operate', [{ op: 'tokenCreate', token }, token.createdAt])
    },
    revokeToken: (id) => connection.call('operate', [{ op: 'tokenRevoke', id }, now()]),
    async tokens() {
      const stored = await connection.call('tokens', [])
      return stored.map((token) => ({
        ...token,
        lastUsedAt: touched.get(token.id) ?? token.lastUsedAt,
      }))
    },
    touchToken(id, at) {
      touched.set(id, at - (at % TOUCH_MS))
      touching ??= setTimeout(() => void writeTouched(), TOUCH_MS).unref()
    },

    users: () => connection.call('users', []),
    async saveUser(user) {
      await connection.call('operate', [{ op: 'userSave', user }, now()])
    },
    removeUser: (name) => connection.call('operate', [{ op: 'userRemove', name }, now()]),
    sessions: () => connection.call('sessions', []),
    async saveSession(session) {
      await connection.call('operate', [{ op: 'sessionSave', session }, session.usedAt])
    },
    async endSession(id, at) {
      await connection.call('operate', [{ op: 'sessionEnd', id, at }, at])
    },

    async remember(name, value) {
      await connection.call('operate', [{ op: 'remember', name, value }, now()])
    },
    async setReserve(bytes) {
      await connection.call('setReserve', [bytes])
    },
    recall: async (name) => (await connection.call('recall', [name])) ?? undefined,
    facts: (prefix) => connection.call('facts', [prefix]),

    documentsInUse: (hashes) => connection.call('documentsInUse', [hashes]),
    documentsNeeded: (limit) => connection.call('documentsNeeded', [limit]),
    sweep: (at, retention, limit) => connection.call('sweep', [at, retention, limit]),
    close: () => connection.close(writeTouched),

    ...operationLog(connection, now),
  }
}
