/**
 * When a line last did its work, kept over a restart. A line may do it each second and a memory card wears out: the time is
 * written at the end, and meanwhile once a minute at the most, so that a power cut costs a minute of it.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { LineMemory } from './contract.ts'

const WRITE_MS = 60_000

export class LastSuccess {
  readonly #memory: LineMemory
  readonly #name: string
  readonly #log: Log
  #at: number | undefined
  /** Runs while what is in the memory is out of date. */
  #timer: NodeJS.Timeout | undefined

  /** @param name in the memory, one for each line */
  constructor(memory: LineMemory, name: string, log: Log) {
    this.#memory = memory
    this.#name = name
    this.#log = log
  }

  /** ms since 1970; undefined when it never did */
  get at(): number | undefined {
    return this.#at
  }

  /** Never rejects. */
  async recall(): Promise<void> {
    const kept = Number((await this.#memory.recall(this.#name).catch(() => undefined)) ?? Number.NaN)
    if (Number.isFinite(kept)) this.#at ??= kept
  }

  note(at: number): void {
    this.#at = at
    this.#timer ??= setTimeout(() => void this.keep(), WRITE_MS).unref()
  }

  /** Writes what is not written yet. Never rejects. */
  async keep(): Promise<void> {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#memory
      .remember(this.#name, String(this.#at))
      .catch((error: unknown) => this.#log.error({}, errorText(error)))
  }
}
