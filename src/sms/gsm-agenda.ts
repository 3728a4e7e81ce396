/**
 * What a GSM line does beside sending: one job after the other, each made of short commands that wait for their turn on
 * the channel behind transmissions. Bounded; a job that is already waiting under its name is not added again.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'

const LIMIT = 200

interface Job {
  name: string
  run: () => Promise<void>
}

export class Agenda {
  readonly #log: Log
  #jobs: Job[] = []
  #running = false
  #open = false

  constructor(log: Log) {
    this.#log = log
  }

  /** False when it is full: whoever adds then falls back on the next sweep. */
  add(name: string, run: () => Promise<void>, where: 'first' | 'last' = 'last'): boolean {
    if (this.#jobs.some((job) => job.name === name)) return true
    // What goes first is rare and has few names.
    if (where === 'last' && this.#jobs.length >= LIMIT) return false
    if (where === 'first') this.#jobs.unshift({ name, run })
    else this.#jobs.push({ name, run })
    void this.#turn()
    return true
  }

  open(): void {
    this.#open = true
    void this.#turn()
  }

  /** Forgets what waits: the modem has lost it, or the sweep after the next preparation finds it. */
  close(): void {
    this.#open = false
    this.#jobs = []
  }

  async #turn(): Promise<void> {
    if (this.#running) return
    this.#running = true
    while (this.#open) {
      const job = this.#jobs.shift()
      if (!job) break
      try {
        await job.run()
      } catch (error) {
        this.#log.error({ job: job.name }, `A job of the line failed: ${errorText(error)}`)
      }
    }
    this.#running = false
  }
}
