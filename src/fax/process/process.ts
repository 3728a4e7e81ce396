/**
 * The process of a fax line: port, byte port, driver and T.30 together, away from everything that may keep the gateway's
 * loop busy. It does what the gateway asks (call, hang up), answers calls by itself, and asks the gateway where
 * something must be durable: before a number is dialled, before a page is ended, and for each received page.
 *
 * When the gateway is gone it hangs up, lets go of the port and ends within a second or two.
 */
import { monotonic } from '#core/clock.ts'
import { unreachable } from '#core/errors.ts'
import { type Channel, openChannel } from '#core/json-channel.ts'
import type { Log } from '#core/log.ts'
import type { Reason } from '#messages/states.ts'
import type { CallInEvents, CallInResult, CallOut, ReceivedPage } from '../contract.ts'
import type { Timing } from '../timing.ts'
import { Keeper } from './keeper.ts'
import { prepareModem } from './prepare.ts'
import {
  channelLimits,
  type FromProcess,
  type ModemView,
  type ProcessConfig,
  type ToProcess,
} from './protocol.ts'
import { heard, isRinging, quiet, type Ringing } from './ringing.ts'

const ALIVE_MS = 1_000
/** How often a modem that nobody needs is asked whether it is still there. */
const LOOK_MS = 60_000
/** How long a call that must end may take to hang up. */
const LEAVE_MS = 1_500
/** How long a call waits for the confirmation of a page to be written; the other machine waits 6 s +-1 s (T.30, T2). */
const RECORD_MS = 3_000

/** Longer than the pause between two rings of one call. */
const STOPPED_MS = 10_000

const TOO_LONG = 'the call took longer than a call in may take on this line, and was ended here'

const gone: Reason = { code: 'stopping', text: 'The program is stopping' }

/**
 * @param descriptor where the gateway is spoken to
 * @param timing the time of its line
 * @returns when the gateway is gone or has said stop
 */
export function runFaxProcess(descriptor: number, timing: Timing): Promise<void> {
  const ended = Promise.withResolvers<void>()
  let process: FaxProcess | undefined
  const channel: Channel<FromProcess> = openChannel<ToProcess, FromProcess>(
    descriptor,
    channelLimits,
    (message) => {
      if (message.kind === 'begin') process ??= new FaxProcess(message.config, timing, channel)
      else if (message.kind === 'stop') leave()
      else process?.take(message)
    },
    () => leave(),
  )
  let leaving = false
  function leave(): void {
    if (leaving) return
    leaving = true
    const stopped = process?.stop() ?? Promise.resolve()
    void stopped.finally(() => {
      channel.close()
      ended.resolve()
    })
  }
  channel.tell({ kind: 'up' })
  return ended.promise
}

interface CurrentCall {
  /** The gateway's number for a call out, ours for one that came in. */
  call: number
  direction: 'out' | 'in'
  abort: AbortController
  done: Promise<void>
}

class FaxProcess {
  readonly #config: ProcessConfig
  readonly #channel: Channel<FromProcess>
  readonly #timing: Timing
  readonly #keeper: Keeper
  readonly #alive: NodeJS.Timeout
  readonly #looks: NodeJS.Timeout
  #ringing: Ringing = quiet
  #quietAgain: NodeJS.Timeout | undefined
  #current: CurrentCall | undefined
  #looking: Promise<void> | undefined
  #answers = 0
  #asks = 0
  readonly #asked = new Map<number, (reason: Reason | undefined) => void>()
  /** The page that was confirmed last is on disk. */
  #recorded: () => void = () => {}
  readonly #keeping = new Map<number, (problem: string | undefined) => void>()
  #told = ''
  #toldEntries = 0
  #leaving = false

  constructor(config: ProcessConfig, timing: Timing, channel: Channel<FromProcess>) {
    this.#config = config
    this.#channel = channel
    this.#timing = timing
    const log = logOver(channel)
    this.#keeper = new Keeper({
      address: config.port,
      timing,
      monotonic,
      log,
      prepare: (port, signal) => prepareModem(port, config, signal),
      line: (text) => this.#heard(text),
      changed: () => this.#changed(),
    })
    this.#alive = setInterval(() => this.#tick(), ALIVE_MS)
    this.#looks = setInterval(() => this.#look(), LOOK_MS)
  }

  take(message: Exclude<ToProcess, { kind: 'begin' | 'stop' }>): void {
    switch (message.kind) {
      case 'run':
        this.#keeper.run()
        return
      case 'rest':
        this.#keeper.rest()
        return
      case 'restart':
        this.#keeper.restart()
        return
      case 'call':
        void this.#call(message.call, message.out)
        return
      case 'intended':
        this.#asked.get(message.ask)?.(message.reason)
        this.#asked.delete(message.ask)
        return
      case 'kept':
        if (this.#current?.direction !== 'in' || this.#current.call !== message.call) return
        this.#keeping.get(message.page)?.(message.problem ?? undefined)
        this.#keeping.delete(message.page)
        return
      case 'recorded':
        if (this.#current?.call === message.call) this.#recorded()
        return
      case 'hangUp':
        if (this.#current?.call === message.call && this.#current.direction === 'out')
          this.#current.abort.abort()
        return
      default:
        unreachable(message)
    }
  }

  async stop(): Promise<void> {
    this.#leaving = true
    clearInterval(this.#alive)
    clearInterval(this.#looks)
    clearTimeout(this.#quietAgain)
    for (const answer of this.#asked.values()) answer(gone)
    for (const answer of this.#keeping.values()) answer(gone.text)
    this.#recorded()
    this.#current?.abort.abort()
    const patience = new Promise<void>((resolve) => setTimeout(resolve, LEAVE_MS))
    await Promise.race([this.#current?.done, patience])
    await this.#keeper.stop()
  }

  #tick(): void {
    this.#channel.tell({ kind: 'alive' })
    const entries = this.#keeper.dialogue().filter(({ n }) => n > this.#toldEntries)
    const last = entries.at(-1)
    if (last && this.#channel.tell({ kind: 'dialogue', entries })) this.#toldEntries = last.n
  }

  get #occupied(): boolean {
    return this.#current?.direction === 'in' || isRinging(this.#ringing, monotonic())
  }

  #changed(): void {
    const rings = this.#current?.direction !== 'in' && isRinging(this.#ringing, monotonic())
    const view: ModemView = {
      ...this.#keeper.view(),
      occupied: this.#occupied,
      ...(rings ? { caller: this.#ringing.caller } : {}),
    }
    const text = JSON.stringify(view)
    if (text === this.#told) return
    this.#told = text
    this.#channel.tell({ kind: 'view', view })
  }

  /** Waits for its turn at the modem, so that a look at it never mixes with a call. */
  async #call(call: number, out: CallOut): Promise<void> {
    await this.#looking
    const modem = this.#keeper.modem
    if (modem === undefined || this.#occupied || this.#current || this.#leaving) {
      const reason: Reason = this.#occupied
        ? { code: 'fax-engaged', text: 'A call is coming in on this line' }
        : { code: 'line-not-ready', text: 'The line is not ready' }
      this.#channel.tell({ kind: 'engaged', call, reason })
      return
    }
    const abort = new AbortController()
    const running = modem.call(
      out,
      {
        intend: (page, step) => this.#intend(call, page, step, abort.signal),
        confirmed: (page) => this.#confirmed(call, page),
        progress: (text) => void this.#channel.tell({ kind: 'progress', call, text }),
      },
      abort.signal,
    )
    const done = running.then((result) => {
      this.#current = undefined
      this.#channel.tell({ kind: 'ended', call, result })
      this.#after(result.result === 'failed' && result.failure === 'fax-modem', result.result === 'sent')
    })
    this.#current = { call, direction: 'out', abort, done }
    this.#changed()
    await done
  }

  #intend(
    call: number,
    page: number,
    step: 'dial' | 'post-page',
    signal: AbortSignal,
  ): Promise<Reason | undefined> {
    if (signal.aborted) return Promise.resolve(gone)
    const ask = ++this.#asks
    return new Promise((resolve) => {
      this.#asked.set(ask, resolve)
      this.#channel.tell({ kind: 'intend', call, ask, page, step })
    })
  }

  /** A disk that takes longer holds up the next end of a page, and not the line. */
  #confirmed(call: number, page: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RECORD_MS)
      this.#recorded = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#channel.tell({ kind: 'confirmed', call, page })
    })
  }

  #heard(text: string): void {
    const { ringing, answer } = heard(this.#ringing, text, monotonic(), this.#config.answer)
    this.#ringing = ringing
    clearTimeout(this.#quietAgain)
    this.#quietAgain = setTimeout(() => this.#stopped(), STOPPED_MS)
    this.#changed()
    if (answer && this.#current === undefined) this.#answer(ringing.caller)
  }

  /** Nothing more was heard of whoever called. */
  #stopped(): void {
    const { at, caller } = this.#ringing
    if (this.#current?.direction !== 'in' && at !== quiet.at) {
      this.#ringing = quiet
      this.#channel.tell({ kind: 'left', from: caller })
    }
    this.#changed()
  }

  #answer(from: string): void {
    const modem = this.#keeper.modem
    if (modem === undefined || this.#leaving) return
    const call = ++this.#answers
    const abort = new AbortController()
    this.#channel.tell({ kind: 'answering', call, from })
    const events: CallInEvents = {
      progress: (text) => void this.#channel.tell({ kind: 'progress', call: -call, text }),
      page: (page) => this.#keep(call, page),
    }
    let late = false
    const inTime = this.#timing.after(this.#config.answer.maxDuration, () => {
      late = true
      abort.abort()
    })
    const done = (this.#looking ?? Promise.resolve())
      .then(() => modem.answer(events, abort.signal))
      .then((ended) => {
        inTime()
        const result: CallInResult =
          late && ended.result === 'partial' ? { ...ended, failure: 'fax-protocol', text: TOO_LONG } : ended
        this.#current = undefined
        this.#keeping.clear()
        this.#ringing = quiet
        this.#channel.tell({ kind: 'answered', call, result })
        this.#after(
          result.result === 'partial' && result.failure === 'fax-modem',
          result.result === 'received',
        )
      })
    this.#current = { call, direction: 'in', abort, done }
    this.#changed()
  }

  #keep(call: number, { data, ...page }: ReceivedPage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#keeping.set(page.number, (problem) =>
        problem === undefined ? resolve() : reject(new Error(problem)),
      )
      const coded = Buffer.from(data).toString('base64')
      if (!this.#channel.tell({ kind: 'page', call, page: { ...page, data: coded } }))
        reject(new Error('the gateway takes no pages'))
    })
  }

  /** A driver that blames the modem is believed once the modem does not answer. */
  #after(blamed: boolean, well: boolean): void {
    if (well) this.#keeper.proven()
    if (blamed) this.#look()
    this.#changed()
  }

  #look(): void {
    if (this.#current || this.#looking || isRinging(this.#ringing, monotonic())) return
    this.#looking = this.#keeper.look().finally(() => {
      this.#looking = undefined
    })
  }
}

function logOver(channel: Channel<FromProcess>): Log {
  const say = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, text: string) =>
    void channel.tell({ kind: 'log', level, fields, text })
  const log: Log = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: () => log,
  }
  return log
}
