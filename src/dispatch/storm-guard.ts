/**
 * The storm guard at work: asked by the delivery loop of the member that may transmit, before a due delivery waits for a
 * line and before a line gets it. It folds by cancelling with a reason, so whatever it holds back stays in the store,
 * is listed, and may be sent by a person who asks for it again.
 */
import { createHash } from 'node:crypto'
import { isOff, noStorm, type StormConfig } from '#config/storm.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { quietEnd } from '#core/zone.ts'
import type { Delivery, Message } from '#messages/message.ts'
import { parseRecipient } from '#messages/recipient.ts'
import type { DeliveryEvent } from '#messages/states.ts'
import { planText } from '#sms/coding.ts'
import type { Store } from '#store/contract.ts'
import type { SubmitRequest, SubmitResult } from './contract.ts'
import type { Directory } from './recipients.ts'
import { type Digest, type QuietUntil, Storm, type StormInput } from './storm.ts'
import { remember } from './storm-memory.ts'

/** The source of digests; no way in has such a name. */
const STORM_SOURCE = 'storm'

/** A digest is worth sending for so long, ms: quiet hours and a full budget may hold it. */
const DIGEST_VALIDITY_MS = 86_400_000
/** Digests at a time, and how long until one that could not be accepted is tried again, ms. */
const DIGESTS = 100
const AGAIN_MS = 5_000

export interface StormDependencies {
  node: string
  store: Pick<Store, 'message' | 'messages' | 'totals'>
  clock: Clock
  log: Log
  submit(request: SubmitRequest): Promise<SubmitResult>
}

export interface StormView {
  /** Whether anything is configured. */
  on: boolean
  /** Folded and not told yet; `due` in ms since 1970. */
  pending: { to: string; count: number; due: number }[]
  /** What lines have used of their budgets, in parts. */
  lines: { line: string; used: number; month: number }[]
}

export class StormGuard {
  readonly #deps: StormDependencies
  #rules: StormConfig = noStorm()
  #off = true
  #directory: Directory
  #storm = new Storm(noStorm(), () => undefined)
  #quiet: QuietUntil = () => undefined
  /** Counts the memories that were begun; only the newest is used. */
  #round = 0
  #remembering = false
  #telling = false

  constructor(deps: StormDependencies, rules: StormConfig, directory: Directory) {
    this.#deps = deps
    this.#directory = directory
    this.configure(rules, directory)
  }

  /** @returns whether it has to begin() anew */
  configure(rules: StormConfig, directory: Directory): boolean {
    const same = JSON.stringify(rules) === JSON.stringify(this.#rules)
    if (same && directory === this.#directory) return false
    this.#rules = rules
    this.#directory = directory
    this.#off = isOff(rules)
    this.#quiet = quietOf(rules, directory)
    if (!same) this.#storm = this.#machine()
    return !same
  }

  /** This member may transmit from now on, or by other rules: reads what went before. Never rejects. */
  async begin(): Promise<void> {
    const round = ++this.#round
    const { store, clock, log, node } = this.#deps
    const storm = this.#machine()
    if (!this.#off) {
      this.#remembering = true
      try {
        await remember(storm, this.#rules, node, store, clock.now(), (one, message) =>
          this.#input(one, message),
        )
      } catch (error) {
        log.error(
          { error: errorText(error) },
          'the storm guard does not know what went out before; it begins anew',
        )
      }
    }
    if (round !== this.#round) return
    this.#storm = storm
    this.#remembering = false
  }

  /**
   * What is to become of a due delivery.
   * @returns undefined when it may wait for a line, `later` when it must be asked again after begin()
   */
  consider(delivery: Delivery, message: Message): DeliveryEvent | 'later' | undefined {
    // A fax is no alert of which the next one says the same, and a digest cannot stand for its pages.
    if (this.#off || delivery.channel === 'fax') return undefined
    if (this.#remembering && delivery.priority > 0) return 'later'
    const now = this.#deps.clock.now()
    const verdict = this.#storm.consider(this.#input(delivery, message), now)
    switch (verdict.verdict) {
      case 'pass':
        return undefined
      case 'fold':
        return { event: 'cancel', reason: verdict.reason }
      case 'wait':
        return { event: 'defer', reason: verdict.reason, due: verdict.until, failure: false }
    }
  }

  /** It ended without having been sent. */
  ended(delivery: Delivery, message: Message): void {
    if (!this.#off) this.#storm.ended(delivery.id, delivery.to, this.#sameness(message))
  }

  lineMay(line: string, priority: number): boolean {
    return this.#off || priority === 0 || this.#storm.lineMay(line, this.#deps.clock.now())
  }

  /** A line got it. @param parts that are left to send */
  began(line: string, { id, to }: Delivery, message: Message, parts: number): void {
    if (this.#off) return
    this.#storm.lineUsed(line, parts, this.#deps.clock.now())
    this.#storm.began(id, to, this.#sameness(message))
  }

  view(): StormView {
    const now = this.#deps.clock.now()
    return { on: !this.#off, pending: this.#storm.pending(), lines: this.#off ? [] : this.#storm.lines(now) }
  }

  /** Sends the digests that are due; to be called each second while this member may transmit. */
  async tick(): Promise<void> {
    if (this.#off || this.#remembering || this.#telling) return
    const { clock, log } = this.#deps
    const now = clock.now()
    this.#storm.tidy(now)
    const storm = this.#storm
    this.#telling = true
    try {
      const due = storm.digests(now)
      for (const [index, digest] of due.entries()) {
        if (index >= DIGESTS) storm.untold(digest, now)
        else await this.#tell(storm, digest)
      }
    } catch (error) {
      log.error({ error: errorText(error) }, 'a digest of folded messages was not accepted; tried again')
    } finally {
      this.#telling = false
    }
  }

  async #tell(storm: Storm, digest: Digest): Promise<void> {
    const { submit, clock, log } = this.#deps
    const key = `storm:${digest.first}`
    const again = () => storm.untold(digest, clock.now() + AGAIN_MS)
    let result: SubmitResult
    try {
      result = await submit({
        to: [digest.to],
        text: digestText(digest),
        priority: digest.priority <= 1 ? 1 : digest.priority === 2 ? 2 : 3,
        validity: DIGEST_VALIDITY_MS,
        source: STORM_SOURCE,
        // A member that took over tells of the same first one: whoever was first has told it.
        key: { key, bodyHash: createHash('sha256').update(key).digest('hex') },
      })
    } catch (error) {
      again()
      throw error
    }
    if (result.result === 'accepted') log.info({ folded: digest.count }, 'messages were folded into a digest')
    else if (result.result === 'invalid')
      log.error(
        { folded: digest.count, reason: result.code },
        'a digest cannot be sent; the folded are listed',
      )
    else again()
  }

  #machine(): Storm {
    return new Storm(this.#rules, (to, now) => this.#quiet(to, now))
  }

  #sameness(message: Message): string | undefined {
    if (message.document !== undefined) return undefined
    if (message.dedupe !== undefined) return `key ${message.dedupe}`
    if (this.#rules.dedupe?.text !== true) return undefined
    return createHash('sha256').update(message.text).digest('base64')
  }

  #input(delivery: Delivery, message: Message): StormInput {
    const { id, to, parts, priority, expires } = delivery
    return {
      id,
      to,
      parts,
      priority,
      expires,
      text: message.text,
      sameness: this.#sameness(message),
      again: delivery.attempts > 0 || delivery.timeline.some(({ event }) => event === 'retry'),
      digest: message.source === STORM_SOURCE,
    }
  }
}

/** One SMS, with the beginning of the latest message as far as it fits. */
export function digestText({ count, latest }: Pick<Digest, 'count' | 'latest'>): string {
  const head = `and ${count} more ${count === 1 ? 'message' : 'messages'} held back by the storm guard.`
  const sample = latest.replace(/\s+/g, ' ').trim()
  for (const length of [90, 60, 20]) {
    const cut = [...sample].slice(0, length).join('')
    const text = `${head} Latest: ${cut}${cut.length < sample.length ? '...' : ''}`
    if (planText(text, 8).parts.length === 1) return text
  }
  return head
}

/** Quiet hours by number, contacts and groups expanded once. */
function quietOf({ quiet, zone }: StormConfig, directory: Directory): QuietUntil {
  const numberOf = (text: string): string[] => {
    const parsed = parseRecipient(text)
    return 'problem' in parsed ? [] : [parsed.number]
  }
  const rules = quiet.map((hours) => ({
    hours,
    everybody: hours.to.includes('*'),
    numbers: new Set(
      hours.to.flatMap((name) =>
        directory.kind(name) === undefined
          ? numberOf(name)
          : directory.contacts(name).flatMap(({ sms }) => (sms === undefined ? [] : numberOf(sms))),
      ),
    ),
  }))
  return (to, now) => {
    const ends = rules.flatMap(({ hours, everybody, numbers }) =>
      everybody || numbers.has(to) ? (quietEnd(hours, now, zone) ?? []) : [],
    )
    return ends.length === 0 ? undefined : Math.max(...ends)
  }
}
