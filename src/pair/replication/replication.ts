/**
 * Replication of the operation log between the members of a pair: runs the machine of machine.ts over links and store.
 *
 * Everything is QoS 0: what counts is the acknowledgement that the machine of the other member sends when its store has
 * fsynced. Inputs are taken one at a time; an effect that is done at once may bring the next input.
 */
import { Buffer } from 'node:buffer'
import type { Clock } from '#core/clock.ts'
import { CodedError, errorText, unreachable } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Answer } from '#core/member-questions.ts'
import type { LogPosition, OperationLog } from '#store/contract.ts'
import type { ReplicationView } from '../contract.ts'
import type { LinkMember, Links, LinksOptions } from '../links/contract.ts'
import { Assembly, LARGEST_PAYLOAD } from './frames.ts'
import { isSynchronised, nextDeadline, step } from './machine.ts'
import type { Message } from './messages.ts'
import { Outbox, type Urgency } from './outbox.ts'
import { type Handler, Requests } from './requests.ts'
import { behind } from './sending.ts'
import { SnapshotCarrier } from './snapshot-carrier.ts'
import { type Effect, type Input, initialState, isMet, ownAcked, reach, type State } from './state.ts'
import { others, retained, viewsOf } from './views.ts'
import { Waits } from './waits.ts'
import { decode, encode } from './wire.ts'

const LOG_TOPIC = 'log'
const REQUEST_TOPIC = 'request'
/** Asked of the log at a time. */
const READ_BYTES = 131_072
/** How soon after a change the store hears what the others still need. */
const RETAIN_MS = 2_000
/** Characters of a question or answer that carries more than words. */
const LARGE_TEXT = 16_384
/** A timer of Node counts no further. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What replication needs of the store. */
export type ReplicationStore = Pick<
  OperationLog,
  | 'logged'
  | 'onLogged'
  | 'positions'
  | 'read'
  | 'merge'
  | 'openIncarnation'
  | 'retain'
  | 'snapshot'
  | 'loadSnapshot'
  | 'complete'
>

export interface ReplicationOptions {
  store: ReplicationStore
  /** Opens the gateway's links; what it is given completes LinksOptions. */
  openLinks(own: Pick<LinksOptions, 'largest' | 'onMessage' | 'onPaths'>): Promise<Links>
  members: readonly LinkMember[]
  clock: Pick<Clock, 'monotonic'>
  log: Log
  events: {
    /** A documented code and a sentence for a person. */
    alarm(code: string, text: string): void
    /** The open paths to a member changed. */
    paths?(node: string, paths: readonly { address: string; up: boolean }[]): void
  }
}

export interface Replication {
  readonly links: Links
  setMembers(members: readonly LinkMember[]): void
  /**
   * Whether some other member has own entries up to a position on its disk. False at once when no member is connected
   * that keeps up; after `withinMs` every member that has missed counts as lagging.
   */
  acknowledged(position: LogPosition, withinMs: number): Promise<boolean>
  /** Some connected member keeps up, so that waiting for it makes sense. */
  available(): boolean
  /** Some connected member holds the whole own log. */
  current(): boolean
  /** This member holds what the connected members hold, and has held it once since it started. */
  synchronised(): boolean
  views(): ReplicationView[]
  /** For heartbeats: the own log, and how far the newest log of every other member is on the own disk. */
  positions(): { own: LogPosition; merged: LogPosition[] }
  /** Before an announced stop: waits until every connected member has all own entries. */
  flush(withinMs: number): Promise<boolean>
  /** Asks a member; never rejects. */
  request(to: string, topic: string, body: string, deadlineMs: number): Promise<Answer>
  handle(topic: string, handler: Handler): void
  stop(): Promise<void>
}

/**
 * Opens a new incarnation of the own log and begins to replicate. Call it before the first entry of this run.
 * @throws when the links cannot listen
 */
export async function startReplication(options: ReplicationOptions): Promise<Replication> {
  const { store } = options
  // Before a lost tail is asked for: its numbers stay those of the former log, so nothing that is written meanwhile can
  // take the place of what the other members still have of it; it is merged when they are reached, however late.
  const own = await store.openIncarnation()
  const runner = new Runner(options, initialState(own, await store.positions(), store.complete()))
  await runner.start()
  return runner
}

class Runner implements Replication {
  readonly #options: ReplicationOptions
  readonly #log: Log
  readonly #carrier: SnapshotCarrier
  readonly #requests: Requests
  readonly #waits = new Waits()
  readonly #outboxes = new Map<string, Outbox>()
  readonly #assemblies = new Map<string, Assembly>()
  readonly #up = new Map<string, number>()
  #links: Links | undefined
  #state: State
  #inputs: Input[] = []
  #turning = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #retaining: NodeJS.Timeout | undefined
  #watchers: (() => void)[] = []

  constructor(options: ReplicationOptions, state: State) {
    this.#options = options
    this.#log = options.log.child({ part: 'replication' })
    this.#state = state
    const { store, clock } = options
    this.#carrier = new SnapshotCarrier(store, clock.monotonic, (input) => this.#take(input))
    this.#requests = new Requests({
      log: this.#log,
      send: (to, text) =>
        (this.#up.get(to) ?? 0) > 0 && this.#outbox(to).send(REQUEST_TOPIC, text, asked(text)),
    })
  }

  get links(): Links {
    if (!this.#links) throw new Error('the links are not open')
    return this.#links
  }

  async start(): Promise<void> {
    const { store, members } = this.#options
    store.onLogged((batch) => this.#take({ input: 'logged', batch }))
    this.#links = await this.#options.openLinks({
      largest: LARGEST_PAYLOAD,
      onMessage: (from, topic, payload) => this.#received(from, topic, payload),
      onPaths: (node, paths) => this.#paths(node, paths),
    })
    this.setMembers(members)
  }

  setMembers(members: readonly LinkMember[]): void {
    this.#take({ input: 'members', nodes: members.map(({ node }) => node) })
    this.#links?.setMembers(members)
  }

  async acknowledged({ incarnation, sequence }: LogPosition, withinMs: number): Promise<boolean> {
    if (incarnation !== this.#state.incarnation) return false
    if (sequence <= this.#acked()) return true
    if (!this.available()) return false
    return this.#waits.until(sequence, withinMs, () => this.#take({ input: 'missed', sequence }))
  }

  available(): boolean {
    return [...this.#state.peers.values()].some(({ phase }) => phase === 'current')
  }

  current(): boolean {
    return [...this.#state.peers.values()].some((peer) => isMet(peer) && behind(this.#state, peer) === 0)
  }

  synchronised(): boolean {
    return isSynchronised(this.#state)
  }

  views(): ReplicationView[] {
    return viewsOf(this.#state)
  }

  positions(): { own: LogPosition; merged: LogPosition[] } {
    return { own: this.#options.store.logged(), merged: others(this.#state) }
  }

  async flush(withinMs: number): Promise<boolean> {
    const until = this.#options.clock.monotonic() + withinMs
    for (;;) {
      const met = [...this.#state.peers.values()].filter(isMet)
      if (met.every((peer) => behind(this.#state, peer) === 0)) return true
      const left = until - this.#options.clock.monotonic()
      if (left <= 0 || this.#stopped) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#watchers.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  request(to: string, topic: string, body: string, deadlineMs: number): Promise<Answer> {
    return this.#requests.ask(to, topic, body, deadlineMs)
  }

  handle(topic: string, handler: Handler): void {
    this.#requests.handle(topic, handler)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#retaining)
    this.#waits.settle(this.#acked(), false)
    this.#requests.stop()
    for (const outbox of this.#outboxes.values()) outbox.clear()
    await this.#links?.close()
    await this.#carrier.stop()
    this.#watch()
  }

  #acked(): number {
    return Math.max(0, ...[...this.#state.peers.values()].map((peer) => ownAcked(this.#state, peer)))
  }

  #outbox(to: string): Outbox {
    const known = this.#outboxes.get(to)
    if (known) return known
    const outbox = new Outbox(to, this.links)
    this.#outboxes.set(to, outbox)
    return outbox
  }

  #paths(node: string, paths: readonly { address: string; up: boolean }[]): void {
    const before = this.#up.get(node) ?? 0
    const up = paths.filter((path) => path.up).length
    this.#up.set(node, up)
    if (before === 0 && up > 0) this.#take({ input: 'open', node })
    else if (up > 0 && up < before) this.#take({ input: 'switched', node })
    else if (before > 0 && up === 0) {
      this.#outboxes.get(node)?.clear()
      for (const topic of [LOG_TOPIC, REQUEST_TOPIC]) this.#assemblies.delete(`${node} ${topic}`)
      this.#requests.closed(node)
      this.#take({ input: 'closed', node })
    }
    this.#options.events.paths?.(node, paths)
  }

  #received(from: string, topic: string, payload: Buffer): void {
    const key = `${from} ${topic}`
    const assembly = this.#assemblies.get(key) ?? new Assembly()
    this.#assemblies.set(key, assembly)
    const text = assembly.take(payload)
    if (text === undefined) return
    if (topic === REQUEST_TOPIC) {
      this.#requests.take(from, text)
      return
    }
    const message = topic === LOG_TOPIC ? decode(text) : undefined
    if (message) this.#take({ input: 'message', from, message })
    else this.#log.debug({ from, topic }, 'replication: a message of a kind that is not known here')
  }

  /** The loop: one input at a time, effects in order. */
  #take(first: Input): void {
    this.#inputs.push(first)
    if (this.#turning) return
    this.#turning = true
    for (let input = this.#inputs.shift(); input && !this.#stopped; input = this.#inputs.shift()) {
      const { state, effects } = step(this.#state, input, this.#options.clock.monotonic())
      this.#state = state
      for (const effect of effects) this.#perform(effect)
    }
    this.#turning = false
    if (this.#stopped) return
    this.#waits.settle(this.#acked(), this.available())
    this.#watch()
    this.#setTimer()
    if (first.input !== 'timer') this.#retainSoon()
  }

  #watch(): void {
    const watchers = this.#watchers
    this.#watchers = []
    for (const watcher of watchers) watcher()
  }

  #setTimer(): void {
    const at = nextDeadline(this.#state)
    if (at === this.#timerAt && this.#timer) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#timerAt = at
    if (at === Number.POSITIVE_INFINITY) return
    const ms = Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil(at - this.#options.clock.monotonic())))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#take({ input: 'timer' })
    }, ms)
  }

  #perform(effect: Effect): void {
    switch (effect.effect) {
      case 'send': {
        const { to, message, version } = effect
        this.#log.debug({ to, ...outline(message) }, 'replication: says')
        this.#outbox(to).send(LOG_TOPIC, encode(message, version), urgencyOf(message))
        return
      }
      case 'read':
        void this.#read(effect)
        return
      case 'merge':
        void this.#merge(effect)
        return
      case 'openSnapshot':
        this.#carrier.open(effect)
        return
      case 'nextPage':
        void this.#carrier.next(effect)
        return
      case 'closeSnapshot':
        this.#carrier.close(effect)
        return
      case 'beginLoad':
        this.#carrier.begin(effect)
        return
      case 'loadPage':
        this.#carrier.page(effect)
        return
      case 'finishLoad':
        this.#carrier.finish(effect)
        return
      case 'abandonLoad':
        this.#carrier.abandon(effect)
        return
      case 'alarm':
        this.#log.warn({ code: effect.code }, effect.text)
        this.#options.events.alarm(effect.code, effect.text)
        return
      case 'note':
        this.#log[effect.level](effect.fields, effect.text)
        return
      default:
        unreachable(effect)
    }
  }

  async #read({ to, incarnation, after, round }: Extract<Effect, { effect: 'read' }>): Promise<void> {
    const input = { input: 'read', to, incarnation, round } as const
    try {
      const result = await this.#options.store.read(incarnation, after, READ_BYTES)
      this.#take({ ...input, result: result ?? 'end' })
    } catch (error) {
      this.#log.warn({ error: errorText(error) }, 'replication: the own log could not be read')
      this.#take({ ...input, result: 'failed' })
    }
  }

  async #merge({ from, round, batch }: Extract<Effect, { effect: 'merge' }>): Promise<void> {
    const { origin, incarnation, from: first, count, entries } = batch
    const log = { origin, incarnation, sequence: first + count - 1 }
    const input = { input: 'merged', from, round, log, bytes: Buffer.byteLength(entries) } as const
    try {
      this.#take({ ...input, result: await this.#options.store.merge(batch) })
    } catch (error) {
      const busy = error instanceof CodedError && error.code === 'store-busy'
      // Too much at a time is no trouble of the disk: it comes again, more slowly.
      const position = { ...log, sequence: reach(this.#state.held, incarnation) }
      const problem = { result: 'problem', problem: errorText(error) } as const
      this.#take({ ...input, result: busy ? { result: 'gap', position } : problem })
    }
  }

  #retainSoon(): void {
    this.#retaining ??= setTimeout(() => {
      this.#retaining = undefined
      this.#options.store.retain(retained(this.#state))
    }, RETAIN_MS).unref()
  }
}

const urgencyOf = ({ kind }: Message): Urgency =>
  kind === 'push' ? 'log' : kind === 'page' ? 'bulk' : 'urgent'

/** Pieces of documents wait behind entries of the log, as snapshots do. */
const asked = (text: string): Urgency => (text.length > LARGE_TEXT ? 'bulk' : 'urgent')

/** What the log may show of a message: never an entry. */
function outline(message: Message): object {
  switch (message.kind) {
    case 'push': {
      const { origin, from, count } = message.batch
      return { kind: message.kind, origin, from, count, round: message.round }
    }
    case 'ack':
      return { kind: message.kind, ...message.position, state: message.state }
    case 'page':
      return { kind: message.kind, index: message.index }
    default:
      return { kind: message.kind }
  }
}
