/** The OperationLog of the contract on the store's worker: each call a request, and what is known without asking. */
import type { Connection } from './connection.ts'
import type { OperationLog } from './contract.ts'

/** @param now wall time, ms since 1970, for operations that carry none themselves */
export function operationLog(connection: Connection, now: () => number): OperationLog {
  let complete = connection.complete
  let retaining: string | undefined

  return {
    logged: () => connection.position,
    onLogged(listener) {
      connection.onLogged = listener
      // Refused only when the store is over, and then there is nothing to be told about.
      connection.call('listen', []).catch(() => {})
    },
    onMerged(listener) {
      connection.onMerged = listener
    },
    positions: () => connection.call('positions', []),
    read: async (incarnation, after, bytes) =>
      (await connection.call('read', [incarnation, after, bytes])) ?? undefined,
    entries: (origin, after, limit) => connection.call('entries', [origin, after, limit]),
    merge: (batch) => connection.call('merge', [batch], batch.count),
    openIncarnation: () => connection.call('openIncarnation', []),
    async observe(term) {
      await connection.call('observe', [term])
    },
    retain(upTo) {
      const wanted = [...upTo]
      const text = JSON.stringify(wanted)
      if (text === retaining) return
      retaining = text
      connection.call('retain', [wanted]).catch(() => {
        retaining = undefined
      })
    },

    async snapshot() {
      const { view, positions } = await connection.call('snapshotOpen', [])
      return {
        positions,
        next: async () => (await connection.call('snapshotPage', [view])) ?? undefined,
        async close() {
          await connection.call('snapshotClose', [view])
        },
      }
    },
    async loadSnapshot() {
      complete = false
      await connection.call('loadBegin', [])
      return {
        async add(page) {
          await connection.call('loadPage', [page])
        },
        async finish(positions) {
          await connection.call('loadFinish', [positions])
          complete = true
        },
        async abandon() {
          await connection.call('loadAbandon', [])
        },
      }
    },
    complete: () => complete,

    operate: (operation) => connection.call('operate', [operation, now()]),
    owned: (node) => connection.call('owned', [node]),
    members: () => connection.call('members', []),
    revisions: () => connection.call('revisions', []),
    settledConflicts: () => connection.call('settledConflicts', []),
    audit: (query) => connection.call('audit', [query]),
    newestFailover: async (...asked) => (await connection.call('newestFailover', asked)) ?? undefined,
    failover: (since, limit) => connection.call('failover', [since, limit]),
  }
}
