/**
 * A Class 1 fax modem with our own T.30 (ITU-T T.31 and T.30): calls out and calls in. The one loop that performs what the
 * machines of t30/ decide, one action at a time.
 */
import type { Reason } from '#messages/states.ts'
import type {
  CallFacts,
  CallInEvents,
  CallInResult,
  CallOut,
  CallOutEvents,
  CallOutResult,
  FaxFailure,
  FaxModem,
  FaxSettings,
} from '../contract.ts'
import type { ModemPort } from '../modem-port.ts'
import { OutgoingPages } from '../outgoing-pages.ts'
import type { Effects, Input } from '../t30/actions.ts'
import { type Modulation, modulations, modulationsOf } from '../t30/modulation.ts'
import { startReceiver, stepReceiver } from '../t30/receiver.ts'
import { mayInterrupt, startSender, stepSender } from '../t30/sender.ts'
import { Carrier } from './carrier.ts'
import { IncomingPages } from './incoming.ts'
import { performReceiving } from './receiving-actions.ts'
import { performSending } from './sending-actions.ts'

const COMMAND_MS = 5_000
/** Beyond what modems wait themselves (S7, 60 s as a rule). */
const DIAL_MS = 120_000
/** Answer tone and the first carrier. */
const ANSWER_MS = 30_000
const HANG_UP_MS = 10_000

const ending: Reason = { code: 'stopping', text: 'The call was ended here' }

/**
 * @param port of a modem in command mode, echo off
 * @param settings whatever is in force for all calls to come
 */
export function openClass1(port: ModemPort, settings: FaxSettings): FaxModem {
  let sends: readonly Modulation[] | undefined
  let receives: readonly Modulation[] | undefined
  return {
    class: '1',
    call: async (out, events, signal) => {
      sends ??= await codesOf(port, 'AT+FTM=?')
      return new OutCall(port, settings, sends, out, events, signal).run()
    },
    answer: async (events, signal) => {
      receives ??= await codesOf(port, 'AT+FRM=?')
      return answerCall(port, settings, receives, events, signal)
    },
  }
}

/** What the modem can; asked in Class 1. */
async function codesOf(port: ModemPort, question: string): Promise<readonly Modulation[]> {
  await port.command('AT+FCLASS=1', { within: COMMAND_MS })
  const reply = await port.command(question, { within: COMMAND_MS })
  return reply.how === 'code' && reply.code === 'OK' ? modulationsOf(reply.lines.join(',')) : modulations
}

/** Ends the wait under way when someone ends the call and the dialogue is where that does no harm. */
function onAbort(port: ModemPort, signal: AbortSignal, allowed: () => boolean): Disposable {
  const interrupt = () => {
    if (allowed()) port.interrupt()
  }
  signal.addEventListener('abort', interrupt)
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) }
}

/** On hook and back in command mode, whatever the modem was doing. */
async function hangUp(port: ModemPort): Promise<void> {
  if (port.closed) return
  const reply = await port.command('ATH', { within: HANG_UP_MS })
  if (reply.how !== 'code' || reply.code !== 'OK') {
    await port.resync()
    await port.command('ATH', { within: HANG_UP_MS })
  }
  await port.command('AT+FCLASS=0', { within: COMMAND_MS })
}

class OutCall {
  readonly #port: ModemPort
  readonly #settings: FaxSettings
  readonly #modulations: readonly Modulation[]
  readonly #out: CallOut
  readonly #events: CallOutEvents
  readonly #signal: AbortSignal

  constructor(
    port: ModemPort,
    settings: FaxSettings,
    own: readonly Modulation[],
    out: CallOut,
    events: CallOutEvents,
    signal: AbortSignal,
  ) {
    this.#port = port
    this.#settings = settings
    this.#modulations = own
    this.#out = out
    this.#events = events
    this.#signal = signal
  }

  async run(): Promise<CallOutResult> {
    const pages = await OutgoingPages.of(this.#out)
    if (typeof pages === 'string') return this.#failed('fax-protocol', pages)
    const reply = await this.#port.command('AT+FCLASS=1', { within: COMMAND_MS })
    if (reply.how !== 'code' || reply.code !== 'OK') {
      return this.#failed('fax-modem', 'the modem does not take Class 1 commands')
    }
    const reason = this.#signal.aborted ? ending : await this.#events.intend(this.#out.from, 'dial')
    if (reason) return { result: 'stopped', reason, confirmed: this.#out.from, facts: {} }
    const failure = await this.#dial()
    if (failure) {
      await hangUp(this.#port)
      return failure
    }
    const connected = this.#port.timing.now()
    const result = await this.#converse(pages)
    await hangUp(this.#port)
    const facts: CallFacts = { ...result.facts, duration: Math.round(this.#port.timing.now() - connected) }
    return { ...result, facts }
  }

  /** @returns why there is no connection */
  async #dial(): Promise<CallOutResult | undefined> {
    using _ = onAbort(this.#port, this.#signal, () => true)
    const number = this.#out.number.replace(/[^0-9+*#,W]/gi, '')
    this.#events.progress('dialling')
    const reply = await this.#port.command(`ATDT${number}`, { within: DIAL_MS, connect: 'receive' })
    if (this.#signal.aborted) {
      if (reply.how === 'silent') await this.#port.abort()
      return { result: 'stopped', reason: ending, confirmed: this.#out.from, facts: {} }
    }
    if (reply.how === 'silent') {
      await this.#port.abort()
      return this.#failed('fax-no-answer', 'nobody answered')
    }
    if (reply.how === 'closed') return this.#failed('fax-modem', 'the modem is gone')
    if (reply.code.startsWith('CONNECT')) return undefined
    const [failure, text] = dialFailure(reply.code)
    return this.#failed(failure, text)
  }

  async #converse(pages: OutgoingPages): Promise<CallOutResult> {
    const { from } = this.#out
    let state = startSender({
      settings: this.#settings,
      modulations: this.#modulations,
      pages: pages.resolutions.slice(0, this.#out.pages),
      from,
    })
    using _ = onAbort(this.#port, this.#signal, () => mayInterrupt(state))
    const carrier = new Carrier(this.#port, true)
    const { timing } = this.#port
    let input: Input = { got: 'connected' }
    for (;;) {
      if (this.#signal.aborted && mayInterrupt(state)) input = { got: 'abort', reason: ending }
      const step = stepSender(state, input, timing.now())
      state = step.state
      await this.#tell(step.effects)
      if (state.place.at === 'ended') return state.place.result
      input = await performSending(step.effects.action, {
        carrier,
        pages,
        timing,
        signal: this.#signal,
        intend: (page) => this.#events.intend(page, 'post-page'),
      })
    }
  }

  async #tell({ news }: Effects): Promise<void> {
    for (const item of news) {
      if (item.news === 'confirmed') await this.#events.confirmed(item.page)
      else if (item.news === 'progress') this.#events.progress(item.text)
      else this.#port.note(item.text)
    }
  }

  #failed(failure: FaxFailure, text: string): CallOutResult {
    return { result: 'failed', failure, text, confirmed: this.#out.from, facts: {} }
  }
}

function dialFailure(code: string): [FaxFailure, string] {
  if (code === 'BUSY') return ['fax-busy', 'the number is busy']
  if (code === 'NO ANSWER') return ['fax-no-answer', 'nobody answered']
  if (/^NO DIAL/.test(code)) return ['fax-no-dial-tone', 'there is no dial tone on the line']
  if (code === 'NO CARRIER') return ['fax-no-carrier', 'the call brought no connection to a fax machine']
  // Somebody's carrier, and not V.21 (T.31, +FCERROR).
  if (code === '+FCERROR' || code === '+F4')
    return ['fax-no-machine', 'somebody answered, but no fax machine']
  return ['fax-modem', `the modem did not dial: ${code}`]
}

async function answerCall(
  port: ModemPort,
  settings: FaxSettings,
  own: readonly Modulation[],
  events: CallInEvents,
  signal: AbortSignal,
): Promise<CallInResult> {
  await port.command('AT+FCLASS=1', { within: COMMAND_MS })
  const reply = await port.command('ATA', { within: ANSWER_MS, connect: 'send' })
  if (reply.how !== 'code' || !reply.code.startsWith('CONNECT')) {
    if (reply.how === 'silent') await port.abort()
    await hangUp(port)
    return { result: 'no-fax', text: 'the call was gone before it could be answered' }
  }
  const connected = port.timing.now()
  const result = await receive(port, settings, own, events, signal)
  await hangUp(port)
  if (result.result === 'no-fax') return result
  return { ...result, facts: { ...result.facts, duration: Math.round(port.timing.now() - connected) } }
}

async function receive(
  port: ModemPort,
  settings: FaxSettings,
  own: readonly Modulation[],
  events: CallInEvents,
  signal: AbortSignal,
): Promise<CallInResult> {
  let state = startReceiver({ settings, modulations: own })
  const tools = { carrier: new Carrier(port, false), pages: new IncomingPages(events), timing: port.timing }
  let told = false
  using _ = onAbort(port, signal, () => true)
  let input: Input = { got: 'connected' }
  for (;;) {
    if (signal.aborted && !told) {
      told = true
      // What of a page was heard until now, and a page that was just kept, are here.
      if (input.got === 'data' || input.got === 'kept' || input.got === 'known')
        state = stepReceiver(state, input, port.timing.now()).state
      input = { got: 'abort', reason: ending }
    }
    const step = stepReceiver(state, input, port.timing.now())
    state = step.state
    for (const item of step.effects.news) if (item.news === 'progress') events.progress(item.text)
    if (state.place.at === 'ended') return state.place.result
    input = await performReceiving(step.effects.action, tools)
  }
}
