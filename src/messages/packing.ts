/**
 * Acceptances on their way to the store's thread, into the log and to other members. The deliveries of one job differ in
 * id and number only: 53,000 of them written out are 20 MB, several times over in copies, and a small box does not have
 * that. Pure.
 */
import { type Delivery, deliveryId, type Message } from './message.ts'
import type { IdempotencyKey, Operation } from './operation.ts'

/** A message with all of its deliveries. */
interface Whole {
  message: Message
  deliveries: Delivery[]
  key?: IdempotencyKey
}

/** Deliveries that are all like `base`, the first, but for their ids and numbers are given by their numbers. */
export type Packed = Whole | (Omit<Whole, 'deliveries'> & { base: Delivery; to: string[] })

/** Below that it is not worth the look. */
const FEW = 100

export function pack(acceptance: Whole): Packed {
  const { deliveries, ...rest } = acceptance
  const [base] = deliveries
  if (base === undefined || deliveries.length < FEW) return acceptance
  const alike = deliveries.every(
    (delivery, n) => delivery.id === deliveryId(rest.message.id, n) && differsInNameOnly(delivery, base),
  )
  return alike ? { ...rest, base, to: deliveries.map(({ to }) => to) } : acceptance
}

export function unpack(packed: Packed): Whole {
  if (!('base' in packed)) return packed
  const { base, to, ...rest } = packed
  const deliveries = to.map((number, n) => ({ ...base, id: deliveryId(rest.message.id, n), to: number }))
  return { ...rest, deliveries }
}

/** An operation as it stands in the log. */
export function writeOperation(operation: Operation): string {
  if (operation.op !== 'accept') return JSON.stringify(operation)
  const { op, ...acceptance } = operation
  return JSON.stringify({ op, ...pack(acceptance) })
}

/** The reverse, for what stands in a log here; what comes from elsewhere is read by readOperation(). */
export function parseOperation(text: string): Operation {
  const operation: Operation | ({ op: 'accept' } & Packed) = JSON.parse(text)
  return operation.op === 'accept' ? { op: 'accept', ...unpack(operation) } : operation
}

/** Lists are compared by identity: acceptance lets all deliveries of a message share them. */
function differsInNameOnly(delivery: Delivery, base: Delivery): boolean {
  const { id: _, to: __, ...fields } = base
  const entries: [string, unknown][] = Object.entries(fields)
  const own = new Map<string, unknown>(Object.entries(delivery))
  return own.size === entries.length + 2 && entries.every(([key, value]) => own.get(key) === value)
}
