/**
 * A call in over a Class 2 modem: answer, then for each page +FDR, CONNECT, DC2, the page's data, what the modem thinks of
 * it, and +FDR again, which confirms it to the sender (T.32, 8.3.3 and 8.3.4; PN-2388, 8.5).
 *
 * A page is confirmed only once it is kept: +FDR waits for that.
 */

import { type Decoded, decode, MOST_ROWS } from '../coding/decode.ts'
import { type Coding, encode } from '../coding/encode.ts'
import { FAX_WIDTH } from '../coding/rows.ts'
import {
  type CallFacts,
  type CallInEvents,
  type CallInResult,
  type FaxFailure,
  MOST_PAGES_A_CALL,
} from '../contract.ts'
import type { Reply } from '../modem-port.ts'
import { after, dialects, type Report, type Session } from './dialect.ts'
import { hangUpReason } from './hang-up.table.ts'
import {
  type Class2Calls,
  COMMAND_MS,
  correctionMs,
  hangUp,
  isOk,
  onAbort,
  prepareCall,
  reportOf,
} from './session.ts'

/** Answer tone, and what machines say until a page is agreed upon. */
const ANSWER_MS = 60_000
const TRAINING_MS = 60_000
const DC2 = 0x12
/** One page: 16 MB, or an hour; a modem says within seconds that its carrier is gone. */
const MOST_PAGE = 16 * 1024 * 1024
const MOST_PAGE_MS = 3_600_000
const PAGE_IDLE_MS = 15_000
const STATUS_MS = 30_000
/** The sender repeats its post-page message three times, 3 s apart. */
const KEEP_MS = 8_000
/** The share of bad rows from which a page is refused, and how often. */
const BAD = 0.15
const MOST_REFUSALS = 2
const MOST_PAGES = 1_000
/** RTN and PIN, as +FPTS has them. */
const REFUSED = 2
const REFUSED_BY_PERSON = 4

export async function receiveCall(
  calls: Class2Calls,
  events: CallInEvents,
  signal: AbortSignal,
): Promise<CallInResult> {
  const { port } = calls
  await prepareCall(calls, 196)
  await port.command('AT+FCR=1', { within: COMMAND_MS })
  using _ = onAbort(port, signal)
  const reply = await port.command('ATA', { within: ANSWER_MS })
  const connected = port.timing.now()
  const report = reportOf(reply, calls.dialect)
  if (!isOk(reply) || !report.machine || report.hungUp !== undefined) {
    if (reply.how === 'silent') await port.abort()
    await hangUp(port)
    const text = report.machine ? 'the call broke off before a page came' : 'whoever called is no fax machine'
    return { result: 'no-fax', text }
  }
  const call = new ReceiveCall(calls, events, signal, report)
  const result = await call.run()
  await hangUp(port)
  if (result.result === 'no-fax') return result
  return { ...result, facts: { ...call.facts, duration: Math.round(port.timing.now() - connected) } }
}

type Step = { go: 'on' } | { go: 'over' } | { failure: FaxFailure; text: string }

class ReceiveCall {
  readonly #calls: Class2Calls
  readonly #events: CallInEvents
  readonly #signal: AbortSignal
  readonly facts: CallFacts = {}
  #session: Session | undefined
  #kept = 0
  #refusals = 0
  /** The page that was refused last, until something better comes. */
  #poor: Decoded | undefined
  /** The sender has announced another page, or is to send one again. */
  #awaits = false
  /** The modem gives its data with the other bit first; found out by its first page. */
  #reversed = false

  constructor(calls: Class2Calls, events: CallInEvents, signal: AbortSignal, report: Report) {
    this.#calls = calls
    this.#events = events
    this.#signal = signal
    this.#take(report)
  }

  async run(): Promise<CallInResult> {
    for (let turn = 0; turn < MOST_PAGES; turn++) {
      const step = await this.#page()
      if ('failure' in step) {
        if (this.#poor) await this.#keep(this.#poor, false)
        return this.#ended(step)
      }
      if (step.go === 'over') return this.#ended(undefined)
    }
    return this.#ended({ failure: 'fax-protocol', text: 'the call does not end' })
  }

  #ended(trouble: { failure: FaxFailure; text: string } | undefined): CallInResult {
    const { facts } = this
    const pages = this.#kept
    if (!trouble) {
      if (pages > 0) return { result: 'received', pages, facts }
      return { result: 'no-fax', text: 'the other machine sent no page' }
    }
    if (pages === 0 && facts.rate === undefined) return { result: 'no-fax', text: trouble.text }
    return { result: 'partial', pages, ...trouble, facts }
  }

  async #page(): Promise<Step> {
    const { port, dialect } = this.#calls
    let connect = await port.command('AT+FDR', { within: TRAINING_MS, connect: 'receive' })
    let before = reportOf(connect, dialect)
    this.#take(before)
    if (isOk(connect) && before.machine && before.hungUp === undefined) {
      // After EOM some modems tell what was agreed anew, as when they answer, and wait to be asked for the page.
      connect = await port.command('AT+FDR', { within: TRAINING_MS, connect: 'receive' })
      before = reportOf(connect, dialect)
      this.#take(before)
    }
    if (before.hungUp === 0) return this.#awaits ? this.#left() : { go: 'over' }
    if (before.hungUp !== undefined) return hangUpReason(before.hungUp)
    if (connect.how !== 'code' || !connect.code.startsWith('CONNECT')) return this.#silent(connect)
    const most = this.#calls.settings.mostPages ?? MOST_PAGES_A_CALL
    // What was kept is confirmed by now.
    if (this.#kept >= most) {
      await port.abort()
      return {
        failure: 'fax-protocol',
        text: `the sender has more pages than one call may bring (${most})`,
      }
    }
    const { rate, ecm } = this.#session ?? {}
    const speed = rate === undefined ? '' : ` at ${rate} bit/s${ecm ? ' with ECM' : ''}`
    this.#events.progress(`receiving page ${this.#kept + 1}${speed}`)
    port.raw(Uint8Array.of(DC2))
    const beyond = correctionMs(this.#session)
    const idle = PAGE_IDLE_MS + beyond
    const received = await port.received({ within: MOST_PAGE_MS, idle, most: MOST_PAGE })
    const reply = received.end === 'etx' ? await port.result(STATUS_MS + beyond) : undefined
    // While a page comes, CAN is all that a modem obeys (PN-2388, "escape from reception"): ATH would be lost.
    if (received.end !== 'etx') await port.abort()
    const report = reply ? reportOf(reply, dialect) : ({ machine: true } satisfies Report)
    const complete = report.status !== undefined
    const decoded = this.#decode(received.data)
    if (complete && this.#refuses(decoded)) {
      this.#refusals += 1
      this.#awaits = true
      if (decoded.bitmap.height > 0) this.#poor = decoded
      // The sender's answer to a refusal comes with the next page.
      await port.command(`AT${dialects[dialect].setStatus}=${REFUSED}`, { within: COMMAND_MS })
      return { go: 'on' }
    }
    if (decoded.bitmap.height > 0 && !(await this.#keep(decoded, complete)))
      return { failure: 'fax-protocol', text: 'the page could not be stored here' }
    this.#refusals = 0
    this.#poor = undefined
    this.#awaits = report.after === after.page || report.after === after.document
    if (report.hungUp !== undefined) return hangUpReason(report.hungUp)
    if (!complete) return this.#silent(reply ?? { how: 'silent' })
    // A modem that would refuse what is kept is told not to: the page would come and be kept a second time.
    if (report.status === REFUSED || report.status === REFUSED_BY_PERSON)
      await port.command(`AT${dialects[dialect].setStatus}=1`, { within: COMMAND_MS })
    if (this.#signal.aborted) return { failure: 'fax-line-dropped', text: 'the call was ended here' }
    if (report.after === after.nothing) return this.#confirmLast()
    return { go: 'on' }
  }

  #left(): Step {
    return {
      failure: 'fax-line-dropped',
      text: `the sender hung up before page ${this.#kept + 1} was complete`,
    }
  }

  /** The last +FDR confirms the last page and ends the call. */
  async #confirmLast(): Promise<Step> {
    const { port, dialect } = this.#calls
    const reply = await port.command('AT+FDR', { within: TRAINING_MS, connect: 'receive' })
    const { hungUp } = reportOf(reply, dialect)
    // Whether its sender heard the confirmation or not: the page is here.
    if (hungUp !== undefined || isOk(reply)) return { go: 'over' }
    return this.#silent(reply)
  }

  #silent(reply: Reply): Step {
    if (reply.how === 'closed') return { failure: 'fax-modem', text: 'the modem is gone' }
    if (this.#signal.aborted) return { failure: 'fax-line-dropped', text: 'the call was ended here' }
    return { failure: 'fax-line-dropped', text: 'the other machine no longer sent anything' }
  }

  #take({ station, session }: Report): void {
    if (station !== undefined) this.facts.station = station
    if (!session) return
    this.#session = session
    const { rate, coding, ecm } = session
    Object.assign(this.facts, { rate, coding, ecm })
  }

  /**
   * Class 2 gives the first bit on the line as the highest (Rockwell's error, which became custom), Class 2.0 as the
   * lowest; a few modems do as they like, and a page that makes no sense one way is read the other way.
   */
  #decode(data: Uint8Array): Decoded {
    const coding = this.#session?.coding ?? 'MH'
    const usual = this.#calls.dialect === '2' ? 'msb' : 'lsb'
    const other = usual === 'msb' ? 'lsb' : 'msb'
    const read = (bitOrder: 'msb' | 'lsb') => decode(coding, data, { width: FAX_WIDTH, bitOrder })
    const decoded = read(this.#reversed ? other : usual)
    if (data.length === 0 || makesSense(decoded, coding)) return decoded
    const again = read(this.#reversed ? usual : other)
    if (!makesSense(again, coding)) return decoded
    this.#reversed = !this.#reversed
    return again
  }

  /** What the modem has corrected is asked for again by nobody: its sender has no page to send twice (T.30, A.4.4). */
  #refuses({ bitmap, badRows }: Decoded): boolean {
    if (this.#session?.ecm) return false
    const share = bitmap.height === 0 ? 1 : badRows / bitmap.height
    return share > BAD && this.#refusals < MOST_REFUSALS
  }

  /** @returns whether the gateway has it */
  async #keep({ bitmap, badRows }: Decoded, complete: boolean): Promise<boolean> {
    const { timing } = this.#calls.port
    const keeping = this.#events
      .page({
        number: this.#kept,
        width: bitmap.width,
        rows: bitmap.height,
        resolution: this.#session?.resolution ?? 196,
        data: encode('MMR', bitmap),
        badRows,
        // What came beyond is not here; nor is what follows a row of T.6 that is none.
        complete: complete && bitmap.height < MOST_ROWS && !(badRows > 0 && this.#session?.coding === 'MMR'),
      })
      .then(
        () => true,
        () => false,
      )
    const kept = await new Promise<boolean>((resolve) => {
      const cancel = timing.after(KEEP_MS, () => resolve(false))
      void keeping.then((done) => {
        cancel()
        resolve(done)
      })
    })
    if (kept) this.#kept += 1
    return kept
  }
}

/** In T.6 the first bad row ends the page, so that one of many may mean that it was read from the wrong end. */
const makesSense = ({ bitmap, badRows }: Decoded, coding: Coding): boolean =>
  bitmap.height > 0 && (coding === 'MMR' ? badRows === 0 : badRows * 2 < bitmap.height)
