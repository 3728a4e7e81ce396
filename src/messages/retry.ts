/**
 * What follows an attempt: the retry rules, as one pure function.
 *
 * | outcome                     | another line untried      | no other line                              |
 * |-----------------------------|---------------------------|--------------------------------------------|
 * | refused, number, permanent  | failed                    | failed                                     |
 * | refused, number             | later, by number          | later, by number                           |
 * | refused, network            | at once, on another line  | later: 3 s, 6 s, 12 s … 5 min              |
 * | refused, line               | at once, on another line  | 3 s later                                  |
 * | not sent                    | at once                   | as soon as a line is ready                 |
 * | unknown                     | `resend`: at once, flagged; `hold`: a person decides                   |
 *
 * A line may bring rules of its own (`again`; those of a fax stand in docs/fax.md): then a refusal of the line goes to
 * another line at once, everything else waits for its pause, and it has failed after so many tries or calls.
 *
 * A pause belongs to one delivery, so a bad number never blocks a queue. Expiry ends every row.
 */
import type { Delivery, Message } from './message.ts'
import type { Again, Outcome } from './outcome.ts'
import type { DeliveryEvent, Reason } from './states.ts'

/** First pause after the network refused, ms; below the 5 s in which a first retry is promised. */
const NETWORK_PAUSE_MS = 3_000
/** First pause when the number itself is the trouble (switched off, out of memory), ms. */
const NUMBER_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 300_000
/** Pause when the only line there is refused for a reason of its own (its SIM, say), ms. */
const LINE_PAUSE_MS = 3_000

/** @param failures tries in a row that failed; @returns ms */
export const backOff = (first: number, failures: number): number =>
  Math.min(LONGEST_PAUSE_MS, first * 2 ** Math.min(failures, 20))

export interface RetryContext {
  now: number
  node: string
  line: string
  /** A usable line that has not yet refused this delivery in this round. */
  otherLine: boolean
}

/** The event that settles an attempt; undefined for `accepted`, which was recorded as it happened. */
export function settle(
  delivery: Delivery,
  message: Message,
  outcome: Outcome,
  context: RetryContext,
): DeliveryEvent | undefined {
  const where = { node: context.node, line: context.line }
  const again = (reason: Reason, pause: number, failure: boolean): DeliveryEvent => {
    // Without a pause it keeps its place in the queue.
    const due = pause === 0 ? delivery.due : context.now + pause
    return { event: 'defer', reason, due, failure, ...where }
  }
  switch (outcome.result) {
    case 'accepted':
      return undefined
    case 'notSent':
      return again(outcome.reason, context.otherLine ? 0 : (outcome.again?.pause ?? 0), false)
    case 'unknown': {
      // Each time its last page may have arrived: not as often as something that surely did not.
      const often = outcome.again && isOftenInDoubt(delivery, outcome.again)
      if (message.onUnknown === 'hold' || often) return { event: 'hold', reason: outcome.reason, ...where }
      const due = outcome.again ? context.now + outcome.again.pause : delivery.due
      return { event: 'resend', reason: outcome.reason, due, ...where }
    }
    case 'refused':
      if (outcome.again && !outcome.permanent) {
        if (isExhausted(delivery, outcome.again))
          return { event: 'fail', reason: givenUp(outcome.reason, delivery), ...where }
        const elsewhere = outcome.scope === 'line' && context.otherLine
        return again(outcome.reason, elsewhere ? 0 : outcome.again.pause, outcome.again.counts)
      }
      if (outcome.scope === 'number') {
        return outcome.permanent
          ? { event: 'fail', reason: outcome.reason, ...where }
          : again(outcome.reason, backOff(NUMBER_PAUSE_MS, delivery.failures), true)
      }
      if (context.otherLine) return again(outcome.reason, 0, false)
      return again(
        outcome.reason,
        outcome.scope === 'line' ? LINE_PAUSE_MS : backOff(NETWORK_PAUSE_MS, delivery.failures),
        true,
      )
  }
}

/** The call that has just ended is among its calls already, and not yet among its failures. */
const isExhausted = ({ dials = 0, failures }: Delivery, again: Again): boolean =>
  dials >= again.dials || (again.counts && failures + 1 >= again.tries)

/** Calls that found the number busy put nothing in doubt. This time is not in its timeline yet. */
function isOftenInDoubt({ dials = 0, timeline }: Delivery, again: Again): boolean {
  const asked = timeline.findLastIndex(({ event }) => event === 'retry')
  const before = timeline.slice(asked + 1).filter(({ event }) => event === 'resend').length
  return before + 1 >= again.tries || dials >= again.dials
}

const givenUp = ({ code, text }: Reason, { dials = 0 }: Delivery): Reason => ({
  code,
  text: `${text} Given up after ${dials === 1 ? 'one call' : `${dials} calls`}.`,
})
