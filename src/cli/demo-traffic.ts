/**
 * The client of the demo: one message a second to the common address, each with a key of its own, tried again until it
 * is accepted, as a careful client does; and now and then a look at what became of them.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { call, type Target } from './client.ts'

const EVERY_MS = 1_000
const TRIES = 100
const AGAIN_MS = 100
/** Looked at so long after they were accepted; older ones are final. */
const WATCHED = 200

export interface Tally {
  asked: number
  accepted: number
  /** Accepted by one disk only. */
  oneDisk: number
  delivered: number
  /** Somebody may get them twice. */
  flagged: number
  failed: number
}

export class Traffic {
  readonly tally: Tally = { asked: 0, accepted: 0, oneDisk: 0, delivered: 0, flagged: 0, failed: 0 }
  readonly #target: Target
  readonly #open = new Set<string>()
  #stopped = false

  constructor(target: Target) {
    this.#target = target
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      void this.#send()
      await Promise.all([this.#look(), pause(EVERY_MS)])
    }
  }

  stop(): void {
    this.#stopped = true
  }

  async #send(): Promise<void> {
    const number = this.tally.asked++
    const headers = { 'idempotency-key': randomUUID() }
    const body = JSON.stringify({ to: ['+4915112345678'], text: `Alert ${number}: pump 3 has stopped` })
    for (let attempt = 0; attempt < TRIES && !this.#stopped; attempt += 1) {
      const answer = await call(this.#target, { method: 'POST', path: '/messages', body, headers })
      if (answer.result === 'answer' && answer.status === 202) {
        const { id, replicated } = fields(answer.body)
        this.tally.accepted += 1
        if (replicated !== true) this.tally.oneDisk += 1
        if (typeof id === 'string' && this.#open.size < WATCHED) this.#open.add(id)
        return
      }
      await pause(AGAIN_MS)
    }
  }

  async #look(): Promise<void> {
    for (const id of this.#open) {
      const answer = await call(this.#target, { method: 'GET', path: `/messages/${id}` })
      if (answer.result !== 'answer' || answer.status !== 200) return
      const deliveries = fields(answer.body)['deliveries']
      const [delivery] = Array.isArray(deliveries) ? deliveries : []
      const { state, possibleDuplicate } = fields(delivery)
      if (state === 'delivered') this.tally.delivered += 1
      else if (state === 'failed' || state === 'expired') this.tally.failed += 1
      else continue
      if (possibleDuplicate === true) this.tally.flagged += 1
      this.#open.delete(id)
    }
  }
}

/** What an appliance answered, to be looked at field by field. */
export const fields = (body: unknown): Record<string, unknown> =>
  typeof body === 'object' && body !== null ? { ...body } : {}
