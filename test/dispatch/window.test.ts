/** The window against a plain sorted list: the most urgent first, removals anywhere, lines chosen per set of tiers. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Window } from '#dispatch/window.ts'
import { type Delivery, type Message, newDelivery, type Priority } from '#messages/message.ts'

const message = (priority: Priority): Message => ({
  id: 'm',
  at: 0,
  node: 'a',
  source: 'test',
  text: 'x',
  priority,
  validity: 1_000,
  onUnknown: 'resend',
  flash: false,
})
const tiersA = [['a']]
const tiersB = [['b']]
const delivery = (id: string, priority: Priority, due: number): Delivery => ({
  ...newDelivery(message(priority), 0, '+49', 'sms', 1),
  id,
  due,
})
const any = () => 'a'

describe('window', () => {
  it('gives the same order as sorting would, with removals between', () => {
    const item = fc.record({
      priority: fc.constantFrom<Priority>(0, 1, 2, 3),
      due: fc.integer({ min: 0, max: 5 }),
      remove: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), (items) => {
        const window = new Window(100)
        const model: { id: string; priority: number; due: number; n: number }[] = []
        for (const [n, { priority, due, remove }] of items.entries()) {
          window.add(delivery(`${n}`, priority, due), message(priority), n % 2 ? tiersA : tiersB)
          model.push({ id: `${n}`, priority, due, n })
          if (remove) {
            const victim = model.splice(n % model.length, 1)[0]
            expect(window.remove(victim?.id ?? '')).toBeDefined()
          }
        }
        model.sort((a, b) => a.priority - b.priority || a.due - b.due || a.n - b.n)
        expect(window.size).toBe(model.length)
        expect(window.worstPriority()).toBe(model.at(-1)?.priority)
        expect(window.last()?.delivery.id).toBe(model.at(-1)?.id)
        const order: string[] = []
        for (let next = window.next(any); next; next = window.next(any)) {
          order.push(next.held.delivery.id)
          window.remove(next.held.delivery.id)
        }
        expect(order).toEqual(model.map(({ id }) => id))
      }),
    )
  })

  it('passes over deliveries that no free line may take', () => {
    const window = new Window(10)
    window.add(delivery('urgent', 0, 0), message(0), tiersA)
    window.add(delivery('other', 2, 0), message(2), tiersB)
    expect(window.next((tiers) => (tiers === tiersB ? 'b' : undefined))).toMatchObject({
      held: { delivery: { id: 'other' } },
      line: 'b',
    })
  })

  it('holds a delivery once', () => {
    const window = new Window(10)
    window.add(delivery('x', 2, 0), message(2), tiersA)
    window.add(delivery('x', 2, 0), message(2), tiersA)
    expect(window.size).toBe(1)
    expect(window.room).toBe(9)
  })

  it('knows what has expired', () => {
    const window = new Window(10)
    window.add(delivery('x', 2, 0), message(2), tiersA)
    expect(window.expired(999)).toEqual([])
    expect(window.expired(1_000).map((held) => held.delivery.id)).toEqual(['x'])
  })
})
