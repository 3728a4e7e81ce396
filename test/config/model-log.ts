import type { LoggedRevision } from '#config/revisions.ts'
import type { RevisionLog } from '#config/settings.ts'
import type { Operation } from '#messages/operation.ts'

/** The part of a store that settings use, with merging. */
export class ModelLog implements RevisionLog {
  readonly #node: string
  readonly #entries = new Map<string, LoggedRevision>()
  readonly settled = new Set<string>()
  #clock = 0

  constructor(node: string) {
    this.#node = node
  }

  async operate(operation: Operation): Promise<boolean> {
    this.#clock += 1
    if (operation.op === 'conflictSettle') this.settled.add(`${operation.revision} ${operation.path}`)
    if (operation.op === 'revision') {
      const { revision } = operation
      const term = { counter: 1, node: 'box-a' }
      this.#entries.set(revision.id, { ...revision, term, clock: this.#clock, origin: this.#node })
    }
    return true
  }

  revisions = async () => [...this.#entries.values()]
  settledConflicts = async () => [...this.settled]

  merge(other: ModelLog): void {
    for (const [id, revision] of other.#entries) this.#entries.set(id, revision)
    for (const one of other.settled) this.settled.add(one)
    this.#clock = Math.max(this.#clock, other.#clock)
  }
}
