/**
 * The delivery loop: claim → line → settle, driven by events, never by polling for work.
 *
 *   accepted ──▶ window ──(a line is free)──▶ attempt ──▶ outcome ──▶ settled in the store
 *                  ▲                                                      │
 *                  └──────── claim (window low, or something fell due) ◀──┘
 *
 * Invariants: a delivery is in the window, in one attempt, or in the store, never in two of them; an intent is written
 * only for the line that is free for it; nothing starts while an outcome is owed to the disk.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Delivery, Message } from '#messages/message.ts'
import { blamesLine, type Outcome } from '#messages/outcome.ts'
import { settle } from '#messages/retry.ts'
import type { DeliveryEvent, Reason } from '#messages/states.ts'
import type { Change, Claim, ClaimRequest, OperationLog, Store } from '#store/contract.ts'
import { Attempt, endOf, reasons } from './attempt.ts'
import { Doubtful } from './doubtful.ts'
import { handOn } from './handing.ts'
import { overdueChanges } from './overdue.ts'
import type { Ownership, Replicas } from './ownership.ts'
import { attemptOf, chooseLine, firstUsable, type Post, postsOf } from './posts.ts'
import { Recorder } from './recorder.ts'
import { Rounds } from './rounds.ts'
import type { Router, Tiers } from './routing.ts'
import type { StormGuard } from './storm-guard.ts'
import { tiersVia } from './via.ts'
import { Window } from './window.ts'

/** Due deliveries held in memory; far below the 10,000 that the design allows, and enough for minutes of any line. */
const WINDOW = 2_000
const LOW_WATER = 1_000
const BATCH = 500
/** Claimed even when the window is full, so that something urgent that falls due is not kept waiting outside. */
const SMALL_BATCH = 32
const TICK_MS = 1_000
const CLAIM_MS = 3_600_000
/** Ticks between two looks into the store; what is in the window is looked at each tick. */
const THOROUGH_TICKS = 5
/** How long a stop waits for answers to what has been transmitted, ms. */
const STOP_MS = 10_000

export interface LoopDependencies {
  node: string
  store: Store & Pick<OperationLog, 'logged' | 'operate'>
  clock: Clock
  log: Log
  ownership: Ownership
  replicas: Replicas
  router: Router
  lines: readonly Pick<Post, 'line' | 'config'>[]
  /** Holds back what is too much; absent: nothing is. */
  guard?: StormGuard
}

export class Loop {
  readonly #deps: LoopDependencies
  readonly #posts: Map<string, Post>
  readonly #window = new Window(WINDOW)
  readonly #recorder: Recorder
  readonly #doubtful: Doubtful
  readonly #rounds = new Rounds()
  #concatenation = Math.floor(Math.random() * 65_536)
  /** The store may hold due deliveries that are not in the window. */
  #moreInStore = true
  #claiming = false
  #claimAgain = false
  #dueTimer: { at: number; timer: NodeJS.Timeout } | undefined
  #paceTimer: NodeJS.Timeout | undefined
  #ticker: NodeJS.Timeout | undefined
  #tickedAt = 0
  #ticks = 0
  #stopping = false
  /** What waits here was claimed under the right to transmit that holds now: after a gap it may be another's. */
  #claimsHold = false
  /** Claimed while the storm guard did not know yet what went out before. */
  #parked: string[] = []
  #router: Router

  constructor(deps: LoopDependencies) {
    this.#deps = deps
    this.#router = deps.router
    this.#doubtful = new Doubtful(deps)
    this.#recorder = new Recorder(deps.store, deps.log, deps.replicas)
    this.#posts = postsOf(deps.lines, deps.clock.monotonic())
  }

  /** Settles what the last run left half done, then begins. */
  async start(): Promise<void> {
    await this.#doubtful.resume()
    this.#tickedAt = this.#deps.clock.monotonic()
    this.#ticker = setInterval(() => void this.#tick(), TICK_MS)
    const guarded = this.guardAnew()
    this.wake()
    await guarded
  }

  /** Ends what can be ended, waits (bounded) for answers to what was transmitted, gives back the rest. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#ticker)
    clearTimeout(this.#dueTimer?.timer)
    clearTimeout(this.#paceTimer)
    const current = [...this.#posts.values()].flatMap((post) => post.current ?? [])
    for (const { attempt } of current) attempt.forbid(reasons.stopping)
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
    await Promise.race([Promise.all(current.map(({ done }) => done)), deadline])
    await this.#recorder.payBack()
  }

  /** The right to transmit came or went, or it covers other deliveries than before. */
  async ownershipChanged(): Promise<void> {
    await this.#giveBack()
    this.#claimsHold = !this.#deps.ownership.stop()
    if (!this.#claimsHold) return
    const guarded = this.guardAnew()
    await this.adopt()
    this.wake()
    await guarded
  }

  /** The storm guard reads what went out before; what has no priority 0 waits for that. */
  async guardAnew(): Promise<void> {
    await this.#deps.guard?.begin()
    const parked = this.#parked.splice(0)
    if (parked.length === 0) return
    await this.#deps.store.release(parked)
    this.wake()
  }

  /** Routes changed: what waits is sorted anew. */
  async reroute(router: Router): Promise<void> {
    this.#router = router
    await this.#giveBack()
    this.wake()
  }

  /** Everything that waits here goes back to the store. */
  async #giveBack(): Promise<void> {
    const held = this.#window.ids()
    for (const id of held) this.#window.remove(id)
    this.#rounds.clear()
    this.#moreInStore = true
    if (held.length > 0) await this.#deps.store.release(held)
  }

  /** Settles what lost members left half done, as far as that is this member's to do. */
  async adopt(): Promise<void> {
    if (this.#deps.ownership.stop()) return
    const taken = await this.#deps.ownership.adoptLost()
    if ((await this.#doubtful.adopt((id) => attemptOf(this.#posts, id) !== undefined)) || taken) this.wake()
  }

  /** Something that happened could not be written yet. */
  get diskRefuses(): boolean {
    return this.#recorder.behind
  }

  /** False when the loop has not turned for a while: then the watchdog should act. */
  alive(): boolean {
    return this.#deps.clock.monotonic() - this.#tickedAt < 10 * TICK_MS
  }

  /** A line can be used, or is free again. */
  lineReady(id: string): void {
    const post = this.#posts.get(id)
    if (!post) return
    post.usable = true
    this.#pump()
  }

  lineDown(id: string): void {
    const post = this.#posts.get(id)
    if (!post) return
    post.usable = false
    // What waited for this line because it was the cheapest may go elsewhere now.
    this.#pump()
  }

  /** @param muted it sends nothing more from now on; false ends that */
  setMuted(id: string, muted: boolean): void {
    const post = this.#posts.get(id)
    if (post) post.muted = muted
    this.#pump()
  }

  /** The claim with which a new message of this priority should be accepted; undefined when it must wait its turn on disk. */
  claimFor(priority: number, deliveries: number): Pick<ClaimRequest, 'until' | 'term'> | undefined {
    if (this.#stopping || !this.#mayTransmit() || deliveries > this.#window.room) return undefined
    const ahead = !this.#moreInStore || priority < (this.#window.worstPriority() ?? 0)
    return ahead ? this.#claimTerms() : undefined
  }

  /** Takes newly accepted deliveries; `claimed` as they were accepted. */
  offer(message: Message, deliveries: readonly Delivery[], claimed: boolean): void {
    if (!claimed) {
      this.#moreInStore = true
      if (this.#window.size < LOW_WATER) void this.#claim()
      return
    }
    for (const delivery of deliveries) void this.#hold({ delivery, message })
    this.#pump()
  }

  /** Something in the store may be due. */
  wake(): void {
    this.#moreInStore = true
    void this.#claim()
  }

  /**
   * Cancels deliveries of one message, wherever they are. Resolves to those that it is too late for: their last part
   * may have been transmitted.
   */
  async cancel(deliveries: readonly Delivery[], reason: Reason): Promise<string[]> {
    const tooLate: string[] = []
    const waits: Promise<void>[] = []
    const changes: Change[] = []
    const at = this.#deps.clock.now()
    for (const { id } of deliveries) {
      const current = attemptOf(this.#posts, id)
      if (!current) {
        this.#window.remove(id)
        this.#rounds.over(id)
        changes.push({ delivery: id, event: { event: 'cancel', reason }, at })
      } else if (current.attempt.forbid(reason)) {
        waits.push(current.done)
      } else {
        tooLate.push(id)
      }
    }
    await this.#deps.store.record(changes)
    await Promise.race([
      Promise.all(waits),
      new Promise<void>((resolve) => setTimeout(resolve, 5_000).unref()),
    ])
    return tooLate
  }

  /** Gives deliveries of one message to a line. @returns whether any could still be given */
  async move(
    deliveries: readonly Delivery[],
    event: Extract<DeliveryEvent, { event: 'move' }>,
  ): Promise<boolean> {
    const waiting = deliveries.filter(({ id }) => attemptOf(this.#posts, id) === undefined)
    for (const { id } of waiting) {
      this.#window.remove(id)
      this.#rounds.over(id)
    }
    const at = this.#deps.clock.now()
    const moved = await this.#deps.store.record(waiting.map(({ id }) => ({ delivery: id, event, at })))
    this.wake()
    return moved.includes(true)
  }

  #mayTransmit(): boolean {
    if (this.#deps.ownership.stop()) this.#claimsHold = false
    else if (!this.#claimsHold && this.#window.size === 0) {
      this.#claimsHold = true
      this.#moreInStore = true
    }
    return this.#claimsHold
  }

  /** Gives every usable free line the most urgent delivery that it may send. */
  #pump(): void {
    if (this.#stopping || this.#recorder.behind || !this.#mayTransmit()) return
    const now = this.#deps.clock.monotonic()
    for (;;) {
      const next = this.#window.next((tiers, tried, priority) =>
        chooseLine(this.#posts, tiers, tried, {
          now,
          may: (line) => this.#lineMay(line, priority),
          waits: (ms) => this.#pumpIn(ms),
        }),
      )
      if (!next) break
      const post = this.#posts.get(next.line)
      this.#window.remove(next.held.delivery.id)
      if (post) this.#begin(post, next.held.delivery, next.held.message, now)
    }
    if (this.#moreInStore && this.#window.size + this.#parked.length < LOW_WATER) void this.#claim()
  }

  #begin(post: Post, delivery: Delivery, message: Message, now: number): void {
    const { clock, node, ownership } = this.#deps
    if (clock.trusted() && delivery.expires <= clock.now()) {
      void this.#settled({ delivery, message }, { event: 'expire', reason: reasons.expired })
      return
    }
    const attempt = new Attempt(delivery, message, {
      node,
      line: post.line.id,
      clock,
      recorder: this.#recorder,
      ownership,
      concatenation: this.#nextConcatenation(message),
      reports: post.config.reports,
      moreUrgentWaits: () => this.#moreUrgentWaits(post.line.id),
    })
    post.pace.used(now, delivery.parts - attempt.from)
    this.#deps.guard?.began(post.line.id, delivery, message, delivery.parts - attempt.from)
    const done = post.line.transmit(attempt).then((outcome) => this.#finish(post, attempt, outcome))
    post.current = { attempt, done }
  }

  /** Resolves when the outcome is on disk; the line is free again before that. */
  #finish(post: Post, attempt: Attempt, outcome: Outcome): Promise<void> {
    post.current = undefined
    const now = this.#deps.clock.monotonic()
    const { delivery, message } = attempt
    const stopped = outcome.result === 'notSent' ? attempt.forbidden : undefined
    if (outcome.result === 'accepted') post.pace.succeeded()
    else if (stopped === undefined && blamesLine(outcome)) post.pace.failed(now, delivery.to)
    const rest = post.pace.rest(now)
    if (rest > 0) this.#pumpIn(rest)

    const event = stopped ? endOf(stopped, delivery) : this.#settle(post, attempt, outcome, now)
    if (!event) this.#rounds.over(delivery.id)
    const settled = event ? this.#settled(attempt, event) : Promise.resolve()
    if (outcome.result !== 'accepted') {
      this.#deps.log.info(
        {
          delivery: delivery.id,
          line: post.line.id,
          result: outcome.result,
          reason: outcome.reason.code,
          message: message.id,
        },
        'attempt ended without acceptance',
      )
    }
    this.#pump()
    return settled
  }

  #settle(post: Post, attempt: Attempt, outcome: Outcome, now: number): DeliveryEvent | undefined {
    const { delivery, message } = attempt
    const { clock, node } = this.#deps
    const tried = this.#rounds.with(delivery.id, post.line.id)
    const left = firstUsable(this.#posts, this.#tiers(delivery), tried, now)
    const at = clock.now()
    const sum = left === undefined ? this.#rounds.sum(delivery.id, outcome, at) : outcome
    const event = settle(delivery, message, sum, {
      now: at,
      node,
      line: post.line.id,
      otherLine: left !== undefined,
    })
    const atOnce = event && (event.event === 'defer' || event.event === 'resend') && event.due <= at
    if (atOnce && left !== undefined) this.#rounds.goOn(delivery.id, tried, outcome, at)
    else this.#rounds.over(delivery.id)
    return event
  }

  /** Writes an event that ends an attempt; what it queues again comes back through a claim. */
  async #settled({ delivery, message }: Claim, event: DeliveryEvent): Promise<void> {
    const { clock, guard } = this.#deps
    if (event.event === 'fail' || event.event === 'expire') guard?.ended(delivery, message)
    await this.#recorder.record([{ delivery: delivery.id, event, at: clock.now() }])
    if (event.event !== 'defer' && event.event !== 'resend') return
    if (event.due <= clock.now()) this.wake()
    else this.#claimAt(event.due)
  }

  #moreUrgentWaits(line: string): boolean {
    const next = this.#window.next((tiers) => (tiers.some((tier) => tier.includes(line)) ? line : undefined))
    return next?.held.delivery.priority === 0
  }

  #nextConcatenation(message: Message): number {
    this.#concatenation = (this.#concatenation + 1) % (message.coding?.reference === 16 ? 65_536 : 256)
    return this.#concatenation
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
      } while (this.#claimAgain && !this.#stopping)
    } catch (error) {
      // The next tick tries again.
      this.#deps.log.error({ error: errorText(error) }, 'the queue could not be read')
    } finally {
      this.#claiming = false
    }
    this.#pump()
  }

  async #claimOnce(): Promise<void> {
    if (this.#stopping || !this.#mayTransmit()) return
    const limit = Math.max(SMALL_BATCH, Math.min(BATCH, this.#window.room))
    const now = this.#deps.clock.now()
    const { claims, nextDue } = await this.#deps.store.claim({
      limit,
      now,
      owner: this.#deps.ownership.owner(),
      ...this.#claimTerms(),
    })
    this.#moreInStore = nextDue !== undefined && nextDue <= now
    if (nextDue !== undefined && nextDue > now) this.#claimAt(nextDue)
    await Promise.all(claims.map((claim) => this.#hold(claim)))
    const surplus: string[] = []
    while (this.#window.room < 0) {
      const last = this.#window.last()
      if (!last) break
      this.#window.remove(last.delivery.id)
      surplus.push(last.delivery.id)
    }
    if (surplus.length > 0) {
      this.#moreInStore = true
      await this.#deps.store.release(surplus)
    }
  }

  /** Resolves when what the storm guard made of it is on disk. */
  async #hold({ delivery, message }: Claim): Promise<void> {
    if (attemptOf(this.#posts, delivery.id)) return
    const verdict = this.#deps.guard?.consider(delivery, message)
    if (verdict === 'later') {
      this.#parked.push(delivery.id)
      return
    }
    if (verdict) return this.#settled({ delivery, message }, verdict)
    this.#window.add(delivery, message, this.#tiers(delivery), this.#rounds.lines(delivery.id))
  }

  /** Whether a line has some of its budget left. */
  #lineMay(line: string, priority: number): boolean {
    return this.#deps.guard?.lineMay(line, priority) !== false
  }

  #tiers(delivery: Delivery): Tiers {
    return tiersVia(delivery, this.#deps.node, this.#router.tiers(delivery.channel, delivery.to))
  }

  #claimTerms(): Pick<ClaimRequest, 'until' | 'term'> {
    return { until: this.#deps.clock.now() + CLAIM_MS, term: this.#deps.ownership.term }
  }

  #claimAt(due: number): void {
    if (this.#stopping || (this.#dueTimer && this.#dueTimer.at <= due)) return
    clearTimeout(this.#dueTimer?.timer)
    const inMs = Math.min(Math.max(0, due - this.#deps.clock.now()), 3_600_000)
    const timer = setTimeout(() => {
      this.#dueTimer = undefined
      this.wake()
    }, inMs)
    this.#dueTimer = { at: due, timer }
  }

  #pumpIn(ms: number): void {
    if (this.#paceTimer) return
    this.#paceTimer = setTimeout(() => {
      this.#paceTimer = undefined
      this.#pump()
    }, Math.ceil(ms))
  }

  async #tick(): Promise<void> {
    try {
      await this.#recorder.payBack()
      if (!this.#mayTransmit() && !this.#deps.ownership.stop()) await this.ownershipChanged()
      if (this.#claimsHold) await this.#look()
      if (this.#claimsHold) await this.#deps.guard?.tick()
      this.#tickedAt = this.#deps.clock.monotonic()
    } catch (error) {
      if (!this.#stopping) this.#deps.log.error({ error: errorText(error) }, 'the periodic check failed')
    }
    this.#pump()
  }

  /** What time alone brings about. The one who may transmit sees to it, so that two members do not both write it. */
  async #look(): Promise<void> {
    const { clock, store, log, ownership } = this.#deps
    // Asking wakes the store's thread, which an idle appliance should not do each second.
    const thorough = this.#ticks++ % THOROUGH_TICKS === 0
    if (thorough) await this.adopt()
    const now = clock.monotonic()
    for (const post of this.#posts.values())
      if (post.usable && !post.muted && post.pace.rest(now) === 0) post.usedAt = now
    const usedAt = (line: string) => this.#posts.get(line)?.usedAt
    if (await handOn({ store, log, ownership }, this.#window, this.#router, usedAt, now)) this.wake()
    if (!clock.trusted()) return
    const changes = await overdueChanges(this.#window, store, clock.now(), thorough, (delivery) => {
      const lines = this.#tiers(delivery).flat()
      return lines.length > 0 && lines.every((line) => !this.#lineMay(line, delivery.priority))
    })
    if (changes.length > 0) await this.#recorder.record(changes)
  }
}
