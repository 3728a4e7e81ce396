/**
 * Pages of a fax in the state table: any line goes on at the first page that was not confirmed, only the end of the last
 * page can be in doubt, and a log that is cut off anywhere never forgets a confirmation that a later page followed.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fold, type Step } from '#messages/fold.ts'
import { type Delivery, newDelivery } from '#messages/message.ts'
import { readOperation } from '#messages/received.ts'
import { applyEvent, type DeliveryEvent, inDoubt, joinEvent } from '#messages/states.ts'
import { messageOf } from './message-of.ts'

const message = messageOf({ id: '0190-f', at: 1_000, text: '', validity: 60_000 })
const reason = { code: 'fax-busy', text: 'Busy.' }
const fresh = (pages = 5): Delivery => newDelivery(message, 0, '+4930', 'fax', pages)
const dial = (part: number, node = 'a'): DeliveryEvent => ({
  event: 'intend',
  node,
  line: `line of ${node}`,
  part,
  concatenation: 0,
})
const end = (part: number, node = 'a'): DeliveryEvent =>
  ({ ...dial(part, node), postPage: true }) as DeliveryEvent
const confirm = (part: number): DeliveryEvent => ({ event: 'confirm', part, reference: 0 })
const defer: DeliveryEvent = { event: 'defer', reason, due: 5_000, failure: true }

function happen(delivery: Delivery, ...events: DeliveryEvent[]): Delivery {
  return events.reduce((before, event) => {
    const next = applyEvent(before, event, 2_000)
    if (!next) throw new Error(`${event.event} is not allowed in ${before.state}`)
    return next
  }, delivery)
}

describe('pages of a fax', () => {
  it('goes on at the first page that was not confirmed, on another member too', () => {
    const cut = happen(fresh(), dial(0), end(0), confirm(0), end(1), defer, dial(1, 'b'))
    expect(cut).toMatchObject({ confirmed: 1, intended: 1, node: 'b', possibleDuplicate: false, dials: 2 })
    expect(cut.postPage).toBeUndefined()
  })

  it('is in doubt only once the end of the last page may have been sent', () => {
    expect(inDoubt(happen(fresh(2), dial(0)))).toBe(false)
    expect(inDoubt(happen(fresh(2), dial(0), end(0)))).toBe(false)
    expect(inDoubt(happen(fresh(2), dial(0), end(0), confirm(0)))).toBe(false)
    expect(inDoubt(happen(fresh(2), dial(0), end(0), confirm(0), end(1)))).toBe(true)
    expect(inDoubt(happen(fresh(2), dial(0), end(0), confirm(0), end(1), defer, dial(1)))).toBe(false)
    expect(inDoubt({ ...fresh(2), channel: 'sms', intended: 0 })).toBe(true)
  })

  it('counts calls, not pages, and begins to count anew where a person asks for it again', () => {
    const twice = happen(fresh(), dial(0), end(0), confirm(0), end(1), defer, dial(1), end(1))
    expect(twice).toMatchObject({ attempts: 2, dials: 2 })
    const failed = happen(twice, { event: 'fail', reason })
    const again = happen(failed, { event: 'retry', reason, due: 9, expires: 99 })
    expect(again).toMatchObject({ confirmed: 1, attempts: 2, failures: 0, possibleDuplicate: false })
    expect(again.dials).toBeUndefined()
  })

  it('is sent whole again where a person asks for one that had arrived', () => {
    const sent = happen(fresh(1), dial(0), end(0), { event: 'accepted', reference: 0 })
    expect(sent).toMatchObject({ state: 'sent', confirmed: 1 })
    expect(happen(sent, { event: 'retry', reason, due: 9, expires: 99 })).toMatchObject({
      confirmed: 0,
      possibleDuplicate: true,
    })
  })

  it('takes a confirmation from a member that was replaced: the page has arrived', () => {
    const taken = joinEvent(happen(fresh(), dial(0)), dial(0, 'b'), 2_000, 'b')
    const counted = taken && joinEvent(taken, confirm(2), 2_001, 'a')
    expect(counted).toMatchObject({ state: 'submitting', node: 'b', confirmed: 3, possibleDuplicate: true })
    const sent = counted && joinEvent(counted, { event: 'accepted', reference: 0 }, 2_002, 'a')
    expect(sent).toMatchObject({ state: 'sent', confirmed: 5 })
  })

  it('reads entries of a version that knew no pages, and its own', () => {
    for (const event of [dial(3), end(3)]) {
      const operation = { op: 'delivery', delivery: '0190-f.0', event }
      expect(readOperation(JSON.parse(JSON.stringify(operation)))).toEqual(operation)
    }
    const wrong = { op: 'delivery', delivery: '0190-f.0', event: { ...dial(3), postPage: 'yes' } }
    expect(readOperation(wrong)).toBeUndefined()
  })
})

describe('a log that ends anywhere', () => {
  /** Calls of members in turn, each getting so many pages through; then the other one takes over. */
  const calls = fc.array(fc.record({ pages: fc.nat({ max: 3 }), ended: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  })

  it('never sends a confirmed page again, and is unknown only where the last page was ended', () => {
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 6 }), fc.nat(), (history, pages, cut) => {
        const steps: Step[] = []
        const reported: { page: number; entry: number }[] = []
        const write = (origin: string, event: DeliveryEvent) => {
          const order = { term: { counter: 1, node: 'a' }, clock: steps.length + 2, origin }
          steps.push({ order, at: 2_000, operation: { op: 'delivery', delivery: '0190-f.0', event } })
        }
        const state = (entries: readonly Step[]) => fold(fresh(pages), false, entries).delivery
        history.forEach(({ pages: through, ended }, n) => {
          const node = n % 2 === 0 ? 'a' : 'b'
          const before = state(steps)
          if (before.state !== 'queued') return
          const from = before.confirmed
          write(node, dial(from, node))
          for (let page = from; page < Math.min(pages, from + through); page++) {
            write(node, end(page, node))
            write(node, page === pages - 1 ? { event: 'accepted', reference: 0 } : confirm(page))
            reported.push({ page, entry: steps.length })
          }
          const next = state(steps)
          if (next.state !== 'submitting') return
          if (ended) write(node, end(next.confirmed, node))
          if (ended && next.confirmed === pages - 1) write(node, { event: 'hold', reason, node })
          else write(node, { ...defer, node } as DeliveryEvent)
        })
        // The member dies; this much of its log is on another disk.
        const kept = cut % (steps.length + 1)
        const delivery = state(steps.slice(0, kept))
        // A page is only ended after the entry that confirms the one before it: one log, in order.
        const last = steps[kept - 1]?.operation
        if (last?.op === 'delivery' && last.event.event === 'intend' && last.event.postPage)
          expect(delivery.confirmed).toBe(last.event.part)
        for (const { page, entry } of reported)
          if (entry <= kept) expect(delivery.confirmed).toBeGreaterThan(page)
        if (delivery.state === 'submitting' && inDoubt(delivery)) expect(delivery.confirmed).toBe(pages - 1)
        expect(delivery.possibleDuplicate).toBe(false)
      }),
    )
  })
})
