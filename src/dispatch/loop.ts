/**
 * The delivery loop: claim (supply.ts) → line → settle, driven by events, never by polling for work.
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
import type { Change, Claim, OperationLog, Store } from '#store/contract.ts'
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
import { Supply } from './supply.ts'
import { tiersVia } from './via.ts'
import { Window } from './window.ts'

/** Due deliveries held in memory; far below the 10,000 that the design allows, and enough for minutes of any line. */
const WINDOW = 2_000
const TICK_MS = 1_000
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
  readonly #supply: Supply
  #concatenation = Math.floor(Math.random() * 65_536)
  #paceTimer: NodeJS.Timeout | undefined
  #ticker: NodeJS.Timeout | undefined
  #tickedAt = 0
  #ticks = 0
  #stopping = false
  #router: Router

  constructor(deps: LoopDependencies) {
    this.#deps = deps
    this.#router = deps.router
    this.#doubtful = new Doubtful(deps)
    this.#recorder = new Recorder(deps.store, deps.log, deps.replicas)
    this.#posts = postsOf(deps.lines, deps.clock.monotonic())
    this.#supply = new Supply({
      ...deps,
      window: this.#window,
      tiers: (delivery) => this.#tiers(delivery),
      tried: (id) => this.#rounds.lines(id),
      inHand: (id) => attemptOf(this.#posts, id) !== undefined,
      settle: (claim, event) => this.#settled(claim, event),
      filled: () => this.#pump(),
    })
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
    this.#supply.stop()
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
    if (!this.#supply.holdAnew()) return
    const guarded = this.guardAnew()
    await this.adopt()
    this.wake()
    await guarded
  }

  /** The storm guard reads what went out before; what has no priority 0 waits for that. */
  async guardAnew(): Promise<void> {
    await this.#deps.guard?.begin()
    await this.#supply.release()
  }

  /** Routes changed: what waits is sorted anew. */
  async reroute(router: Router): Promise<void> {
    this.#router = router
    await this.#giveBack()
    this.wake()
  }

  /** Everything that waits here goes back to the store. */
  async #giveBack(): Promise<void> {
    this.#rounds.clear()
    await this.#supply.giveBack()
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
  claimFor(priority: number, deliveries: number): ReturnType<Supply['claimFor']> {
    return this.#supply.claimFor(priority, deliveries)
  }

  /** Takes newly accepted deliveries; `claimed` as they were accepted. */
  offer(message: Message, deliveries: readonly Delivery[], claimed: boolean): void {
    this.#supply.offer(message, deliveries, claimed)
  }

  /** Something in the store may be due. */
  wake(): void {
    this.#supply.wake()
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

  /** Gives every usable free line the most urgent delivery that it may send. */
  #pump(): void {
    if (this.#stopping || this.#recorder.behind || !this.#supply.mayTransmit()) return
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
    this.#supply.refill()
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
    else this.#supply.wakeAt(event.due)
  }

  #moreUrgentWaits(line: string): boolean {
    const next = this.#window.next((tiers) => (tiers.some((tier) => tier.includes(line)) ? line : undefined))
    return next?.held.delivery.priority === 0
  }

  #nextConcatenation(message: Message): number {
    this.#concatenation = (this.#concatenation + 1) % (message.coding?.reference === 16 ? 65_536 : 256)
    return this.#concatenation
  }

  /** Whether a line has some of its budget left. */
  #lineMay(line: string, priority: number): boolean {
    return this.#deps.guard?.lineMay(line, priority) !== false
  }

  #tiers(delivery: Delivery): Tiers {
    return tiersVia(delivery, this.#deps.node, this.#router.tiers(delivery.channel, delivery.to))
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
      if (!this.#supply.mayTransmit() && !this.#deps.ownership.stop()) await this.ownershipChanged()
      if (this.#supply.claimsHold) await this.#look()
      if (this.#supply.claimsHold) await this.#deps.guard?.tick()
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
