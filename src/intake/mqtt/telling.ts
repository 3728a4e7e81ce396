/**
 * What the broker is told about this member, as topics and payloads: role, queue, lines, and what happens to messages.
 * Pure. Texts of messages never go out.
 */
import type { LineStatus } from '#lines/contract.ts'
import { messageOf } from '#messages/message.ts'
import type { DeliveryEvent, DeliveryState } from '#messages/states.ts'
import type { Acceptance, Change, QueueDepth } from '#store/contract.ts'

export interface Told {
  topic: string
  payload: object
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** @param now ms since 1970 */
export const queuePayload = (
  { queued, submitting, awaitingReport, unknown, oldest }: QueueDepth,
  now: number,
) => ({
  queued,
  submitting,
  awaitingReport,
  unknown,
  oldestSeconds: oldest === undefined ? 0 : Math.max(0, Math.round((now - oldest) / 1000)),
})

export function linePayload({ state, reason, busy, signal, network, kind, port }: LineStatus): object {
  return {
    state,
    busy,
    kind,
    port,
    // `null` clears what Home Assistant shows; an absent value would be an error in its template.
    signal: signal ?? null,
    operator: network?.operator ?? null,
    ...(reason === undefined ? {} : { reason }),
  }
}

/** What the last event of each kind makes of a delivery; `confirm` is progress and no change. */
const states: Record<Exclude<DeliveryEvent['event'], 'confirm' | 'report'>, DeliveryState> = {
  intend: 'submitting',
  accepted: 'sent',
  defer: 'queued',
  resend: 'queued',
  hold: 'unknown',
  fail: 'failed',
  expire: 'expired',
  cancel: 'cancelled',
  retry: 'queued',
  reportFailed: 'failed',
  reportTimeout: 'sent',
  acknowledge: 'acknowledged',
  move: 'queued',
}

/** Deliveries of which it is known how many parts are still to be reported. */
const MOST_FOLLOWED = 10_000

/** Follows messages through what is written about them. */
export class MessageTeller {
  readonly #topic: string
  /** Parts that are not reported yet, by delivery; most have one part. */
  readonly #open = new Map<string, Set<number> | 'one'>()

  /** @param topic what every topic begins with */
  constructor(topic: string) {
    this.#topic = topic
  }

  accepted({ message, deliveries }: Acceptance): Told {
    for (const { id, parts } of deliveries.slice(0, MOST_FOLLOWED)) {
      this.#open.set(id, parts === 1 ? 'one' : new Set(Array.from({ length: parts }, (_, part) => part)))
    }
    for (const id of this.#open.keys()) {
      if (this.#open.size <= MOST_FOLLOWED) break
      this.#open.delete(id)
    }
    const { id, at, source, priority, tag } = message
    return {
      topic: `${this.#topic}/message/${id}`,
      payload: {
        event: 'accept',
        state: 'queued',
        message: id,
        at: iso(at),
        source,
        priority,
        deliveries: deliveries.length,
        ...(tag === undefined ? {} : { tag }),
      },
    }
  }

  recorded({ delivery, event, at }: Change): Told | undefined {
    const state = this.#stateAfter(delivery, event)
    if (state === undefined && event.event !== 'report') return undefined
    const message = messageOf(delivery)
    return {
      topic: `${this.#topic}/message/${message}`,
      payload: {
        event: event.event,
        ...(state === undefined ? {} : { state }),
        message,
        delivery,
        at: iso(at),
        ...('node' in event && event.node !== undefined ? { node: event.node } : {}),
        ...('line' in event && event.line !== undefined ? { line: event.line } : {}),
        ...('part' in event ? { part: event.part } : {}),
        ...('reason' in event ? { reason: event.reason } : {}),
      },
    }
  }

  #stateAfter(delivery: string, event: DeliveryEvent): DeliveryState | undefined {
    if (event.event === 'confirm') return undefined
    if (event.event !== 'report') return states[event.event]
    // Of what was accepted before the start nobody here knows how many parts it has.
    const open = this.#open.get(delivery)
    if (open === undefined) return undefined
    if (open !== 'one') open.delete(event.part)
    if (open !== 'one' && open.size > 0) return undefined
    this.#open.delete(delivery)
    return 'delivered'
  }
}
