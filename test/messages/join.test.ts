/** What becomes of events that meet a state their member did not know: the join table as a table, then the fold. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fold, type Step, supersede } from '#messages/fold.ts'
import { type Delivery, newDelivery } from '#messages/message.ts'
import {
  applyEvent,
  type DeliveryEvent,
  type DeliveryState,
  deliveryStates,
  joinEvent,
  mayHappen,
} from '#messages/states.ts'
import { messageOf } from './message-of.ts'

const message = messageOf({ id: '0190-m', at: 1_000, text: 'hello', validity: 60_000 })
const reason = { code: 'because', text: 'Because.' }
const fresh = (parts = 1): Delivery => newDelivery(message, 0, '+4917', 'sms', parts)
const intend = (node = 'a', part = 0): DeliveryEvent => ({
  event: 'intend',
  node,
  line: `line of ${node}`,
  part,
  concatenation: 7,
})
const accepted: DeliveryEvent = { event: 'accepted', reference: 18 }

/** State, event, state that follows, flagged; the delivery was last tried by `a`, and `a` wrote the event. */
const table: [DeliveryState, DeliveryEvent, DeliveryState, boolean][] = [
  ...(['sent', 'delivered', 'acknowledged', 'unknown', 'failed', 'expired', 'cancelled'] as const).map(
    (state): [DeliveryState, DeliveryEvent, DeliveryState, boolean] => [state, intend(), state, true],
  ),
  ...(['queued', 'unknown', 'failed', 'expired', 'cancelled'] as const).map(
    (state): [DeliveryState, DeliveryEvent, DeliveryState, boolean] => [state, accepted, 'sent', false],
  ),
  ...(['sent', 'delivered', 'acknowledged'] as const).map(
    (state): [DeliveryState, DeliveryEvent, DeliveryState, boolean] => [state, accepted, state, true],
  ),
  ...(['failed', 'expired', 'cancelled'] as const).map(
    (state): [DeliveryState, DeliveryEvent, DeliveryState, boolean] => [
      state,
      { event: 'report', part: 0 },
      'delivered',
      false,
    ],
  ),
  ['acknowledged', { event: 'report', part: 0 }, 'acknowledged', false],
]
const decisions: DeliveryEvent[] = [
  { event: 'defer', reason, due: 1, failure: true },
  { event: 'resend', reason, due: 1 },
  { event: 'hold', reason },
  { event: 'fail', reason },
  { event: 'expire', reason },
  { event: 'cancel', reason },
  { event: 'retry', reason, due: 1, expires: 2 },
  { event: 'reportFailed', part: 0, reason },
  { event: 'reportTimeout', reason },
  { event: 'acknowledge', reason },
]

describe('the join table', () => {
  it.each(table)('%s meets $event: %s', (state, event, next, flagged) => {
    const after = joinEvent({ ...fresh(), state, node: 'a', line: 'line of a' }, event, 2_000, 'a')
    expect(after).toMatchObject({ state: next, possibleDuplicate: flagged })
    expect(after?.timeline.at(-1)).toMatchObject({ event: event.event, state: next, node: 'a' })
  })

  it.each(decisions)('a decision that the state does not allow is void: $event', (event) => {
    for (const state of deliveryStates) {
      const before: Delivery = { ...fresh(), state, node: 'a' }
      expect(joinEvent(before, event, 2_000, 'a')).toEqual(applyEvent(before, event, 2_000, 'a'))
    }
  })

  it.each(decisions)('the timeline names the member where it happened: $event', (event) => {
    const froms = deliveryStates.filter((state) => mayHappen(state, event.event))
    for (const state of froms) {
      const before: Delivery = {
        ...fresh(),
        state,
        ...(state === 'queued' ? {} : { node: 'a', line: 'line of a' }),
      }
      const entry = joinEvent(before, event, 2_000, 'b')?.timeline.at(-1)
      // What the far side says comes over the line of the attempt; all else happened where it was written.
      expect(entry?.node, state).toBe('part' in event ? 'a' : 'b')
    }
  })

  it('is what the transition table says where that allows the event', () => {
    const begun = joinEvent(fresh(), intend(), 2_000, 'a')
    expect(begun).toEqual(applyEvent(fresh(), intend(), 2_000))
    expect(begun && joinEvent(begun, accepted, 2_001, 'a')).toEqual(
      begun && applyEvent(begun, accepted, 2_001),
    )
  })

  it('takes no answer of a replaced attempt for that of the attempt on record', () => {
    const taken = joinEvent(
      { ...fresh(2), state: 'submitting', node: 'a', line: 'x' },
      intend('b'),
      2_000,
      'b',
    )
    expect(taken).toMatchObject({ node: 'b', possibleDuplicate: true })
    if (!taken) return
    const confirmed = joinEvent(taken, { event: 'confirm', part: 0, reference: 3 }, 2_001, 'a')
    expect(confirmed).toMatchObject({ state: 'submitting', confirmed: 0, references: [] })
    expect(joinEvent(taken, accepted, 2_001, 'a')).toMatchObject({ state: 'sent', references: [], node: 'b' })
    expect(joinEvent(taken, { event: 'fail', reason, node: 'a' }, 2_001, 'a')).toBeUndefined()
    expect(joinEvent(taken, { event: 'fail', reason, node: 'b' }, 2_001, 'b')).toMatchObject({
      state: 'failed',
    })
  })

  it('never changes the delivery it was given', () => {
    for (const [state, event] of table) {
      const before: Delivery = { ...fresh(), state, node: 'a' }
      const copy = structuredClone(before)
      joinEvent(before, event, 2_000, 'b')
      expect(before).toEqual(copy)
    }
  })
})

describe('a fold', () => {
  const step = (clock: number, origin: string, operation: Step['operation']): Step => ({
    order: { term: { counter: 1, node: 'a' }, clock, origin },
    at: 2_000 + clock,
    operation,
  })
  const event = (clock: number, origin: string, one: DeliveryEvent): Step =>
    step(clock, origin, { op: 'delivery', delivery: '0190-m.0', event: one })

  it('does not depend on the order in which the steps are given', () => {
    const steps = [
      event(2, 'a', intend('a')),
      event(3, 'a', accepted),
      event(2, 'b', { event: 'cancel', reason }),
      event(4, 'b', { event: 'retry', reason, due: 5, expires: 9 }),
      step(5, 'b', { op: 'hand', delivery: '0190-m.0', to: 'b' }),
      step(6, 'a', { op: 'shiftTimes', since: 0, byMs: 7 }),
      event(7, 'b', intend('b')),
      event(8, 'b', { event: 'fail', reason }),
    ]
    const expected = fold(fresh(), false, steps)
    fc.assert(
      fc.property(fc.shuffledSubarray(steps, { minLength: steps.length }), (shuffled) => {
        expect(fold(fresh(), false, shuffled)).toEqual(expected)
      }),
    )
  })

  it('cancels a duplicate, and lets go on what had begun', () => {
    expect(fold(fresh(), true, []).delivery).toMatchObject({
      state: 'cancelled',
      reason: { code: 'duplicate' },
    })
    const begun = fold(fresh(), true, [event(2, 'a', intend('a'))])
    expect(begun.delivery).toMatchObject({ state: 'submitting', possibleDuplicate: true })
    expect(supersede({ ...fresh(), state: 'sent', attempts: 1 })).toMatchObject({
      state: 'sent',
      possibleDuplicate: true,
    })
  })

  it('counts each answer for the line that gave it', () => {
    const steps = [
      event(2, 'a', intend('a')),
      event(2, 'b', intend('b')),
      event(3, 'a', accepted),
      event(3, 'b', accepted),
    ]
    expect(fold(fresh(), false, steps).counts).toEqual([
      { node: 'a', line: 'line of a', column: 'sent', at: 2_003 },
      { node: 'b', line: 'line of b', column: 'sent', at: 2_003 },
    ])
  })
})
