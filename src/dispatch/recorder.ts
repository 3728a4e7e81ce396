/**
 * Writes what happened to deliveries, and does not let go of it while the disk refuses.
 *
 * An intent that cannot be written stops the transmission. Everything else has happened already and must reach the
 * store: it is kept, in order, and written again each second until the disk takes it. That is bounded, because a line
 * whose intent cannot be written starts nothing new.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Change, OperationLog, Store } from '#store/contract.ts'
import type { Replicas } from './ownership.ts'

/** How long an intent waits for another member's disk, ms. One that takes longer is lagging, and not waited for again. */
const REPLICA_WAIT_MS = 250

export class Recorder {
  readonly #store: Pick<Store, 'record'> & Pick<OperationLog, 'logged'>
  readonly #log: Log
  readonly #replicas: Replicas
  #owed: Change[] = []

  constructor(store: Pick<Store, 'record'> & Pick<OperationLog, 'logged'>, log: Log, replicas: Replicas) {
    this.#store = store
    this.#log = log
    this.#replicas = replicas
  }

  /** True while something that happened is not on disk: nothing new may be started. */
  get behind(): boolean {
    return this.#owed.length > 0
  }

  /** Resolves when the intent is on disk, here and (as far as it is to be waited for) on another member's; rejects when it is not, or when the delivery is no longer to be sent. */
  async intend(change: Change): Promise<void> {
    if (this.behind) throw new Error('The disk takes no writes.')
    const [applied] = await this.#store.record([change])
    if (!applied) throw new Error('The delivery was settled meanwhile.')
    await this.replicated()
  }

  /** Resolves when what is on disk here is on another member's, as far as that is to be waited for. */
  async replicated(): Promise<void> {
    if (this.#replicas.available()) await this.#replicas.acknowledged(this.#store.logged(), REPLICA_WAIT_MS)
  }

  /** Writes what has happened. Resolves when it is on disk, or is known to be owed. */
  async record(changes: readonly Change[]): Promise<void> {
    if (this.behind) {
      this.#owed.push(...changes)
      return
    }
    try {
      await this.#store.record(changes)
    } catch (error) {
      this.#owed.push(...changes)
      this.#log.error(
        { error: errorText(error), owed: this.#owed.length },
        'outcome not written; kept and tried again',
      )
    }
  }

  /** Tries again what is owed; to be called each second. */
  async payBack(): Promise<void> {
    const changes = this.#owed
    if (changes.length === 0) return
    try {
      await this.#store.record(changes)
      this.#owed = this.#owed.slice(changes.length)
      this.#log.info({ written: changes.length }, 'the disk takes writes again; what was owed is written')
    } catch (error) {
      this.#log.debug({ error: errorText(error) }, 'the disk still takes no writes')
    }
  }
}
