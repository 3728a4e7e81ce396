/** What goes to the store's thread or into the log packed comes out as it was; what cannot be packed goes as it is. */
import { expect, test } from 'vitest'
import { deliveryId, newDelivery } from '#messages/message.ts'
import type { Operation } from '#messages/operation.ts'
import { pack, parseOperation, unpack, writeOperation } from '#messages/packing.ts'
import { readOperation } from '#messages/received.ts'
import { messageOf } from './message-of.ts'

const message = messageOf({ at: 1, node: 'a', validity: 60_000 })
const first = newDelivery(message, 0, '', 'sms', 1)
const many = Array.from({ length: 500 }, (_, n) => ({ ...first, id: deliveryId('m', n), to: `+49${n}` }))

test('deliveries that differ in id and number only', () => {
  const packed = pack({ message, deliveries: many, key: { key: 'k', bodyHash: 'h' } })
  expect(packed).toMatchObject({ base: { id: 'm.0' } })
  const through = JSON.parse(JSON.stringify(packed))
  expect(unpack(through)).toEqual({ message, deliveries: many, key: { key: 'k', bodyHash: 'h' } })
})

test.each([
  ['few', many.slice(0, 3)],
  ['none', []],
  [
    'one in another state',
    [...many.slice(0, 300), { ...first, id: 'm.300', to: '+491', state: 'cancelled' as const }],
  ],
  ['one with more', [...many.slice(0, 300), { ...first, id: 'm.300', to: '+491', owner: 'b' }]],
  ['out of order', many.toReversed()],
])('%s', (_, deliveries) => {
  const acceptance = { message, deliveries }
  expect(pack(acceptance)).toBe(acceptance)
  expect(unpack(acceptance)).toBe(acceptance)
})

test('an entry of the log names the recipients of a job once, and every reader gets the whole back', () => {
  const operation: Operation = { op: 'accept', message, deliveries: many, key: { key: 'k', bodyHash: 'h' } }
  const text = writeOperation(operation)
  expect(text.length).toBeLessThan(JSON.stringify(operation).length / 10)
  expect(parseOperation(text)).toEqual(operation)
  expect(readOperation(JSON.parse(text))).toEqual(operation)
})

test('a packed acceptance from elsewhere that makes no sense is not understood', () => {
  const good = { op: 'accept', ...pack({ message, deliveries: many }) }
  expect(readOperation({ ...good, base: { ...first, state: 'lost' } })).toBeUndefined()
  expect(readOperation({ ...good, to: ['+491', 2] })).toBeUndefined()
})
