/**
 * Deliveries left in `submitting` by somebody who can no longer say how it ended: an earlier run of this program, or a
 * member that is gone. Of those with an open intent the outcome is unknown; the others never left the box.
 *
 * A member that is alive settles its own: its outcome comes over the log. Should it stay away, the delivery is not left
 * hanging: after LONGEST_MS without progress it counts as cut off.
 */
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { Outcome } from '#messages/outcome.ts'
import { settle } from '#messages/retry.ts'
import { inDoubt, type Reason } from '#messages/states.ts'
import type { Claim, Store } from '#store/contract.ts'
import type { Ownership } from './ownership.ts'

/** Longer than any line takes over one short message, or one page, ms. */
const LONGEST_MS = { sms: 300_000, fax: 1_800_000, voice: 300_000 } as const

const interrupted: Reason = {
  code: 'interrupted',
  text: 'The appliance stopped while it was being transmitted.',
}

export interface DoubtfulDependencies {
  node: string
  store: Pick<Store, 'submitting' | 'record'>
  clock: Clock
  log: Log
  ownership: Ownership
}

export class Doubtful {
  readonly #deps: DoubtfulDependencies
  /** When a delivery of a living member was first seen in doubt at this part, ms of the monotonic clock. */
  #since = new Map<string, { part: number; at: number }>()

  constructor(deps: DoubtfulDependencies) {
    this.#deps = deps
  }

  /** What a former run of this member left, whatever its role is now. To be called before anything is transmitted. */
  async resume(): Promise<void> {
    const { store, node } = this.#deps
    for (const claim of await store.submitting()) {
      if ((claim.delivery.node ?? node) === node) await this.#settle(claim)
    }
  }

  /**
   * What members that are gone left: for the one who may transmit now.
   * @param inHand whether a delivery is being transmitted by this member
   * @returns whether anything was queued again
   */
  async adopt(inHand: (delivery: string) => boolean): Promise<boolean> {
    const { store, node, clock, ownership } = this.#deps
    const now = clock.monotonic()
    const waiting = new Map<string, { part: number; at: number }>()
    let settled = false
    for (const claim of await store.submitting()) {
      const { id, node: holder = node, confirmed, channel } = claim.delivery
      if (inHand(id)) continue
      const before = this.#since.get(id)
      const since = before?.part === confirmed ? before : { part: confirmed, at: now }
      if (holder !== node && ownership.alive(holder) && now - since.at < LONGEST_MS[channel]) {
        waiting.set(id, since)
        continue
      }
      // Own ones that nobody has in hand are being recorded at this moment.
      if (holder === node) continue
      await this.#settle(claim)
      settled = true
    }
    this.#since = waiting
    return settled
  }

  async #settle({ delivery, message }: Claim): Promise<void> {
    const { store, clock, log } = this.#deps
    const { confirmed, intended = confirmed } = delivery
    const outcome: Outcome = !inDoubt(delivery)
      ? { result: 'notSent', reason: interrupted, progress: { confirmed } }
      : { result: 'unknown', reason: interrupted, step: intended, progress: { confirmed } }
    const { node = this.#deps.node, line = '' } = delivery
    const event = settle(delivery, message, outcome, { now: clock.now(), node, line, otherLine: false })
    if (event) await store.record([{ delivery: delivery.id, event, at: clock.now() }])
    log.warn(
      { delivery: delivery.id, node, line, outcome: outcome.result },
      'transmission was cut off; its outcome is settled here',
    )
  }
}
