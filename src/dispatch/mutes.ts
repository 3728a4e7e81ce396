/**
 * Lines that are to send nothing for a while, because a person said so; they go on receiving. Remembered, so that a
 * restart does not end it, and ended by time alone.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Store } from '#store/contract.ts'

/** A timer cannot be longer than this, ms. */
const LONGEST_TIMER = 2 ** 31 - 1

interface MuteDependencies {
  node: string
  store: Pick<Store, 'recall' | 'remember'>
  clock: Clock
  log: Log
  /** Told when a line begins or ceases to be mute. */
  changed(line: string, muted: boolean): void
}

export class Mutes {
  readonly #deps: MuteDependencies
  readonly #until = new Map<string, number>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(deps: MuteDependencies) {
    this.#deps = deps
  }

  /** Takes up what was said before the program started. */
  async load(lines: readonly string[]): Promise<void> {
    const { store, clock } = this.#deps
    const kept = await Promise.all(lines.map((line) => store.recall(this.#name(line))))
    for (const [n, line] of lines.entries()) {
      const until = Number(kept[n])
      if (until > clock.now()) this.#begin(line, until)
    }
  }

  /** Until when it is mute, ms since 1970; undefined when it is not. */
  until(line: string): number | undefined {
    return this.#until.get(line)
  }

  /** Resolves when it is on disk. @param until ms since 1970 */
  async mute(line: string, until: number): Promise<void> {
    await this.#deps.store.remember(this.#name(line), String(until))
    this.#begin(line, until)
  }

  async unmute(line: string): Promise<void> {
    if (!this.#until.has(line)) return
    await this.#deps.store.remember(this.#name(line), '0')
    this.#end(line)
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  #begin(line: string, until: number): void {
    this.#until.set(line, until)
    this.#deps.changed(line, true)
    this.#wait(line)
  }

  /** By the wall clock, which may be corrected meanwhile: looked at again when the time should be over. */
  #wait(line: string): void {
    clearTimeout(this.#timers.get(line))
    const left = (this.#until.get(line) ?? 0) - this.#deps.clock.now()
    if (left <= 0) {
      this.#deps.store.remember(this.#name(line), '0').catch((error: unknown) => {
        this.#deps.log.warn({ line, error: errorText(error) }, 'the end of a mute could not be stored')
      })
      this.#end(line)
      return
    }
    this.#timers.set(line, setTimeout(() => this.#wait(line), Math.min(left, LONGEST_TIMER)).unref())
  }

  #end(line: string): void {
    clearTimeout(this.#timers.get(line))
    this.#timers.delete(line)
    this.#until.delete(line)
    this.#deps.changed(line, false)
  }

  #name(line: string): string {
    return `line/${this.#deps.node}/${line}/muted`
  }
}
