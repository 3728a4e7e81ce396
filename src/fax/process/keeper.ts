/**
 * Keeps one fax modem working, inside the process of its line: performs what lines/supervisor-machine.ts decides, with
 * the byte port of a fax modem in the place of an AT channel. Knows nothing of calls but that one is under way.
 *
 * Each port and each act has a number; a result that arrives for an older one is dropped.
 */
import type { PortAddress } from '#config/types.ts'
import type { Log } from '#core/log.ts'
import { AtTrace, type TraceEntry } from '#lines/at-trace.ts'
import { describeAddress, type Opener, type Port } from '#lines/ports.ts'
import {
  type Effect,
  type Input,
  initialState,
  ladder,
  lineState,
  type MachineState,
  type Rung,
  step,
} from '#lines/supervisor-machine.ts'
import type { Reason } from '#messages/states.ts'
import type { FaxModem } from '../contract.ts'
import { ModemPort } from '../modem-port.ts'
import type { Timing } from '../timing.ts'

const COMMAND_MS = 1_000
const TRACE_LINES = 20
/** How long a modem takes to start. */
const BOOT_MS = 5_000

export type Prepared =
  | {
      result: 'ready'
      modem: FaxModem
      identity: { manufacturer: string; model: string; revision: string }
    }
  | { result: 'silent' }
  /** It answers, and is not what the line needs. */
  | { result: 'fault'; reason: Reason }

export interface KeeperOptions {
  address: PortAddress
  opener: Opener
  timing: Timing
  /** ms of the monotonic clock */
  monotonic: () => number
  log: Log
  /** Finds out what the modem is and makes its driver. Ends soon after `signal` aborts. Never rejects. */
  prepare(port: ModemPort, signal: AbortSignal): Promise<Prepared>
  /** What the modem says of itself: RING, a caller's number. */
  line(text: string): void
  changed(): void
}

interface Connection {
  port: Port | undefined
  modemPort: ModemPort
}

export class Keeper {
  readonly #options: KeeperOptions
  readonly #trace = new AtTrace()
  #state: MachineState = initialState(ladder([], BOOT_MS))
  #inputs: Input[] = []
  #turning = false
  #connection: Connection | undefined
  #epoch = 0
  #act = 0
  #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> = Promise.resolve()
  #prepared: Extract<Prepared, { result: 'ready' }> | undefined

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** The modem, while it can be used. */
  get modem(): FaxModem | undefined {
    return this.#working ? this.#prepared?.modem : undefined
  }

  get #working(): boolean {
    return this.#state.phase === 'ready' && this.#state.wanted === 'running'
  }

  view() {
    const { reason, recoveries, nextTry } = this.#state
    const state = lineState(this.#state)
    return {
      state,
      port: describeAddress(this.#options.address),
      recoveries,
      ...(reason !== undefined && state !== 'ready' ? { reason } : {}),
      ...(nextTry >= 0 && state !== 'ready' ? { nextTry } : {}),
      ...(this.#prepared ? { class: this.#prepared.modem.class, modem: this.#prepared.identity } : {}),
    }
  }

  run(): void {
    this.#input({ input: 'start' })
  }

  rest(): void {
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

  /** The modem does not do its work: the recovery ladder begins. */
  fault(reason: Reason): void {
    this.#input({ input: 'fault', reason })
  }

  /** A call went well: whatever was wrong is over. */
  proven(): void {
    this.#input({ input: 'proven' })
  }

  /** Between calls: whether the modem still answers. */
  async look(): Promise<void> {
    const port = this.#working ? this.#connection?.modemPort : undefined
    if (port === undefined) return
    const act = this.#act
    const answers = await port.resync()
    if (!answers && act === this.#act) this.fault({ code: 'no-answer', text: 'The modem does not answer' })
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
    this.#options.changed()
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
        this.#options.log.info({ class: this.#prepared?.modem.class }, 'The line is ready')
        return
      case 'down':
        this.#logDown(effect.reason)
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
    const dialogue = this.#trace.newest(TRACE_LINES).map(({ direction, text }) => `${direction}: ${text}`)
    this.#options.log.warn({ reason: reason.code, dialogue }, `The line does not work: ${reason.text}`)
  }

  /** The newest of the dialogue with the modem, masked. */
  dialogue(): TraceEntry[] {
    return this.#trace.newest()
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
    if (epoch !== this.#epoch) return
    const connection: Connection = { port: undefined, modemPort: this.#newModemPort(() => connection.port) }
    const opening = await this.#options.opener(this.#options.address, {
      data: (chunk) => connection.modemPort.feed(chunk),
      closed: (why) => this.#lost(connection, epoch, why),
    })
    if (!('opened' in opening)) {
      if (epoch === this.#epoch)
        this.#input({ input: 'openFailed', absent: opening.absent, why: opening.why })
      return
    }
    connection.port = opening.opened
    if (epoch !== this.#epoch) return void opening.opened.close()
    this.#connection = connection
    this.#input({ input: 'opened' })
  }

  #newModemPort(port: () => Port | undefined): ModemPort {
    return new ModemPort({
      write: (bytes) => port()?.write(Buffer.from(bytes).toString('latin1')),
      backlog: () => port()?.backlog() ?? 0,
      timing: this.#options.timing,
      trace: this.#trace,
      line: (text) => this.#options.line(text),
    })
  }

  #lost(connection: Connection, epoch: number, why: string): void {
    if (epoch === this.#epoch && this.#connection === connection) {
      this.#connection = undefined
      this.#newAct()
      this.#input({ input: 'portClosed', why })
    }
    connection.modemPort.close()
  }

  #close(): void {
    this.#epoch += 1
    const connection = this.#connection
    this.#connection = undefined
    if (!connection) return
    connection.modemPort.close()
    this.#closing = connection.port?.close() ?? Promise.resolve()
  }

  async #prepare(act: number): Promise<void> {
    const port = this.#connection?.modemPort
    if (!port) return
    this.#prepared = undefined
    const prepared = await this.#options.prepare(port, this.#abort.signal)
    if (act !== this.#act) return
    switch (prepared.result) {
      case 'ready':
        this.#prepared = prepared
        return this.#input({ input: 'prepared' })
      case 'silent':
        return this.#input({ input: 'silent' })
      case 'fault':
        return this.#input({ input: 'fault', reason: prepared.reason })
    }
  }

  async #climb(rung: Rung, act: number): Promise<void> {
    const connection = this.#connection
    if (!connection) return
    if (rung.rung === 'command') await connection.modemPort.command(rung.command, { within: COMMAND_MS })
    else if (rung.rung === 'dtr') await connection.port?.pulse()
    if (act === this.#act) await this.#probe(act)
  }

  async #probe(act: number): Promise<void> {
    const answered = (await this.#connection?.modemPort.resync()) ?? false
    if (act === this.#act) this.#input({ input: 'answered', answered })
  }
}
