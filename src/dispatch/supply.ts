/**
 * What keeps the window filled: what is newly accepted, and claims from the store when the window is low or something
 * falls due. What waits in the window was claimed under the right to transmit that held then; when that right came or
 * went, or the routes changed, all of it goes back.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Delivery, Message } from '#messages/message.ts'
import type { DeliveryEvent } from '#messages/states.ts'
import type { Claim, ClaimRequest, Store } from '#store/contract.ts'
import type { Ownership } from './ownership.ts'
import type { Tiers } from './routing.ts'
import type { StormGuard } from './storm-guard.ts'
import type { Window } from './window.ts'

const LOW_WATER = 1_000
const BATCH = 500
/** Claimed even when the window is full, so that something urgent that falls due is not kept waiting outside. */
const SMALL_BATCH = 32
const CLAIM_MS = 3_600_000
/** A timer is set for an hour at the most; then the store is asked again. */
const LONGEST_TIMER_MS = 3_600_000

export interface SupplyDependencies {
  window: Window
  store: Pick<Store, 'claim' | 'release'>
  clock: Clock
  log: Log
  ownership: Ownership
  /** Holds back what is too much; absent: nothing is. */
  guard?: StormGuard
  /** The lines that may send a delivery. */
  tiers(delivery: Delivery): Tiers
  /** The lines that have refused it in this round of tries. */
  tried(delivery: string): ReadonlySet<string> | undefined
  /** It is being transmitted. */
  inHand(delivery: string): boolean
  /** Writes what the storm guard made of one. */
  settle(claim: Claim, event: DeliveryEvent): Promise<void>
  /** There is something new in the window. */
  filled(): void
}

export class Supply {
  readonly #deps: SupplyDependencies
  /** The store may hold due deliveries that are not in the window. */
  #moreInStore = true
  #claiming = false
  #claimAgain = false
  #dueTimer: { at: number; timer: NodeJS.Timeout } | undefined
  /** What waits here was claimed under the right to transmit that holds now: after a gap it may be another's. */
  #claimsHold = false
  /** Claimed while the storm guard did not know yet what went out before. */
  #parked: string[] = []
  #stopped = false

  constructor(deps: SupplyDependencies) {
    this.#deps = deps
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#dueTimer?.timer)
  }

  /** As of the last time that it was asked for or changed. */
  get claimsHold(): boolean {
    return this.#claimsHold
  }

  /** The right to transmit is what it is now, and what waits here was claimed under it. @returns whether there is one */
  holdAnew(): boolean {
    this.#claimsHold = !this.#deps.ownership.stop()
    return this.#claimsHold
  }

  mayTransmit(): boolean {
    const { ownership, window } = this.#deps
    if (ownership.stop()) this.#claimsHold = false
    else if (!this.#claimsHold && window.size === 0) {
      this.#claimsHold = true
      this.#moreInStore = true
    }
    return this.#claimsHold
  }

  /** The claim with which a new message of this priority should be accepted; undefined when it must wait its turn on disk. */
  claimFor(priority: number, deliveries: number): Pick<ClaimRequest, 'until' | 'term'> | undefined {
    const { window } = this.#deps
    if (this.#stopped || !this.mayTransmit() || deliveries > window.room) return undefined
    const ahead = !this.#moreInStore || priority < (window.worstPriority() ?? 0)
    return ahead ? this.#claimTerms() : undefined
  }

  /** Takes newly accepted deliveries; `claimed` as they were accepted. */
  offer(message: Message, deliveries: readonly Delivery[], claimed: boolean): void {
    if (!claimed) {
      this.#moreInStore = true
      if (this.#deps.window.size < LOW_WATER) void this.#claim()
      return
    }
    for (const delivery of deliveries) void this.#hold({ delivery, message })
    this.#deps.filled()
  }

  /** Something in the store may be due. */
  wake(): void {
    this.#moreInStore = true
    void this.#claim()
  }

  /** Something in the store falls due, ms since 1970. */
  wakeAt(due: number): void {
    if (this.#stopped || (this.#dueTimer && this.#dueTimer.at <= due)) return
    clearTimeout(this.#dueTimer?.timer)
    const inMs = Math.min(Math.max(0, due - this.#deps.clock.now()), LONGEST_TIMER_MS)
    const timer = setTimeout(() => {
      this.#dueTimer = undefined
      this.wake()
    }, inMs)
    this.#dueTimer = { at: due, timer }
  }

  /** Something has left the window. */
  refill(): void {
    if (this.#moreInStore && this.#deps.window.size + this.#parked.length < LOW_WATER) void this.#claim()
  }

  /** Everything that waits here goes back to the store. */
  async giveBack(): Promise<void> {
    const { window, store } = this.#deps
    const held = window.ids()
    for (const id of held) window.remove(id)
    this.#moreInStore = true
    if (held.length > 0) await store.release(held)
  }

  /** The storm guard knows now what went out before: what waited for that goes back to the store. */
  async release(): Promise<void> {
    const parked = this.#parked.splice(0)
    if (parked.length === 0) return
    await this.#deps.store.release(parked)
    this.wake()
  }

  async #claim(): Promise<void> {
    if (this.#claiming) {
      this.#claimAgain = true
      return
    }
    this.#claiming = true
    try {
      do {
        this.#claimAgain = false
        await this.#claimOnce()
      } while (this.#claimAgain && !this.#stopped)
    } catch (error) {
      // The next tick tries again.
      this.#deps.log.error({ error: errorText(error) }, 'the queue could not be read')
    } finally {
      this.#claiming = false
    }
    this.#deps.filled()
  }

  async #claimOnce(): Promise<void> {
    if (this.#stopped || !this.mayTransmit()) return
    const { window, store, clock, ownership } = this.#deps
    const limit = Math.max(SMALL_BATCH, Math.min(BATCH, window.room))
    const now = clock.now()
    const { claims, nextDue } = await store.claim({
      limit,
      now,
      owner: ownership.owner(),
      ...this.#claimTerms(),
    })
    this.#moreInStore = nextDue !== undefined && nextDue <= now
    if (nextDue !== undefined && nextDue > now) this.wakeAt(nextDue)
    await Promise.all(claims.map((claim) => this.#hold(claim)))
    const surplus: string[] = []
    while (window.room < 0) {
      const last = window.last()
      if (!last) break
      window.remove(last.delivery.id)
      surplus.push(last.delivery.id)
    }
    if (surplus.length > 0) {
      this.#moreInStore = true
      await store.release(surplus)
    }
  }

  /** Resolves when what the storm guard made of it is on disk. */
  async #hold({ delivery, message }: Claim): Promise<void> {
    const { window, guard, tiers, tried, inHand, settle } = this.#deps
    if (inHand(delivery.id)) return
    const verdict = guard?.consider(delivery, message)
    if (verdict === 'later') {
      this.#parked.push(delivery.id)
      return
    }
    if (verdict) return settle({ delivery, message }, verdict)
    window.add(delivery, message, tiers(delivery), tried(delivery.id))
  }

  #claimTerms(): Pick<ClaimRequest, 'until' | 'term'> {
    return { until: this.#deps.clock.now() + CLAIM_MS, term: this.#deps.ownership.term }
  }
}
