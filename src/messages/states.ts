/**
 * The life of a delivery: the one module that changes its state.
 *
 *   queued ──intend──▶ submitting ──accepted──▶ sent ──report──▶ delivered ──acknowledge──▶ acknowledged
 *     ▲                    │  │                   └──reportFailed──▶ failed
 *     └──defer / resend────┘  ├──fail──▶ failed
 *                             └──hold──▶ unknown ──(report │ retry │ cancel)──▶ …
 *   queued ──expire──▶ expired        queued, unknown ──cancel──▶ cancelled
 *
 * `claimed` is volatile: a dispatcher has it in hand but nothing irrevocable has begun, so a crash makes it queued
 * again and the embedded store never writes it. An event that the table does not allow is refused, not guessed:
 * applyEvent. Where the logs of several members are brought together an event may meet a state that its member did not
 * know of; what happened in the world is not undone by that, and the join table says what becomes of it: joinEvent.
 */
import { type Delivery, TIMELINE_LIMIT, type TimelineEntry } from './message.ts'

export const deliveryStates = [
  'queued',
  'claimed',
  'submitting',
  'sent',
  'delivered',
  'failed',
  'expired',
  'cancelled',
  'unknown',
  'acknowledged',
] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** Why, twice: a documented code for programs (docs/errors.md) and a sentence for people. */
export interface Reason {
  code: string
  text: string
}

export type DeliveryEvent =
  /** From here on the part may have been transmitted. Durable before the irrevocable byte. */
  | {
      event: 'intend'
      node: string
      line: string
      part: number
      concatenation: number
      /** Fax: what may be sent is the message that ends the page; without it, the call that begins with the page. */
      postPage?: true
      /** Another member may have transmitted it already, unknown to this one. */
      possibleDuplicate?: true
    }
  /** The far side confirmed one part of several. */
  | { event: 'confirm'; part: number; reference: number }
  /** The far side confirmed the last part. `reportBy` is set when status reports were asked for. */
  | { event: 'accepted'; reference: number; reportBy?: number }
  /** Not now: try again at `due`. `failure` lengthens the pause before the next try. */
  | {
      event: 'defer'
      reason: Reason
      due: number
      failure: boolean
      node?: string
      line?: string
    }
  /** The outcome is unknown and the message wants it sent again. */
  | { event: 'resend'; reason: Reason; due: number; node?: string; line?: string }
  /** The outcome is unknown and the message wants a person to decide. */
  | { event: 'hold'; reason: Reason; node?: string; line?: string }
  | { event: 'fail'; reason: Reason; node?: string; line?: string }
  | { event: 'expire'; reason: Reason }
  | { event: 'cancel'; reason: Reason }
  /** A person asks for it again, from the start; `due` and `expires` are new. */
  | { event: 'retry'; reason: Reason; due: number; expires: number }
  /** A status report for one part: delivered. */
  | { event: 'report'; part: number }
  /** A status report for one part: it never will be. */
  | { event: 'reportFailed'; part: number; reason: Reason }
  /** The wait for status reports is over; `sent` is where it stays. */
  | { event: 'reportTimeout'; reason: Reason }
  | { event: 'acknowledge'; reason: Reason }
  /** A person gives it to a line of this member; other lines take it only when that one is out of use. */
  | { event: 'move'; node: string; line: string; due: number; reason: Reason }

type EventName = DeliveryEvent['event']

/** For each event the states it may meet, and the state that follows (`=` stays). */
const transitions: Record<EventName, { from: readonly DeliveryState[]; to: DeliveryState | '=' }> = {
  intend: { from: ['queued', 'claimed', 'submitting'], to: 'submitting' },
  confirm: { from: ['submitting'], to: '=' },
  accepted: { from: ['submitting'], to: 'sent' },
  defer: { from: ['queued', 'claimed', 'submitting'], to: 'queued' },
  resend: { from: ['submitting'], to: 'queued' },
  hold: { from: ['submitting'], to: 'unknown' },
  fail: { from: ['queued', 'claimed', 'submitting'], to: 'failed' },
  expire: { from: ['queued', 'claimed', 'submitting'], to: 'expired' },
  cancel: { from: ['queued', 'claimed', 'submitting', 'unknown'], to: 'cancelled' },
  retry: { from: ['failed', 'expired', 'cancelled', 'unknown', 'sent'], to: 'queued' },
  report: { from: ['sent', 'unknown', 'delivered', 'submitting', 'queued'], to: '=' },
  reportFailed: { from: ['sent'], to: 'failed' },
  reportTimeout: { from: ['sent'], to: '=' },
  acknowledge: { from: ['sent', 'delivered', 'unknown'], to: 'acknowledged' },
  move: { from: ['queued', 'claimed'], to: '=' },
}

/**
 * What becomes of an event that its state does not allow, when logs are brought together. Decisions (cancel, defer,
 * fail …) of a member that did not know better are void; what was transmitted or reported counts:
 * a state: that state follows, with all that the event changes. `=`: the state stays, the rest changes.
 * `flag`: it was transmitted once more; nothing else changes.
 */
const joins: Partial<Record<EventName, Partial<Record<DeliveryState, DeliveryState | '=' | 'flag'>>>> = {
  intend: {
    sent: 'flag',
    delivered: 'flag',
    acknowledged: 'flag',
    unknown: '=',
    failed: '=',
    expired: '=',
    cancelled: '=',
  },
  confirm: {
    queued: '=',
    claimed: '=',
    submitting: 'flag',
    sent: 'flag',
    delivered: 'flag',
    acknowledged: 'flag',
    unknown: '=',
    failed: '=',
    expired: '=',
    cancelled: '=',
  },
  accepted: {
    queued: 'sent',
    claimed: 'sent',
    submitting: 'sent',
    sent: 'flag',
    delivered: 'flag',
    acknowledged: 'flag',
    unknown: 'sent',
    failed: 'sent',
    expired: 'sent',
    cancelled: 'sent',
  },
  report: { failed: '=', expired: '=', cancelled: '=', acknowledged: '=' },
}

/** Why a message was cancelled that carries the idempotency key of another one. */
export const DUPLICATE = 'duplicate'

export const mayHappen = (state: DeliveryState, event: EventName): boolean =>
  transitions[event].from.includes(state)

/** States in which nothing more is going to happen by itself. */
export function isFinal(delivery: Pick<Delivery, 'state' | 'reportBy'>): boolean {
  switch (delivery.state) {
    case 'queued':
    case 'claimed':
    case 'submitting':
      return false
    case 'sent':
      return delivery.reportBy === undefined
    default:
      return true
  }
}

/**
 * The delivery after an event, or undefined when its state does not allow the event.
 * @param at when it happened, ms since 1970
 * @param origin the member where it happened, for what is of no attempt, such as a cancellation
 */
export function applyEvent(
  before: Delivery,
  event: DeliveryEvent,
  at: number,
  origin?: string,
): Delivery | undefined {
  const rule = transitions[event.event]
  if (!rule.from.includes(before.state)) return undefined
  const after: Delivery = { ...before, state: rule.to === '=' ? before.state : rule.to }
  change(before, after, event)
  const last = after.timeline.at(-1)
  const entry = entryOf(event, after, at, origin)
  // What repeats without news (a network that is down for hours) is counted in `attempts`, not listed again and again.
  if (
    last &&
    last.event === entry.event &&
    last.reason?.code === entry.reason?.code &&
    last.line === entry.line
  ) {
    if (event.event === 'defer') {
      after.timeline = [...after.timeline.slice(0, -1), entry]
      return after
    }
  }
  after.timeline = bounded([...after.timeline, entry])
  return after
}

/**
 * The delivery after an event from any member's log, or undefined when the event changes nothing. Total and the same on
 * every member: the state of a delivery is the fold of its events, in the order of order.ts, by this function.
 * @param origin the member that wrote the event
 */
export function joinEvent(
  before: Delivery,
  event: DeliveryEvent,
  at: number,
  origin: string,
): Delivery | undefined {
  const elsewhere = before.node !== undefined && before.node !== origin
  if (before.state === 'submitting' && isVoid(before, event)) return undefined
  // It had begun before anybody knew that another one carries its key.
  if (event.event === 'intend' && before.state === 'cancelled' && before.reason?.code === DUPLICATE) {
    return applyEvent({ ...before, state: 'queued', possibleDuplicate: true }, event, at, origin)
  }
  const answer = event.event === 'confirm' || event.event === 'accepted'
  if (mayHappen(before.state, event.event) && !(answer && elsewhere)) {
    const after = applyEvent(before, event, at, origin)
    const overlaps = event.event === 'intend' && before.state === 'submitting' && event.node !== before.node
    if (after && overlaps) after.possibleDuplicate = true
    return after
  }
  const join = joins[event.event]?.[before.state]
  if (join === undefined) return undefined
  const after: Delivery = { ...before }
  // An answer to an attempt that another member has replaced: its references are not those of the attempt on record.
  const detached = join === 'flag' || (answer && elsewhere)
  if (!detached) {
    change(before, after, event)
    if (before.reason) after.reason = before.reason
  }
  if (detached && before.channel === 'fax' && (event.event === 'confirm' || event.event === 'accepted'))
    confirmPages(after, event)
  if (join !== 'flag' && join !== '=') {
    after.state = join
    delete after.reason
    if (detached) {
      delete after.intended
      delete after.postPage
    }
  }
  if (detached || event.event === 'intend') after.possibleDuplicate = true
  if (after.reported.length === after.parts && after.state !== 'acknowledged') settleReported(event, after)
  const entry = { ...entryOf(event, after, at, origin), node: origin }
  if (detached && !('line' in event)) {
    delete entry.line
    const line = lastLine(before, origin)
    if (line !== undefined) entry.line = line
  }
  after.timeline = bounded([...after.timeline, entry])
  return after
}

/** The line of a member's last attempt, which need not be the attempt on record. */
export const lastLine = ({ timeline }: Delivery, node: string): string | undefined =>
  timeline.findLast((entry) => entry.event === 'intend' && entry.node === node)?.line

function settleReported(event: DeliveryEvent, after: Delivery): void {
  if (event.event !== 'report' && after.state !== 'sent') return
  after.state = 'delivered'
  delete after.reportBy
  delete after.reason
}

/** The outcome of an attempt that another member has taken the place of. */
function isVoid(before: Delivery, event: DeliveryEvent): boolean {
  switch (event.event) {
    case 'defer':
    case 'resend':
    case 'hold':
    case 'fail':
      return event.node !== undefined && event.node !== before.node
    default:
      return false
  }
}

/**
 * Whether nobody can say if all of it arrived, when the attempt under way is never heard of again. A fax is in doubt
 * only once its last page has been ended: before that it goes on at the first page that was not confirmed.
 */
export function inDoubt({ channel, intended, postPage, parts }: Delivery): boolean {
  if (intended === undefined) return false
  return channel !== 'fax' || (postPage === true && intended === parts - 1)
}

function change(before: Delivery, after: Delivery, event: DeliveryEvent): void {
  const fax = after.channel === 'fax'
  delete after.reason
  if (!('part' in event) || event.event === 'confirm') {
    delete after.intended
    delete after.postPage
  }
  if ('reason' in event) after.reason = event.reason
  if (after.state !== 'sent') delete after.reportBy
  switch (event.event) {
    case 'intend':
      // Another SIM cannot continue a chain of parts: it begins anew. Pages go on from any line.
      if (!fax && after.confirmed > 0 && (after.line !== event.line || after.node !== event.node))
        restart(after)
      if (fax) countCall(after, event.postPage)
      else if (event.part === 0 || before.state !== 'submitting') after.attempts += 1
      if (event.possibleDuplicate) after.possibleDuplicate = true
      after.intended = event.part
      after.node = event.node
      after.line = event.line
      after.concatenation = event.concatenation
      break
    case 'confirm':
      if (fax) confirmPages(after, event)
      else confirm(after, event.reference)
      after.failures = 0
      break
    case 'accepted':
      if (fax) confirmPages(after, event)
      else confirm(after, event.reference)
      if (event.reportBy !== undefined) after.reportBy = event.reportBy
      if (after.reported.length === after.parts) {
        after.state = 'delivered'
        delete after.reportBy
      }
      break
    case 'defer':
      after.due = event.due
      if (event.failure) after.failures += 1
      break
    case 'resend':
      after.due = event.due
      after.possibleDuplicate = true
      break
    case 'retry':
      if (mayHaveGoneOut(before)) after.possibleDuplicate = true
      after.due = event.due
      after.expires = event.expires
      after.failures = 0
      delete after.dials
      if (!fax || after.confirmed === after.parts) restart(after)
      break
    case 'report':
      if (!after.reported.includes(event.part)) after.reported = [...after.reported, event.part]
      if (after.reported.length === after.parts && (after.state === 'sent' || after.state === 'unknown')) {
        after.state = 'delivered'
        delete after.reportBy
      }
      break
    case 'reportTimeout':
      delete after.reportBy
      break
    case 'move':
      after.via = { node: event.node, line: event.line, only: false }
      after.due = event.due
      after.failures = 0
      break
    default:
      break
  }
}

/** Confirmed in part, or once in doubt: cancelling what is unknown does not call it back. */
const mayHaveGoneOut = ({ channel, confirmed, timeline }: Delivery): boolean =>
  (confirmed > 0 && channel !== 'fax') || timeline.some(({ event }) => event === 'hold')

/** A page that ends comes after the call in which it is sent. */
function countCall(after: Delivery, postPage: true | undefined): void {
  delete after.postPage
  if (postPage) {
    after.postPage = true
    return
  }
  after.attempts += 1
  after.dials = (after.dials ?? 0) + 1
}

/** Pages arrive in order, so one that is confirmed confirms those before it, whoever sent them. */
function confirmPages(
  after: Delivery,
  event: Extract<DeliveryEvent, { event: 'confirm' | 'accepted' }>,
): void {
  const pages = event.event === 'confirm' ? event.part + 1 : after.parts
  after.confirmed = Math.min(after.parts, Math.max(after.confirmed, pages))
}

function confirm(after: Delivery, reference: number): void {
  after.confirmed += 1
  after.references = [...after.references, reference]
}

function restart(after: Delivery): void {
  // Parts that arrived once already will arrive again on the new chain, under a new concatenation reference.
  if (after.confirmed > 0) after.possibleDuplicate = true
  after.confirmed = 0
  after.references = []
  after.reported = []
  delete after.concatenation
}

function entryOf(
  event: DeliveryEvent,
  after: Delivery,
  at: number,
  origin: string | undefined,
): TimelineEntry {
  const entry: TimelineEntry = { at, event: event.event, state: after.state }
  // What the far side says comes over the line of the attempt.
  const where: Pick<Delivery, 'node' | 'line'> =
    'line' in event ? event : 'part' in event || event.event === 'accepted' ? after : {}
  const node = where.node ?? origin
  // A message that another one supersedes is cancelled by whoever learns of both: nobody's doing.
  if (node !== undefined && node !== '') entry.node = node
  if (where.line !== undefined) entry.line = where.line
  if ('part' in event) entry.part = event.part
  if ('reason' in event) entry.reason = event.reason
  return entry
}

function bounded(timeline: TimelineEntry[]): TimelineEntry[] {
  if (timeline.length <= TIMELINE_LIMIT) return timeline
  return [...timeline.slice(0, 10), ...timeline.slice(timeline.length - TIMELINE_LIMIT + 10)]
}
