/**
 * Keeps one line working: owns its port and the dialogue over it, performs what supervisor-machine.ts decides, and tells
 * the driver when the modem is there. Knows nothing of messages and of what is said; the driver knows nothing of ports.
 *
 * Each port, and each act on it, has a number (`#epoch`, `#act`); an answer that arrives for an older one is dropped,
 * so a late result never moves the machine.
 */
import type { PortAddress } from '#config/types.ts'
import type { Log } from '#core/log.ts'
import type { Reason } from '#messages/states.ts'
import { AtTrace } from './at-trace.ts'
import type { LineStatus } from './contract.ts'
import { candidates, describeAddress, type Opener, type Port } from './ports.ts'
import type { Rung } from './recovery-ladder.ts'
import { type Effect, type Input, initialState, lineState, step } from './supervisor-machine.ts'

const PROBE_MS = 900
/** How much of the dialogue goes to the log when something went wrong. */
const TRACE_LINES = 20

export type Prepared =
  /** `known`: what it is, for the log. */
  | { result: 'ready'; known: object }
  /** Answers, but cannot be used yet. After `limitMs` of this the recovery ladder is climbed. */
  | { result: 'notYet'; reason: Reason; limitMs: number }
  /** Only a person can help. */
  | { result: 'blocked'; reason: Reason }
  /** It does not answer AT. */
  | { result: 'silent' }
  | { result: 'fault'; reason: Reason }
  /** Not the modem that this line is bound to. */
  | { result: 'other-modem'; reason: Reason }

/** What speaks with the modem while its port is open. */
export interface Dialogue {
  /** Bytes from the port. */
  feed(chunk: Uint8Array): void
  /** The port is gone: everything that waits ends. */
  close(): void
  /**
   * Brings the modem back to answering, whatever it was doing.
   * @param budgetMs how long it may stay silent
   */
  resync(budgetMs: number): Promise<boolean>
  /** A command of the recovery ladder, whatever is answered to it. Bounded. */
  blind(command: string): Promise<unknown>
}

/** What a kind of line does with a modem that is there. */
export interface LineDriver<D extends Dialogue> {
  /** The dialogue over a port that is being opened. */
  speak(port: Pick<Port, 'write' | 'backlog'>, trace: AtTrace): D
  /** Identifies and prepares the modem. Ends soon after `signal` aborts; its result is then dropped. Never rejects. */
  prepare(dialogue: D, signal: AbortSignal): Promise<Prepared>
  ready(): void
  /** The line does not work any more; the dialogue may be over. */
  down(reason: Reason): void
  /** Something of its status may be different. */
  changed?(): void
}

export interface SupervisorOptions {
  address: PortAddress
  /** The line is bound to the modem with this IMEI. */
  imei?: string
  /** The ladder of a modem that has not been identified yet. */
  rungs: readonly Rung[]
  opener: Opener
  log: Log
  /** ms of the monotonic clock */
  monotonic: () => number
}

interface Connection<D> {
  port: Port | undefined
  dialogue: D
}

export class Supervisor<D extends Dialogue> {
  readonly trace = new AtTrace()
  readonly #options: SupervisorOptions
  readonly #driver: LineDriver<D>
  #state
  #inputs: Input[] = []
  #turning = false
  #connection: Connection<D> | undefined
  #epoch = 0
  #act = 0
  #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> = Promise.resolve()
  #known: object = {}
  #candidate = 0
  #path: string
  /** The port on which the bound modem was last found. */
  #found: string | undefined

  constructor(options: SupervisorOptions, driver: LineDriver<D>) {
    this.#options = options
    this.#driver = driver
    this.#state = initialState(options.rungs)
    this.#path = describeAddress(options.address)
  }

  get working(): boolean {
    return this.#state.phase === 'ready' && this.#state.wanted === 'running'
  }

  /** Why it does not work, when it does not. */
  notWorking(): Reason | undefined {
    if (this.working) return undefined
    return this.#state.reason ?? { code: 'line-not-ready', text: 'The line is not ready' }
  }

  /** The dialogue with the modem, while a port is open. */
  get dialogue(): D | undefined {
    return this.#connection?.dialogue
  }

  status(): Pick<LineStatus, 'state' | 'reason' | 'port' | 'recoveries'> & {
    nextTryMonotonic?: number
  } {
    const { reason, recoveries, nextTry } = this.#state
    const state = lineState(this.#state)
    return {
      state,
      port: this.#path,
      recoveries,
      ...(reason && state !== 'ready' ? { reason } : {}),
      ...(nextTry >= 0 && state !== 'ready' ? { nextTryMonotonic: nextTry } : {}),
    }
  }

  /** Begins, or begins again where a person had to help first. */
  start(): void {
    this.#input({ input: 'start' })
  }

  disable(): void {
    this.#input({ input: 'disable' })
  }

  restart(): void {
    this.#input({ input: 'restart' })
  }

  /** Resolves when the port is closed. Bounded. */
  async stop(): Promise<void> {
    this.#input({ input: 'stop' })
    await this.#closing
  }

  /** The driver found out which modem it is, and how that one is brought back. */
  identified(rungs: readonly Rung[]): void {
    this.#found = this.#path
    this.#input({ input: 'profile', rungs })
  }

  /** The modem has started by itself and lost its state. @param line what gave it away */
  restarted(line: string): void {
    this.#input({ input: 'reset', line })
  }

  /** The modem does not do its work: the recovery ladder begins. */
  fault(reason: Reason): void {
    this.#input({ input: 'fault', reason })
  }

  /** Answers, but cannot be used at the moment (no network). */
  notYet(reason: Reason, limitMs: number): void {
    this.#input({ input: 'notYet', reason, limitMs })
  }

  proven(): void {
    if (this.#state.level > 0) this.#input({ input: 'proven' })
  }

  nudge(): void {
    this.#input({ input: 'nudge' })
  }

  #input(input: Input): void {
    this.#inputs.push(input)
    if (this.#turning) return
    this.#turning = true
    for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
      const { state, effects } = step(this.#state, next, this.#options.monotonic())
      this.#state = state
      for (const effect of effects) this.#perform(effect)
    }
    this.#turning = false
    this.#driver.changed?.()
  }

  #perform(effect: Effect): void {
    switch (effect.effect) {
      case 'open':
        this.#newAct()
        void this.#open(++this.#epoch)
        return
      case 'close':
        this.#newAct()
        this.#close()
        return
      case 'prepare':
        void this.#prepare(this.#newAct())
        return
      case 'act':
        void this.#climb(effect.rung, this.#newAct())
        return
      case 'probe':
        void this.#probe(this.#newAct())
        return
      case 'timer':
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => this.#input({ input: 'timer' }), effect.ms)
        return
      case 'ready':
        this.#options.log.info({ port: this.#path, ...this.#known }, 'The line is ready')
        this.#driver.ready()
        return
      case 'down':
        this.#logDown(effect.reason)
        this.#driver.down(effect.reason)
        return
      case 'note':
        this.#options.log[effect.level](effect.fields ?? {}, effect.text)
        return
    }
  }

  #logDown(reason: Reason): void {
    if (this.#state.wanted !== 'running') {
      this.#options.log.info({ reason: reason.code }, reason.text)
      return
    }
    const dialogue = this.trace.newest(TRACE_LINES).map(({ direction, text }) => `${direction}: ${text}`)
    this.#options.log.warn({ reason: reason.code, dialogue }, `The line does not work: ${reason.text}`)
  }

  /** What was under way is void from here on. */
  #newAct(): number {
    clearTimeout(this.#timer)
    this.#abort.abort()
    this.#abort = new AbortController()
    return ++this.#act
  }

  async #open(epoch: number): Promise<void> {
    await this.#closing
    const address = await this.#nextAddress()
    if (epoch !== this.#epoch) return
    this.#path = describeAddress(address)
    const dialogue = this.#driver.speak(
      {
        write: (text) => connection.port?.write(text),
        backlog: () => connection.port?.backlog() ?? 0,
      },
      this.trace,
    )
    const connection: Connection<D> = { port: undefined, dialogue }
    const opening = await this.#options.opener(address, {
      data: (chunk) => connection.dialogue.feed(chunk),
      closed: (why) => this.#lost(connection, epoch, why),
    })
    if (!('opened' in opening)) {
      this.#candidate += 1
      if (epoch === this.#epoch)
        this.#input({
          input: 'openFailed',
          absent: opening.absent,
          why: opening.why,
        })
      return
    }
    connection.port = opening.opened
    if (epoch !== this.#epoch) return void opening.opened.close()
    this.#connection = connection
    this.#input({ input: 'opened' })
  }

  /** The configured port; for a line bound to a modem, every other one in turn until that modem is found. */
  async #nextAddress(): Promise<PortAddress> {
    const { address, imei } = this.#options
    if (imei === undefined || address.scheme !== 'serial') return address
    const all = await candidates(address)
    return all[this.#candidate % all.length] ?? address
  }

  #lost(connection: Connection<D>, epoch: number, why: string): void {
    if (epoch === this.#epoch && this.#connection === connection) {
      this.#connection = undefined
      this.#newAct()
      // Before the outcome of what was under way is known: nobody may think that the line is free.
      this.#input({ input: 'portClosed', why })
    }
    connection.dialogue.close()
  }

  #close(): void {
    this.#epoch += 1
    const connection = this.#connection
    this.#connection = undefined
    if (!connection) return
    connection.dialogue.close()
    this.#closing = connection.port?.close() ?? Promise.resolve()
  }

  async #prepare(act: number): Promise<void> {
    const dialogue = this.dialogue
    if (!dialogue) return
    const prepared = await this.#driver.prepare(dialogue, this.#abort.signal)
    if (act !== this.#act) return
    switch (prepared.result) {
      case 'ready':
        this.#known = prepared.known
        return this.#input({ input: 'prepared' })
      case 'notYet':
        return this.#input({
          input: 'notYet',
          reason: prepared.reason,
          limitMs: prepared.limitMs,
        })
      case 'blocked':
        return this.#input({ input: 'blocked', reason: prepared.reason })
      case 'fault':
        return this.#input({ input: 'fault', reason: prepared.reason })
      case 'other-modem':
        return this.#elsewhere(prepared.reason)
      case 'silent':
        // A port where the bound modem was never seen may be any device: look at the next one instead of insisting.
        if (this.#options.imei !== undefined && this.#found !== this.#path) {
          return this.#elsewhere({
            code: 'other-modem',
            text: `No modem answers at ${this.#path}`,
          })
        }
        return this.#input({ input: 'silent' })
    }
  }

  #elsewhere(reason: Reason): void {
    this.#candidate += 1
    this.#input({ input: 'other-modem', reason })
  }

  async #climb(rung: Rung, act: number): Promise<void> {
    const connection = this.#connection
    if (!connection) return
    if (rung.rung === 'command') await connection.dialogue.blind(rung.command)
    else if (rung.rung === 'dtr') await connection.port?.pulse()
    if (act === this.#act) await this.#probe(act)
  }

  async #probe(act: number): Promise<void> {
    const answered = (await this.dialogue?.resync(PROBE_MS)) ?? false
    if (act === this.#act) this.#input({ input: 'answered', answered })
  }
}
