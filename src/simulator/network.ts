/**
 * The simulated mobile network: several modems belong to one. It judges and records every SMS-SUBMIT, makes status
 * reports, and carries inbound messages and calls to the modems. What it records is the truth that tests and
 * benchmarks compare the gateway's own books with. Uses timers; no files, no sockets.
 */

import { Chance } from './chance.ts'
import { encodeDeliver, encodeStatusReport, forwardDeliver, type Inbound, type ShownPdu } from './deliver.ts'
import { type ErrorRule, type ModemOptions, parseErrorRules, type Span } from './options.ts'
import type { Submit } from './pdu.ts'

/** One AT+CMGS that got as far as Ctrl-Z with a correct PDU. Times are ns of the machine's monotonic clock. */
export interface Submission {
  /** Counts all submissions of the network from 1. */
  sequence: number
  /** Name of the modem, such as `line0`. */
  modem: string
  to: string
  /** The text of this part. */
  text: string
  /** k of n; 1 of 1 without a header. */
  part: number
  parts: number
  /** Concatenation reference, undefined for a single message. */
  concatenation: number | undefined
  /** TP-MR as answered by the modem. */
  reference: number
  alphabet: Submit['alphabet']
  class: number | undefined
  validity: Submit['validity']
  reportWanted: boolean
  pdu: string
  /** AT+CMGS complete, prompt written, Ctrl-Z read, answer written (0 when it never was). */
  commandAt: number
  promptAt: number
  endAt: number
  answeredAt: number
  /** The final answer such as `+CMGS: 7` or `+CMS ERROR: 38`; empty when none was given. */
  answer: string
  /** True when the network took it: a copy is on its way to the phone. */
  delivered: boolean
}

export interface Violation {
  modem: string
  /** Monotonic ns. */
  at: number
  /** Names the rule that was broken, such as `pdu-length`. */
  rule: string
  detail: string
}

/** A whole message as the phone shows it. */
export interface Received {
  modem: string
  to: string
  text: string
  parts: number
  /** Copies of single parts that came more than once. */
  copies: number
  /** False while parts are missing. */
  complete: boolean
}

/** What the network does to a number, apart from ErrorRule. */
export interface NumberBehaviour {
  /** TP-Status of reports, instead of the modem's option. */
  status?: number
  reports?: Span | 'none'
  network?: Span
}

/** What the network needs of a modem. */
export interface Subscriber {
  readonly name: string
  readonly options: ModemOptions
  /** False when it is off, not registered or without SIM: the network keeps what it has for it. */
  reachable(): boolean
  /** @returns false when there is no room; the network tries again when the modem asks for it */
  takeMessage(shown: ShownPdu): boolean
  takeReport(shown: ShownPdu): boolean
  takeCall(from: string, rings: number): void
}

/** Bounds, so that a long run costs no memory: the newest records, the oldest waiting messages. */
const keptRecords = 200_000
const keptWaiting = 20_000

type Kind = 'message' | 'report'

/** A full store holds up messages but not reports, so each kind waits in a queue of its own. */
type Waiting = Record<Kind, ShownPdu[]>

export class SimulatedNetwork {
  /** The newest 200,000, in order of Ctrl-Z. */
  readonly submissions: Submission[] = []
  readonly violations: Violation[] = []
  /** Called for every submission when its outcome is known. */
  onSubmission: ((submission: Submission) => void) | undefined
  onViolation: ((violation: Violation) => void) | undefined
  /** Counts that outlive the bounded lists. */
  readonly totals = {
    submissions: 0,
    delivered: 0,
    refused: 0,
    unanswered: 0,
    violations: 0,
    reports: 0,
  }

  readonly #now: () => number
  readonly #subscribers = new Map<string, Subscriber>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #rules: {
    rule: ErrorRule
    modem: string | undefined
    fits: number
    used: number
  }[] = []
  readonly #numbers = new Map<string, NumberBehaviour>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #chance = new Chance(1)
  #nextConcatenation = 0

  /** @param now wall time in ms, for time stamps in PDUs */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  join(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber.name, subscriber)
    for (const rule of parseErrorRules(subscriber.options.errors) ?? []) this.fail(rule, subscriber.name)
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber.name)
    this.#waiting.delete(subscriber.name)
  }

  /** Stops every timer; what was waiting is forgotten. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#waiting.clear()
  }

  /** Adds a rule for submissions that shall fail, on one modem or on all. */
  fail(rule: ErrorRule, modem?: string): void {
    this.#rules.push({ rule, modem, fits: 0, used: 0 })
  }

  /** Takes the rules of one modem away, or all rules and every behaviour of numbers. */
  heal(modem?: string): void {
    const kept = modem === undefined ? [] : this.#rules.filter((entry) => entry.modem !== modem)
    this.#rules.splice(0, this.#rules.length, ...kept)
    if (modem === undefined) this.#numbers.clear()
  }

  /** @param number a number, or a prefix with `*` */
  behave(number: string, behaviour: NumberBehaviour): void {
    this.#numbers.set(number, behaviour)
  }

  behaviour(to: string): NumberBehaviour {
    if (this.#numbers.size === 0) return {}
    for (const [number, behaviour] of this.#numbers) if (fits(number, to)) return behaviour
    return {}
  }

  /** What the network says to a submission: undefined when it takes it, else the answer of the modem. */
  judge(modem: string, to: string): string | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry
      if (entry.modem !== undefined && entry.modem !== modem) continue
      if (rule.number !== undefined && !fits(rule.number, to)) continue
      if (rule.times !== undefined && entry.used >= rule.times) continue
      entry.fits++
      if (rule.every !== undefined && entry.fits % rule.every !== 0) continue
      if (rule.percent !== undefined && this.#chance.below(100) >= rule.percent) continue
      entry.used++
      return rule.answer
    }
    return undefined
  }

  /** Writes a submission down; its outcome follows with settle(). */
  record(submission: Omit<Submission, 'sequence'>): Submission {
    const kept = { sequence: ++this.totals.submissions, ...submission }
    this.submissions.push(kept)
    if (this.submissions.length > keptRecords) this.submissions.splice(0, keptRecords / 10)
    return kept
  }

  /** The network takes it: from here on the phone has a copy, whatever becomes of the modem's answer. */
  accept(submission: Submission, submit: Submit, from: Subscriber): void {
    submission.delivered = true
    this.totals.delivered++
    const behaviour = this.behaviour(submission.to)
    const reports = behaviour.reports ?? from.options.reports
    const submitted = this.#now()
    const peer = this.#subscriberOf(submission.to)
    if (peer !== undefined) {
      const smsc = peer.options.smsc
      const shown = forwardDeliver(from.options.number, submit.coding, submit.userData, smsc, submitted)
      this.#hand(peer, 'message', shown)
    }
    if (!submit.reportWanted || reports === 'none') return
    const delay = this.#chance.within(reports)
    const report = () => {
      this.totals.reports++
      const status = behaviour.status ?? from.options.status
      const { to, reference } = submission
      const shown = encodeStatusReport(
        { to, reference, status, submitted, done: this.#now() },
        from.options.smsc,
      )
      this.#hand(from, 'report', shown)
    }
    // Even a report without delay comes after the answer of the message that it belongs to.
    this.#later(delay, report)
  }

  /** The modem has answered, or never will. */
  settle(submission: Submission): void {
    if (submission.answer === '') this.totals.unanswered++
    else if (!submission.delivered) this.totals.refused++
    this.onSubmission?.(submission)
  }

  violate(violation: Violation): void {
    this.totals.violations++
    this.violations.push(violation)
    if (this.violations.length > keptRecords) this.violations.splice(0, keptRecords / 10)
    this.onViolation?.(violation)
  }

  /** What the phones show, put together from all delivered parts that are still recorded. */
  received(): Received[] {
    const messages = new Map<string, { first: Submission; parts: Map<number, string>; copies: number }>()
    const singles: Received[] = []
    for (const submission of this.submissions) {
      if (!submission.delivered) continue
      const { modem, to, text, part, parts, concatenation } = submission
      if (parts === 1) {
        singles.push({ modem, to, text, parts, copies: 0, complete: true })
        continue
      }
      const key = `${modem} ${to} ${concatenation} ${parts}`
      const known = messages.get(key)
      if (known === undefined || known.parts.size === parts) {
        // The same reference again after a whole message is the next message.
        if (known !== undefined && known.parts.get(part) === text) {
          known.copies++
          continue
        }
        if (known !== undefined) singles.push(whole(known))
        messages.set(key, {
          first: submission,
          parts: new Map([[part, text]]),
          copies: 0,
        })
        continue
      }
      if (known.parts.has(part)) known.copies++
      known.parts.set(part, text)
    }
    return [...singles, ...[...messages.values()].map(whole)]
  }

  /**
   * Sends a message to a modem. Parts go out in order unless `order` lists their numbers (from 1), where one may
   * be left out or be named twice. @returns the reference used
   */
  send(modem: string, message: Inbound, order?: readonly number[]): number {
    const subscriber = this.#subscriber(modem)
    const reference = message.reference ?? this.#nextConcatenation++ & 0xff
    const shown = encodeDeliver({ ...message, reference }, subscriber.options.smsc, this.#now())
    for (const part of order ?? shown.keys().map((index) => index + 1)) {
      const piece = shown[part - 1]
      if (piece !== undefined) this.#hand(subscriber, 'message', piece)
    }
    return reference
  }

  /** Sends a ready PDU, with the service centre in front, as it is. */
  sendPdu(modem: string, pdu: string): void {
    const length = pdu.length / 2 - 1 - Number.parseInt(pdu.slice(0, 2), 16)
    this.#hand(this.#subscriber(modem), 'message', { pdu, length })
  }

  /** Sends a status report that belongs to nothing, or comes twice. */
  sendReport(modem: string, report: { to: string; reference: number; status: number }): void {
    const subscriber = this.#subscriber(modem)
    const now = this.#now()
    const shown = encodeStatusReport({ ...report, submitted: now, done: now }, subscriber.options.smsc)
    this.#hand(subscriber, 'report', shown)
  }

  /** Rings a modem. @param rings how often until the caller gives up */
  call(modem: string, from: string, rings = 5): void {
    this.#subscriber(modem).takeCall(from, rings)
  }

  /** A modem can take messages again (registered, room in its store, the last one acknowledged). */
  resume(subscriber: Subscriber): void {
    this.#drain(subscriber, 'report')
    this.#drain(subscriber, 'message')
  }

  /** Puts back what the modem took but could not hand on. */
  giveBack(subscriber: Subscriber, kind: Kind, shown: ShownPdu): void {
    this.#queue(subscriber)[kind].unshift(shown)
  }

  /** How many messages and reports wait for a modem. */
  waiting(modem: string): number {
    const waiting = this.#waiting.get(modem)
    return waiting === undefined ? 0 : waiting.message.length + waiting.report.length
  }

  #hand(subscriber: Subscriber, kind: Kind, shown: ShownPdu): void {
    const queue = this.#queue(subscriber)[kind]
    if (queue.length < keptWaiting) queue.push(shown)
    this.#drain(subscriber, kind)
  }

  #drain(subscriber: Subscriber, kind: Kind): void {
    const queue = this.#queue(subscriber)[kind]
    while (subscriber.reachable()) {
      const next = queue.shift()
      if (next === undefined) return
      const taken = kind === 'report' ? subscriber.takeReport(next) : subscriber.takeMessage(next)
      if (taken) continue
      queue.unshift(next)
      return
    }
  }

  #queue(subscriber: Subscriber): Waiting {
    const known = this.#waiting.get(subscriber.name)
    if (known !== undefined) return known
    const queue: Waiting = { message: [], report: [] }
    this.#waiting.set(subscriber.name, queue)
    return queue
  }

  #subscriber(modem: string): Subscriber {
    const subscriber = this.#subscribers.get(modem)
    if (subscriber === undefined) throw new Error(`no modem ${modem} in this network`)
    return subscriber
  }

  #subscriberOf(number: string): Subscriber | undefined {
    for (const subscriber of this.#subscribers.values())
      if (subscriber.options.number === number) return subscriber
    return undefined
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }
}

function whole(message: { first: Submission; parts: Map<number, string>; copies: number }): Received {
  const { modem, to, parts } = message.first
  const text = Array.from({ length: parts }, (_, index) => message.parts.get(index + 1) ?? '').join('')
  return {
    modem,
    to,
    text,
    parts,
    copies: message.copies,
    complete: message.parts.size === parts,
  }
}

function fits(pattern: string, number: string): boolean {
  return pattern.endsWith('*') ? number.startsWith(pattern.slice(0, -1)) : pattern === number
}
