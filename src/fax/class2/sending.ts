/**
 * A call out over a Class 2 modem: dial, then for each page +FDT, CONNECT, page data, and what follows it
 * (T.32, 8.3.3 and 8.3.4; a good call of each class in docs/fax.md).
 *
 * A page is confirmed by +FPTS: 1 or 3 (MCF, RTP) in Class 2 and by OK after its data in Class 2.0. Whether the message
 * after a page may go out is asked while the modem still sends the page's end.
 */
import type { Reason } from '#messages/states.ts'
import type { CallFacts, CallOut, CallOutEvents, CallOutResult, FaxFailure } from '../contract.ts'
import type { Reply } from '../modem-port.ts'
import { OutgoingPages } from '../outgoing-pages.ts'
import { DLE, ETX } from '../stuffing.ts'
import type { Resolution } from '../t30/capabilities.ts'
import { modulations } from '../t30/modulation.ts'
import {
  type After,
  after,
  dialects,
  type FarAbilities,
  type Report,
  type Session,
  sessionText,
  wishFor,
} from './dialect.ts'
import { hangUpReason, unanswered } from './hang-up.table.ts'
import {
  type Class2Calls,
  COMMAND_MS,
  correctionMs,
  ending,
  hangUp,
  isOk,
  onAbort,
  prepareCall,
  reportOf,
} from './session.ts'

const DIAL_MS = 120_000
/** DCS and training twice at each of six speeds, 7 s each. */
const TRAINING_MS = 120_000
/** XON comes with CONNECT; some modems leave it out. */
const XON_MS = 1_000
/** Beyond what its data takes, the OK after a page may be so late: a full buffer at 2400 bit/s. */
const DRAIN_MS = 15_000
/** Three times T4 for the answer, DCN, and the way to the hook. */
const ANSWER_MS = 60_000
/** The other end gives up T2 (6 s +-1 s) after a page whose post-page message does not come. */
const INTEND_MS = 4_000
const MOST_REFUSALS = 3
/** MCF and RTN, as +FPTS has them. */
const GOOD = 1
const REFUSED = 2

const late: Reason = {
  code: 'not-recorded',
  text: 'That the page is being sent could not be recorded in time',
}

export async function sendCall(
  calls: Class2Calls,
  out: CallOut,
  events: CallOutEvents,
  signal: AbortSignal,
): Promise<CallOutResult> {
  const call = new SendCall(calls, out, events, signal)
  const result = await call.run()
  return { ...result, facts: call.facts }
}

type Step = { go: 'on' } | { go: 'again' } | CallOutResult

class SendCall {
  readonly #calls: Class2Calls
  readonly #out: CallOut
  readonly #events: CallOutEvents
  readonly #signal: AbortSignal
  readonly facts: CallFacts = {}
  #confirmed: number
  #session: Session | undefined
  #far: FarAbilities | undefined
  #refusals = 0
  /** The modem still takes what comes for page data, or has not said yet that it is at the end of it. */
  #dataOpen = false
  #resolution: Resolution = 196

  constructor(calls: Class2Calls, out: CallOut, events: CallOutEvents, signal: AbortSignal) {
    this.#calls = calls
    this.#out = out
    this.#events = events
    this.#signal = signal
    this.#confirmed = out.from
  }

  async run(): Promise<CallOutResult> {
    const { port } = this.#calls
    const pages = await OutgoingPages.of(this.#out)
    if (typeof pages === 'string') return this.#failed('fax-protocol', pages)
    this.#resolution = pages.resolutions[this.#out.from] ?? 196
    await prepareCall(this.#calls, this.#resolution)
    const reason = this.#signal.aborted ? ending : await this.#events.intend(this.#out.from, 'dial')
    if (reason) return this.#stopped(reason)
    const begun = await this.#dial()
    if (begun) {
      await hangUp(port)
      return begun
    }
    const connected = port.timing.now()
    using _ = onAbort(port, this.#signal)
    await this.#choose(this.#resolution)
    const result = await this.#converse(pages)
    if (result.result !== 'sent') await this.#stop()
    await hangUp(port)
    this.facts.duration = Math.round(port.timing.now() - connected)
    return result
  }

  /** @returns why there is no connection */
  async #dial(): Promise<CallOutResult | undefined> {
    const { port } = this.#calls
    using _ = onAbort(port, this.#signal)
    this.#events.progress('dialling')
    const number = this.#out.number.replace(/[^0-9+*#,W]/gi, '')
    const reply = await port.command(`ATDT${number}`, { within: DIAL_MS })
    if (this.#signal.aborted) {
      if (reply.how === 'silent') await port.abort()
      return this.#stopped(ending)
    }
    if (reply.how === 'silent') {
      await port.abort()
      return this.#failed('fax-no-answer', 'nobody answered')
    }
    if (reply.how === 'closed') return this.#failed('fax-modem', 'the modem is gone')
    const report = this.#heard(reply)
    if (report.hungUp !== undefined) return this.#hungUp(report.hungUp)
    if (reply.code === 'OK') return undefined
    return this.#failed(...dialFailure(reply.code))
  }

  async #converse(pages: OutgoingPages): Promise<CallOutResult> {
    const count = Math.min(this.#out.pages, pages.resolutions.length)
    for (let page = this.#out.from; page < count; ) {
      if (this.#signal.aborted) return this.#stopped(ending)
      const next = pages.resolutions[page + 1]
      const follows: After =
        page === count - 1
          ? after.nothing
          : next === this.#resolution || this.#far?.fine === false
            ? after.page
            : after.document
      const step = await this.#page(pages, page, follows)
      if ('result' in step) return step
      if (step.go === 'again') continue
      page += 1
      if (follows !== after.document || next === undefined) continue
      this.#resolution = next
      this.#session = undefined
      await this.#choose(next)
    }
    return { result: 'sent', facts: this.facts }
  }

  /** One page, from +FDT to its confirmation. */
  async #page(pages: OutgoingPages, page: number, follows: After): Promise<Step> {
    const { port, dialect } = this.#calls
    const connect = await port.command('AT+FDT', { within: TRAINING_MS, connect: 'send' })
    const session = this.#agreed(connect)
    if ('result' in session) return session
    this.#tell(page, session)
    const modulation = modulations.find(({ rate }) => rate === session.rate)
    if (!modulation) return this.#failed('fax-protocol', 'the modem chose a speed that is not known here')
    const data = pages.coded(page, {
      modulation,
      resolution: session.resolution,
      coding: session.coding,
      ecm: session.ecm,
      frameSize: 256,
      rowTime: session.rowTime,
    })
    if (dialect === '2') await port.xon(XON_MS)
    const marks = dialects[dialect].marks
    this.#dataOpen = true
    const sent = await port.send(data, {
      rate: session.rate,
      training: modulation.trainingAfter,
      end: marks ? [] : [DLE, ETX],
      signal: this.#signal,
      // It has frames to send and idles between them with flags: what comes late is not padded.
      ...(session.ecm ? { waits: correctionMs(session) } : {}),
    })
    if (sent.how === 'starved') {
      if (this.#signal.aborted) return this.#stopped(ending)
      return this.#failed(
        'fax-too-slow',
        `page ${page + 1} could not be handed to the modem as fast as it sends`,
      )
    }
    if (sent.how === 'closed') return this.#failed('fax-modem', 'the modem is gone')
    if (sent.how === 'stuck') return this.#failed('fax-modem', 'the modem takes no more data')
    if (sent.how === 'interrupted') {
      this.#dataOpen = false
      return this.#ended(await port.result(COMMAND_MS), page, false)
    }
    return marks ? this.#endPage20(page, follows, marks[follows]) : this.#endPage2(page, follows)
  }

  /** Class 2: OK when the data is over, then +FET. */
  async #endPage2(page: number, follows: After): Promise<Step> {
    const { port } = this.#calls
    const asked = this.#intend(page)
    const beyond = correctionMs(this.#session)
    const drained = await port.result(DRAIN_MS + beyond)
    this.#dataOpen = false
    if (!isOk(drained)) return this.#ended(drained, page, false)
    const reason = await asked
    if (reason) return this.#stopped(reason)
    const reply = await port.command(`AT+FET=${follows}`, { within: ANSWER_MS + beyond })
    const { status } = this.#heard(reply)
    if (status === undefined) return this.#ended(reply, page, follows === after.nothing)
    return this.#judged(status, page)
  }

  /** Class 2.0: the mark that ends the data says what follows, and OK or ERROR what became of the page. */
  async #endPage20(page: number, follows: After, mark: number): Promise<Step> {
    const { port } = this.#calls
    const reason = await this.#intend(page)
    if (reason) return this.#stopped(reason)
    port.raw(Uint8Array.of(DLE, mark))
    this.#dataOpen = false
    const reply = await port.result(DRAIN_MS + ANSWER_MS + correctionMs(this.#session))
    const report = this.#heard(reply)
    if (reply.how !== 'code' || (report.hungUp ?? 0) > 0)
      return this.#ended(reply, page, follows === after.nothing)
    // OK and ERROR are the other machine's answers (T.32, 8.3.3); anything else is none. What AT+FPS? says then may be
    // that of the page before.
    // With a DIS that EOM did not ask for the other machine begins again: it has heard nothing of the page.
    const began = report.far !== undefined && follows !== after.document
    if (reply.code === 'OK') return this.#judged(report.status ?? (began ? REFUSED : GOOD), page)
    if (reply.code === 'ERROR') return this.#judged(report.status ?? REFUSED, page)
    return this.#ended(reply, page, follows === after.nothing)
  }

  /** The answer to the post-page message came. */
  async #judged(status: number, page: number): Promise<Step> {
    if (status === GOOD || status === 3 || status === 5) {
      this.#confirmed = page + 1
      this.#refusals = 0
      await this.#events.confirmed(page)
      return { go: 'on' }
    }
    this.#refusals += 1
    if (this.#refusals < MOST_REFUSALS) return { go: 'again' }
    return this.#failed('fax-poor-copy', `page ${page + 1} came over too poorly ${this.#refusals} times`)
  }

  /** There is no answer to this page any more. @param doubtful its post-page message went out, and it was the last one */
  #ended(reply: Reply, page: number, doubtful: boolean): CallOutResult {
    if (this.#signal.aborted && !doubtful) return this.#stopped(ending)
    const { hungUp } = reportOf(reply, this.#calls.dialect)
    const text = `the line was dropped on page ${page + 1}`
    if (doubtful && (hungUp === undefined || unanswered(hungUp))) {
      const doubt = `page ${page + 1} was sent, but whether it arrived was not answered`
      return { result: 'unknown', text: doubt, confirmed: this.#confirmed, facts: this.facts }
    }
    if (reply.how === 'closed') return this.#failed('fax-modem', 'the modem is gone')
    if (hungUp === undefined) return this.#failed('fax-line-dropped', text)
    const { failure, text: why } = hangUpReason(hungUp)
    return this.#failed(failure, failure === 'fax-line-dropped' ? `${text}: ${why}` : why)
  }

  /** Before the first page, and after EOM (T.30, 5.3.6.1.6), when pages of another resolution follow. */
  async #choose(resolution: Resolution): Promise<void> {
    const { port, dialect, abilities } = this.#calls
    const wish = wishFor(abilities, this.#far, resolution)
    // A modem that refuses it keeps to what it was told before the call, and to what both ends have of that.
    await port.command(`AT${dialects[dialect].session}=${sessionText(wish)}`, { within: COMMAND_MS })
  }

  /** @returns how the page is to be coded, once the modem says CONNECT */
  #agreed(reply: Reply): Session | CallOutResult {
    const report = this.#heard(reply)
    if (report.hungUp !== undefined) return this.#hungUp(report.hungUp)
    if (this.#signal.aborted) return this.#stopped(ending)
    if (reply.how === 'closed') return this.#failed('fax-modem', 'the modem is gone')
    if (reply.how === 'silent')
      return this.#failed('fax-line-dropped', 'the other machine no longer answered')
    if (!reply.code.startsWith('CONNECT'))
      return this.#failed('fax-protocol', `the modem did not send the page: ${reply.code}`)
    if (report.unknownSession !== undefined)
      return this.#failed(
        'fax-protocol',
        `the machines agreed on what is not known here (${report.unknownSession})`,
      )
    this.#session = report.session ?? this.#session
    return this.#session ?? this.#failed('fax-protocol', 'the modem does not say how the page is to be sent')
  }

  #heard(reply: Reply): Report {
    const report = reportOf(reply, this.#calls.dialect)
    if (report.station !== undefined) this.facts.station = report.station
    this.#far = report.far ?? this.#far
    return report
  }

  #tell(page: number, { rate, coding, ecm }: Session): void {
    Object.assign(this.facts, { rate, coding, ecm })
    const correction = ecm ? ' with ECM' : ''
    this.#events.progress(`page ${page + 1} of ${this.#out.pages} at ${rate} bit/s${correction}`)
  }

  #intend(page: number): Promise<Reason | undefined> {
    const { timing } = this.#calls.port
    return new Promise((resolve) => {
      const cancel = timing.after(INTEND_MS, () => resolve(late))
      void this.#events.intend(page, 'post-page').then((reason) => {
        cancel()
        resolve(reason)
      })
    })
  }

  /** Ends the dialogue in order, where the modem can. */
  async #stop(): Promise<void> {
    const { port, dialect } = this.#calls
    if (this.#dataOpen) {
      // Data ended without a mark is followed by no post-page message (T.32, 8.3.3.6). In Class 2 it has ended so already.
      if (dialects[dialect].marks) port.raw(Uint8Array.of(DLE, ETX))
      await port.result(DRAIN_MS)
    }
    await port.command(`AT${dialects[dialect].stop}`, { within: COMMAND_MS })
  }

  #hungUp(code: number): CallOutResult {
    const { failure, text } = hangUpReason(code)
    return this.#failed(failure, text)
  }

  #failed(failure: FaxFailure, text: string): CallOutResult {
    return { result: 'failed', failure, text, confirmed: this.#confirmed, facts: this.facts }
  }

  #stopped(reason: Reason): CallOutResult {
    return { result: 'stopped', reason, confirmed: this.#confirmed, facts: this.facts }
  }
}

function dialFailure(code: string): [FaxFailure, string] {
  if (code === 'BUSY') return ['fax-busy', 'the number is busy']
  if (code === 'NO ANSWER') return ['fax-no-answer', 'nobody answered']
  if (/^NO DIAL/.test(code)) return ['fax-no-dial-tone', 'there is no dial tone on the line']
  if (code === 'NO CARRIER') return ['fax-no-carrier', 'the call brought no connection to a fax machine']
  return ['fax-modem', `the modem did not dial: ${code}`]
}
