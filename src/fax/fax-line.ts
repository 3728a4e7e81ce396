/**
 * A fax line: the line contract on one side, the process that holds its modem on the other. Here are the rules of
 * dispatch (what must be durable when, who may dial, when not to) and what is known of the line; everything that must
 * not be late is in the process.
 */
import type { FaxLineConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { errorText, unreachable } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { TraceEntry } from '#lines/at-trace.ts'
import type { Line, LineEvents, LineMemory, LineStatus, Transmission } from '#lines/contract.ts'
import { Duty, orLater } from '#lines/duty.ts'
import { LastSuccess } from '#lines/last-success.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'
import { OutgoingCall } from './call.ts'
import { dialString } from './dialling.ts'
import type { FaxDocuments, PageHeader } from './documents/contract.ts'
import { IncomingCalls } from './incoming-calls.ts'
import { LineProcess } from './line-process.ts'
import { badNumber, hungUp, noDocument, notReady, otherPages, refused } from './objections.ts'
import type { FromProcess, ModemView } from './process/protocol.ts'
import type { FaxProfile } from './profile.ts'
import { doNotDial } from './quiet-hours.ts'
import type { FaxReceiver } from './receiving.ts'
import { outcomeOf } from './results.ts'
import { LastCall } from './seen-call.ts'

/** How long stop() and disable() wait for a call to end, and a call to hang up. */
const STOP_MS = 5_000
const DISABLE_MS = 1_800_000
/** When a document that cannot be had now is asked for again, and a line on which somebody calls. */
const LATER_MS = 60_000
const ENGAGED_MS = 15_000
/** Entries of the dialogue that are kept. */
const DIALOGUE = 200

export interface FaxLineOptions {
  node: string
  clock: Clock
  log: Log
  events: Pick<LineEvents, 'ready' | 'down'>
  memory: LineMemory
  documents: Pick<FaxDocuments, 'pages'>
  receiver: FaxReceiver
  /** What is known of fax modems; absent: nothing. */
  profiles?: readonly FaxProfile[]
  /** The program's entry, which the process is started with; absent: the one that runs. */
  main?: string
  /** How long its process may say nothing, ms. */
  silence?: number
}

export interface FaxLine extends Line {
  /** Of the process that holds the modem, while one lives. */
  pid(): number | undefined
}

export function createFaxLine(config: FaxLineConfig, options: FaxLineOptions): FaxLine {
  return new FaxLineImplementation(config, options)
}

class FaxLineImplementation implements FaxLine {
  readonly id: string
  readonly channel = 'fax'
  readonly #config: FaxLineConfig
  readonly #options: FaxLineOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #process: LineProcess
  #view: ModemView | undefined
  #ready = false
  /** Processes that ended, besides what their modems did. */
  #losses = 0
  #busy: Promise<unknown> | undefined
  #calls = 0
  #call: { number: number; outgoing: OutgoingCall } | undefined
  readonly #lastCall: LastCall
  readonly #incoming: IncomingCalls
  readonly #duty: Duty
  #progress: string | undefined
  #dialogue: readonly TraceEntry[] = []
  #rate: number | undefined
  readonly #lastSuccess: LastSuccess
  #lastError: { at: number; reason: Reason } | undefined

  constructor(config: FaxLineConfig, options: FaxLineOptions) {
    this.id = config.id
    this.#config = config
    this.#options = options
    this.#clock = options.clock
    this.#log = options.log.child({ line: config.id })
    const name = `line/${options.node}/${this.id}`
    this.#lastCall = new LastCall(options.memory, `${name}/last-call`, this.#log)
    this.#lastSuccess = new LastSuccess(options.memory, `${name}/last-success`, this.#log)
    const { id, port, class: wanted, station, ecm, maxRate, answer, profile } = config
    const { profiles = [] } = options
    this.#process = new LineProcess(
      {
        config: {
          ...{ id, port, class: wanted, station, ecm, maxRate, answer, profiles },
          ...(profile === undefined ? {} : { profile }),
        },
        log: this.#log,
        ...(options.main === undefined ? {} : { main: options.main }),
        ...(options.silence === undefined ? {} : { silence: options.silence }),
      },
      {
        up: () => void this.#process.tell({ kind: 'run' }),
        take: (message) => this.#take(message),
        gone: (why) => this.#gone(why),
      },
    )
    this.#incoming = new IncomingCalls({
      line: this.id,
      clock: this.#clock,
      log: this.#log,
      receiver: options.receiver,
      lastCall: this.#lastCall,
      tell: (message) => this.#process.tell(message),
    })
    this.#duty = new Duty({
      config,
      node: options.node,
      memory: options.memory,
      log: this.#log,
      run: () => this.#run(),
      // A call under way is brought to its end; it stops before its next page where it no longer may go on.
      leave: (reason) => {
        if (this.#ready) this.#down(reason)
      },
      underWay: () => Promise.all([this.#busy, this.#incoming.over]),
      patience: DISABLE_MS,
      letGo: () => {
        this.#view = undefined
        void this.#process.stop()
      },
    })
  }

  pid(): number | undefined {
    return this.#process.pid
  }

  status(): LineStatus {
    const view = this.#view
    const status: LineStatus = {
      id: this.id,
      kind: 'fax',
      channel: 'fax',
      state: view?.state ?? 'starting',
      port: view?.port ?? '',
      busy: this.#busy !== undefined || view?.occupied === true,
      recoveries: this.#losses + (view?.recoveries ?? 0),
    }
    if (view?.reason && status.state !== 'ready') status.reason = view.reason
    if (this.#duty.state !== undefined) {
      status.state = this.#duty.state
      delete status.reason
    }
    if (view?.nextTry !== undefined)
      status.nextTry = Math.round(this.#clock.now() + view.nextTry - this.#clock.monotonic())
    if (view?.modem) {
      const profile = view.profile ?? `class ${view.class ?? ''}`
      status.modem = { profile, ...view.modem, imei: '' }
    }
    status.fax = {
      ...(view?.class === undefined ? {} : { class: view.class }),
      ...(this.#rate === undefined ? {} : { rate: this.#rate }),
      ...this.#doing(),
      ...(this.#lastCall.seen === undefined ? {} : { lastCall: this.#lastCall.seen }),
    }
    if (this.#lastSuccess.at !== undefined) status.lastSuccess = this.#lastSuccess.at
    if (this.#lastError) status.lastError = this.#lastError
    return status
  }

  #doing(): { progress?: string } {
    if (this.#progress !== undefined) return { progress: this.#progress }
    const caller = this.#view?.caller
    if (caller !== undefined)
      return { progress: caller === '' ? 'somebody is calling' : `${caller} is calling` }
    // For messages that are in no hurry.
    const quiet = doNotDial(this.#config.doNotDial, 3, this.#clock.now())
    return quiet === undefined ? {} : { progress: quiet.reason.text }
  }

  dialogue(): TraceEntry[] {
    return [...this.#dialogue]
  }

  free(): boolean {
    return (
      this.#ready && this.#busy === undefined && this.#duty.leaving === undefined && !this.#view?.occupied
    )
  }

  transmit(transmission: Transmission): Promise<Outcome> {
    const transmitting = this.#transmit(transmission)
      .catch((error: unknown): Outcome => {
        // Only what runs before the call begins can throw.
        const text = `The fax could not be prepared: ${errorText(error)}`
        this.#log.error({ delivery: transmission.delivery.id }, text)
        return this.#notSent(transmission, { code: 'fax-not-prepared', text }, LATER_MS)
      })
      .then((outcome) => {
        this.#busy = undefined
        this.#progress = undefined
        if (outcome.result === 'accepted') this.#lastSuccess.note(this.#clock.now())
        else if (outcome.result !== 'notSent')
          this.#lastError = { at: this.#clock.now(), reason: outcome.reason }
        return outcome
      })
    this.#busy = transmitting
    return transmitting
  }

  async #transmit(transmission: Transmission): Promise<Outcome> {
    const { message, delivery, from } = transmission
    const objection = this.#duty.leaving ?? (this.#ready ? undefined : notReady)
    if (objection) return this.#notSent(transmission, objection)
    const quiet = doNotDial(this.#config.doNotDial, message.priority, this.#clock.now())
    if (quiet) return this.#notSent(transmission, quiet.reason, quiet.wait)
    const number = dialString(delivery.to, this.#config.dial)
    if (number === undefined) return refused(from, badNumber)
    if (message.document === undefined) return refused(from, noDocument)
    // A long document may take minutes, in which nobody is called.
    this.#progress = 'making pages of the document'
    const made = await this.#pages(message.document)
    if (made.result === 'failed') return refused(from, made.reason)
    if (made.result === 'later') return this.#notSent(transmission, made.reason, LATER_MS)
    try {
      // What is confirmed is counted in pages of what was accepted.
      if (made.pages !== delivery.parts) return refused(from, otherPages)
      return await this.#dial(transmission, { number, file: made.file, pages: made.pages, from })
    } finally {
      await made.release()
    }
  }

  #pages(document: DocumentReference) {
    const { resolution, header, station } = this.#config
    const line: PageHeader = { sender: station === '' ? this.#options.node : station, at: this.#clock.now() }
    const rows = resolution === 'fine' ? 196 : 98
    return this.#options.documents.pages(document, { resolution: rows }, header ? line : undefined)
  }

  async #dial(
    transmission: Transmission,
    out: { number: string; file: string; pages: number; from: number },
  ): Promise<Outcome> {
    const outgoing = new OutgoingCall(transmission, out.pages)
    const number = ++this.#calls
    this.#call = { number, outgoing }
    const { signal } = transmission
    signal.addEventListener('abort', () => this.#hangUp(), { once: true })
    if (!this.#process.tell({ kind: 'call', call: number, out })) outgoing.lost()
    const ended = await outgoing.ended
    this.#call = undefined
    if (ended.result === 'engaged') return this.#notSent(transmission, ended.reason, ENGAGED_MS)
    const { facts } = ended
    this.#rate = facts.rate ?? this.#rate
    this.#log.info(
      { delivery: transmission.delivery.id, result: ended.result, ...facts },
      'A fax call has ended',
    )
    // It was this program that hung up: no fault of the other end.
    const cut = this.#duty.leaving ?? (signal.aborted ? hungUp : undefined)
    if (ended.result === 'failed' && cut) return this.#notSent(transmission, cut)
    return outcomeOf(ended, out.pages, this.#config.retry)
  }

  #notSent({ from }: Transmission, reason: Reason, wait?: number): Outcome {
    const outcome: Outcome = { result: 'notSent', reason, progress: { confirmed: from } }
    return wait === undefined ? outcome : { ...outcome, again: { pause: wait } }
  }

  #take(message: Exclude<FromProcess, { kind: 'up' | 'alive' | 'log' }>): void {
    switch (message.kind) {
      case 'view':
        this.#seen(message.view)
        return
      case 'dialogue':
        this.#listen(message.entries)
        return
      case 'intend':
        void this.#intend(message)
        return
      case 'confirmed':
        void this.#confirmed(message)
        return
      case 'progress':
        this.#progress = message.text
        return
      case 'ended':
        if (message.call === this.#call?.number) this.#call.outgoing.end(message.result)
        return
      case 'engaged':
        if (message.call === this.#call?.number)
          this.#call.outgoing.end({ result: 'engaged', reason: message.reason })
        return
      case 'answering':
        this.#incoming.begin(message.call, message.from)
        return
      case 'left':
        this.#incoming.left(message.from)
        return
      case 'page':
        void this.#incoming.keep(message.call, message.page)
        return
      case 'answered':
        this.#answered(message)
        return
      default:
        unreachable(message)
    }
  }

  /** Each process counts from 1; whoever watches the line must not lose its place. */
  #listen(entries: readonly TraceEntry[]): void {
    const last = this.#dialogue.at(-1)?.n ?? 0
    const counted = entries.map((entry, at) => ({ ...entry, n: last + 1 + at }))
    this.#dialogue = [...this.#dialogue, ...counted].slice(-DIALOGUE)
  }

  async #intend({ call, ask, page, step }: Extract<FromProcess, { kind: 'intend' }>): Promise<void> {
    const reason =
      call === this.#call?.number ? await this.#call.outgoing.intend(page, step) : this.#duty.leaving
    this.#process.tell({ kind: 'intended', call, ask, ...(reason === undefined ? {} : { reason }) })
  }

  async #confirmed({ call, page }: Extract<FromProcess, { kind: 'confirmed' }>): Promise<void> {
    if (call !== this.#call?.number) return
    await this.#call.outgoing.confirmed(page)
    this.#process.tell({ kind: 'recorded', call, page })
  }

  #answered({ call, result }: Extract<FromProcess, { kind: 'answered' }>): void {
    this.#progress = undefined
    if (!this.#incoming.end(call, result)) return
    if (result.result === 'received') this.#lastSuccess.note(this.#clock.now())
    if (result.result !== 'no-fax') this.#rate = result.facts.rate ?? this.#rate
  }

  #seen(view: ModemView): void {
    const before = this.#view
    this.#view = view
    const ready = view.state === 'ready' && this.#duty.running
    if (!ready && this.#ready) this.#down(view.reason ?? notReady)
    else if (ready && (!this.#ready || (before?.occupied && !view.occupied))) {
      this.#ready = true
      this.#options.events.ready(this.id)
    }
  }

  #down(reason: Reason): void {
    this.#ready = false
    if (this.#duty.running) this.#lastError = { at: this.#clock.now(), reason }
    this.#options.events.down(this.id, reason)
  }

  #gone(why: string): void {
    const reason: Reason = {
      code: 'fax-process-gone',
      text: 'The process of this line ended; another one is started',
    }
    if (this.#duty.running) this.#losses += 1
    const port = this.#view?.port ?? ''
    this.#view = {
      state: 'recovering',
      port,
      recoveries: this.#view?.recoveries ?? 0,
      occupied: false,
      reason,
    }
    if (this.#ready) this.#down(reason)
    this.#call?.outgoing.lost()
    this.#incoming.lost(why)
  }

  start(): void {
    void this.#begin()
  }

  async #begin(): Promise<void> {
    await Promise.all([this.#lastCall.recall(), this.#lastSuccess.recall()])
    await this.#duty.begin()
  }

  #run(): void {
    this.#process.start()
    // It may never have been let go of: a call was still under way.
    if (this.#view) this.#seen(this.#view)
  }

  restart(): void {
    if (this.#duty.running) this.#process.tell({ kind: 'restart' })
  }

  disable(): void {
    this.#duty.disable()
  }

  enable(): void {
    this.#duty.enable()
  }

  wake(): void {
    this.#duty.wake()
  }

  rest(): void {
    this.#duty.rest()
  }

  async stop(): Promise<void> {
    this.#duty.stop()
    this.#hangUp()
    await orLater(this.#busy, STOP_MS)
    await this.#process.stop()
    // What no answer will come to any more.
    this.#call?.outgoing.lost()
    await this.#busy
    await this.#lastSuccess.keep()
  }

  #hangUp(): void {
    if (this.#call) this.#process.tell({ kind: 'hangUp', call: this.#call.number })
  }
}
