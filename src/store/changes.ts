/** Tells what was written about messages once it is on disk, for whoever follows them from outside. Changes nothing. */
import type { Acceptance, Change, OperationLog, Store } from './contract.ts'

export interface ChangeListener {
  accepted(acceptance: Acceptance): void
  recorded(change: Change): void
}

/** The same store, with somebody who is told; a listener must neither throw nor wait. */
export function tellChanges(store: Store & OperationLog, listener: ChangeListener): Store & OperationLog {
  return {
    ...store,
    async accept(batch, claim) {
      const results = await store.accept(batch, claim)
      for (const [n, acceptance] of batch.entries()) {
        if (results[n]?.result === 'accepted') listener.accepted(acceptance)
      }
      return results
    },
    async record(changes) {
      const applied = await store.record(changes)
      for (const [n, change] of changes.entries()) if (applied[n] === true) listener.recorded(change)
      return applied
    },
  }
}
