/**
 * What waits to be written to one member, in three classes: acknowledgements and requests first, then log entries,
 * then snapshots. The link's own buffer is kept short, so that what is urgent overtakes what is bulky.
 */
import type { Buffer } from 'node:buffer'
import type { Links } from '../links/contract.ts'
import { split } from './frames.ts'

export type Urgency = 'urgent' | 'log' | 'bulk'
const order: readonly Urgency[] = ['urgent', 'log', 'bulk']

/** Beyond this the link's buffer is left to drain. */
const BUFFERED_BYTES = 262_144
const DRAIN_MS = 5
/** In one class; what comes beyond is dropped, and whoever needs it sends it again. */
const MOST_BYTES = 96 * 1_048_576

interface Waiting {
  topic: string
  payload: Buffer
}

export class Outbox {
  readonly #to: string
  readonly #links: Pick<Links, 'send' | 'waiting'>
  readonly #queues: Record<Urgency, { items: Waiting[]; bytes: number }> = {
    urgent: { items: [], bytes: 0 },
    log: { items: [], bytes: 0 },
    bulk: { items: [], bytes: 0 },
  }
  #transfer = 0
  #timer: NodeJS.Timeout | undefined

  constructor(to: string, links: Pick<Links, 'send' | 'waiting'>) {
    this.#to = to
    this.#links = links
  }

  /** @returns false when too much waits already; nothing will be sent then */
  send(topic: string, text: string, urgency: Urgency): boolean {
    const queue = this.#queues[urgency]
    this.#transfer = (this.#transfer + 1) % 2 ** 32
    const payloads = split(text, this.#transfer)
    const bytes = payloads.reduce((sum, { length }) => sum + length, 0)
    if (queue.bytes > 0 && queue.bytes + bytes > MOST_BYTES) return false
    for (const payload of payloads) queue.items.push({ topic, payload })
    queue.bytes += bytes
    if (this.#timer === undefined) this.#drain()
    return true
  }

  /** The connection has ended. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const queue of Object.values(this.#queues)) {
      queue.items = []
      queue.bytes = 0
    }
  }

  #drain(): void {
    this.#timer = undefined
    for (const urgency of order) {
      const queue = this.#queues[urgency]
      let written = 0
      for (const { topic, payload } of queue.items) {
        if (this.#links.waiting(this.#to) > BUFFERED_BYTES) break
        if (!this.#links.send(this.#to, topic, payload, 'one')) break
        queue.bytes -= payload.length
        written += 1
      }
      queue.items.splice(0, written)
      if (queue.items.length > 0) {
        this.#timer = setTimeout(() => this.#drain(), DRAIN_MS)
        return
      }
    }
  }
}
