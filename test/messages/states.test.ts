/** The life of a delivery: the transition table as a table, then what each event changes besides the state. */
import { describe, expect, it } from 'vitest'
import { type Delivery, newDelivery, TIMELINE_LIMIT } from '#messages/message.ts'
import {
  applyEvent,
  type DeliveryEvent,
  type DeliveryState,
  deliveryStates,
  isFinal,
} from '#messages/states.ts'
import { messageOf } from './message-of.ts'

const message = messageOf({ id: '0190-m', at: 1_000, node: 'a', text: 'hello', validity: 60_000 })
const reason = { code: 'because', text: 'Because.' }
const fresh = (parts = 1): Delivery => newDelivery(message, 0, '+4917', 'sms', parts)

const events: Record<DeliveryEvent['event'], DeliveryEvent> = {
  intend: { event: 'intend', node: 'a', line: 'gsm0', part: 0, concatenation: 7 },
  confirm: { event: 'confirm', part: 0, reference: 17 },
  accepted: { event: 'accepted', reference: 18, reportBy: 90_000 },
  defer: { event: 'defer', reason, due: 5_000, failure: true },
  resend: { event: 'resend', reason, due: 5_000 },
  hold: { event: 'hold', reason },
  fail: { event: 'fail', reason },
  expire: { event: 'expire', reason },
  cancel: { event: 'cancel', reason },
  retry: { event: 'retry', reason, due: 6_000, expires: 70_000 },
  report: { event: 'report', part: 0 },
  reportFailed: { event: 'reportFailed', part: 0, reason },
  reportTimeout: { event: 'reportTimeout', reason },
  acknowledge: { event: 'acknowledge', reason },
  move: { event: 'move', node: 'a', line: 'gsm1', due: 7_000, reason },
}

/** Which states an event may meet, and what follows; every pair that is not here must be refused. */
const expected: Record<DeliveryEvent['event'], Partial<Record<DeliveryState, DeliveryState>>> = {
  intend: { queued: 'submitting', claimed: 'submitting', submitting: 'submitting' },
  confirm: { submitting: 'submitting' },
  accepted: { submitting: 'sent' },
  defer: { queued: 'queued', claimed: 'queued', submitting: 'queued' },
  resend: { submitting: 'queued' },
  hold: { submitting: 'unknown' },
  fail: { queued: 'failed', claimed: 'failed', submitting: 'failed' },
  expire: { queued: 'expired', claimed: 'expired', submitting: 'expired' },
  cancel: { queued: 'cancelled', claimed: 'cancelled', submitting: 'cancelled', unknown: 'cancelled' },
  retry: { failed: 'queued', expired: 'queued', cancelled: 'queued', unknown: 'queued', sent: 'queued' },
  report: {
    queued: 'queued',
    submitting: 'submitting',
    sent: 'delivered',
    delivered: 'delivered',
    unknown: 'delivered',
  },
  reportFailed: { sent: 'failed' },
  reportTimeout: { sent: 'sent' },
  acknowledge: { sent: 'acknowledged', delivered: 'acknowledged', unknown: 'acknowledged' },
  move: { queued: 'queued', claimed: 'claimed' },
}

const run = (start: Delivery, ...steps: DeliveryEvent[]): Delivery =>
  steps.reduce((delivery, event, n) => {
    const after = applyEvent(delivery, event, 2_000 + n)
    expect(after, `${event.event} in ${delivery.state}`).toBeDefined()
    return after ?? delivery
  }, start)

describe('transitions', () => {
  const pairs = deliveryStates.flatMap((state) =>
    Object.values(events).map((event) => [state, event] as const),
  )
  it.each(pairs)('%s meets $event', (state, event) => {
    const after = applyEvent({ ...fresh(), state }, event, 2_000)
    expect(after?.state).toBe(expected[event.event][state])
  })

  it('never changes the delivery it was given', () => {
    const before = fresh(2)
    const copy = structuredClone(before)
    run(
      before,
      events.intend,
      events.confirm,
      { ...events.intend, part: 1 } as DeliveryEvent,
      events.accepted,
    )
    expect(before).toEqual(copy)
  })
})

describe('what events change', () => {
  it('counts parts and keeps their references', () => {
    const sent = run(
      fresh(2),
      events.intend,
      events.confirm,
      { ...events.intend, part: 1 } as DeliveryEvent,
      events.accepted,
    )
    expect(sent).toMatchObject({
      confirmed: 2,
      references: [17, 18],
      attempts: 1,
      state: 'sent',
      reportBy: 90_000,
    })
    expect(sent.intended).toBeUndefined()
  })

  it('is in doubt from the intent until the answer, and not between parts', () => {
    const begun = run(fresh(2), events.intend)
    expect(begun.intended).toBe(0)
    expect(run(begun, events.confirm).intended).toBeUndefined()
  })

  it('begins a chain anew, flagged, when another line takes over confirmed parts', () => {
    const elsewhere: DeliveryEvent = { event: 'intend', node: 'a', line: 'gsm1', part: 0, concatenation: 8 }
    const moved = run(fresh(3), events.intend, events.confirm, events.defer, elsewhere)
    expect(moved).toMatchObject({
      confirmed: 0,
      references: [],
      concatenation: 8,
      possibleDuplicate: true,
      attempts: 2,
    })
  })

  it('resumes on the same line without a flag', () => {
    const again = run(fresh(3), events.intend, events.confirm, events.defer, {
      ...events.intend,
      part: 1,
    } as DeliveryEvent)
    expect(again).toMatchObject({ confirmed: 1, references: [17], possibleDuplicate: false })
  })

  it('flags a copy that is sent because the first may have gone out', () => {
    expect(run(fresh(), events.intend, events.resend)).toMatchObject({
      state: 'queued',
      possibleDuplicate: true,
    })
  })

  it('flags what a person sends again after an unknown outcome, even if it was cancelled in between', () => {
    const held = run(fresh(), events.intend, events.hold)
    expect(run(held, events.retry).possibleDuplicate).toBe(true)
    expect(run(held, events.cancel, events.retry).possibleDuplicate).toBe(true)
    expect(run(fresh(), events.intend, events.fail, events.retry).possibleDuplicate).toBe(false)
  })

  it('is delivered only when every part is', () => {
    const sent = run(
      fresh(2),
      events.intend,
      events.confirm,
      { ...events.intend, part: 1 } as DeliveryEvent,
      events.accepted,
    )
    const half = run(sent, { event: 'report', part: 1 })
    expect(half.state).toBe('sent')
    expect(run(half, { event: 'report', part: 1 }).state).toBe('sent')
    expect(run(half, { event: 'report', part: 0 }).state).toBe('delivered')
  })

  it('takes a report that overtakes the answer', () => {
    expect(run(fresh(), events.intend, { event: 'report', part: 0 }, events.accepted).state).toBe('delivered')
  })

  it('ends the wait for reports', () => {
    const sent = run(fresh(), events.intend, events.accepted)
    expect(isFinal(sent)).toBe(false)
    expect(isFinal(run(sent, events.reportTimeout))).toBe(true)
  })

  it('bounds the timeline and keeps its beginning', () => {
    let delivery = fresh()
    for (let n = 0; n < TIMELINE_LIMIT; n++) delivery = run(delivery, events.intend, events.defer)
    expect(delivery.timeline).toHaveLength(TIMELINE_LIMIT)
    expect(delivery.timeline[0]?.event).toBe('accept')
    expect(delivery.timeline.at(-1)?.event).toBe('defer')
    expect(delivery.attempts).toBe(TIMELINE_LIMIT)
  })
})
