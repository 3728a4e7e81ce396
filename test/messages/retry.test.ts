/** The retry rules of messages/retry.ts, row by row of the table in its head. */
import { describe, expect, it } from 'vitest'
import { type Message, newDelivery } from '#messages/message.ts'
import type { Outcome } from '#messages/outcome.ts'
import { backOff, settle } from '#messages/retry.ts'
import { messageOf } from './message-of.ts'

const message = messageOf({ node: 'a' })
const delivery = newDelivery(message, 0, '+49', 'sms', 1)
const reason = { code: 'c', text: 't' }
const progress = { confirmed: 0 }
const refused = (scope: 'number' | 'line' | 'network', permanent = false): Outcome => ({
  result: 'refused',
  scope,
  permanent,
  reason,
  progress,
})
const now = 100_000
const decide = (
  outcome: Outcome,
  otherLine: boolean,
  failures = 0,
  onUnknown: Message['onUnknown'] = 'resend',
) =>
  settle({ ...delivery, failures }, { ...message, onUnknown }, outcome, {
    now,
    node: 'a',
    line: 'gsm0',
    otherLine,
  })

it('leaves an accepted attempt alone', () => {
  expect(decide({ result: 'accepted', progress }, true)).toBeUndefined()
})

it('fails a number that can never be reached, whatever lines there are', () => {
  expect(decide(refused('number', true), true)).toMatchObject({ event: 'fail', reason })
})

it('waits for a number that may come back, and longer each time, on every line', () => {
  expect(decide(refused('number'), true)).toMatchObject({ event: 'defer', due: now + 30_000, failure: true })
  expect(decide(refused('number'), true, 2)).toMatchObject({ due: now + 120_000 })
})

it('goes to another line at once when the network or the line refused, keeping its place', () => {
  for (const scope of ['network', 'line'] as const) {
    expect(decide(refused(scope), true)).toMatchObject({ event: 'defer', due: delivery.due, failure: false })
  }
})

it('tries a network again within 5 seconds, then more slowly, never beyond 5 minutes', () => {
  const due = (failures: number) => {
    const event = decide(refused('network'), false, failures)
    return event?.event === 'defer' ? event.due - now : Number.NaN
  }
  expect(due(0)).toBeLessThanOrEqual(5_000)
  expect(due(1)).toBe(2 * due(0))
  expect(due(40)).toBe(300_000)
})

it('sends again at once what never left the box', () => {
  expect(decide({ result: 'notSent', reason, progress }, false)).toMatchObject({
    event: 'defer',
    due: delivery.due,
  })
})

it('sends again, or holds, what may have been transmitted', () => {
  const unknown: Outcome = { result: 'unknown', reason, step: 0, progress }
  expect(decide(unknown, false)).toMatchObject({ event: 'resend', due: delivery.due })
  expect(decide(unknown, true, 0, 'hold')).toMatchObject({ event: 'hold' })
})

it('doubles pauses up to a bound', () => {
  expect([0, 1, 2, 3].map((failures) => backOff(1_000, failures))).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(backOff(1_000, 1e6)).toBe(300_000)
})

describe('a line with rules of its own', () => {
  const again = { pause: 180_000, counts: true, tries: 3, dials: 12 }
  const call = (scope: 'number' | 'line', changes: object, rules = again, otherLine = false) =>
    settle(
      { ...delivery, ...changes },
      message,
      { result: 'refused', scope, permanent: false, reason, progress, again: rules },
      { now, node: 'a', line: 'fax0', otherLine },
    )

  it('waits for its pause, on the same line and on others', () => {
    expect(call('number', { dials: 1 })).toMatchObject({ event: 'defer', due: now + 180_000, failure: true })
    expect(call('number', { dials: 1 }, again, true)).toMatchObject({ due: now + 180_000 })
  })

  it('goes to another line at once where the fault is its own', () => {
    expect(call('line', { dials: 1 }, again, true)).toMatchObject({ event: 'defer', due: delivery.due })
    expect(call('line', { dials: 1 })).toMatchObject({ due: now + 180_000 })
  })

  it('has failed after so many tries, or so many calls', () => {
    expect(call('number', { dials: 3, failures: 2 })).toMatchObject({
      event: 'fail',
      reason: { code: 'c', text: 't Given up after 3 calls.' },
    })
    const busy = { ...again, counts: false }
    expect(call('number', { dials: 11, failures: 0 }, busy)).toMatchObject({ event: 'defer', failure: false })
    expect(call('number', { dials: 12, failures: 0 }, busy)).toMatchObject({ event: 'fail' })
  })

  it('sends what is in doubt again after the pause, and a few times only', () => {
    const unknown = (dials: number, onUnknown: Message['onUnknown'] = 'resend', ...before: string[]) =>
      settle(
        { ...delivery, dials, timeline: before.map((event) => ({ at: 0, event, state: 'queued' as const })) },
        { ...message, onUnknown },
        { result: 'unknown', reason, step: 1, progress, again },
        { now, node: 'a', line: 'fax0', otherLine: true },
      )
    expect(unknown(1)).toMatchObject({ event: 'resend', due: now + 180_000 })
    expect(unknown(3, 'resend', 'resend', 'resend')).toMatchObject({ event: 'hold' })
    // Two of the calls found the number busy.
    expect(unknown(3, 'resend', 'defer', 'defer')).toMatchObject({ event: 'resend' })
    expect(unknown(12, 'resend')).toMatchObject({ event: 'hold' })
    expect(unknown(3, 'resend', 'resend', 'resend', 'retry')).toMatchObject({ event: 'resend' })
    expect(unknown(1, 'hold')).toMatchObject({ event: 'hold' })
  })

  it('waits where a line may not dial yet, unless another one may', () => {
    const wait = (otherLine: boolean) =>
      settle(
        delivery,
        message,
        { result: 'notSent', reason, progress, again: { pause: 7_000 } },
        { now, node: 'a', line: 'fax0', otherLine },
      )
    expect(wait(false)).toMatchObject({ event: 'defer', due: now + 7_000, failure: false })
    expect(wait(true)).toMatchObject({ event: 'defer', due: delivery.due })
  })
})
