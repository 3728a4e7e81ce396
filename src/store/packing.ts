/**
 * Acceptances on their way to the store's thread. The deliveries of one job differ in id and number only: 53,000 of them
 * written out are 20 MB, several times over in copies, and a small box does not have that. Pure.
 */
import { type Delivery, deliveryId } from '#messages/message.ts'
import type { Acceptance } from './contract.ts'

export type Packed = Acceptance | (Omit<Acceptance, 'deliveries'> & { base: Delivery; to: string[] })

/** Below that it is not worth the look. */
const FEW = 100

export function pack(acceptance: Acceptance): Packed {
  const { deliveries, ...rest } = acceptance
  const [base] = deliveries
  if (base === undefined || deliveries.length < FEW) return acceptance
  const alike = deliveries.every(
    (delivery, n) => delivery.id === deliveryId(rest.message.id, n) && differsInNameOnly(delivery, base),
  )
  return alike ? { ...rest, base, to: deliveries.map(({ to }) => to) } : acceptance
}

export function unpack(packed: Packed): Acceptance {
  if (!('base' in packed)) return packed
  const { base, to, ...rest } = packed
  const deliveries = to.map((number, n) => ({ ...base, id: deliveryId(rest.message.id, n), to: number }))
  return { ...rest, deliveries }
}

/** Lists are compared by identity: acceptance lets all deliveries of a message share them. */
function differsInNameOnly(delivery: Delivery, base: Delivery): boolean {
  const { id: _, to: __, ...fields } = base
  const entries: [string, unknown][] = Object.entries(fields)
  const own = new Map<string, unknown>(Object.entries(delivery))
  return own.size === entries.length + 2 && entries.every(([key, value]) => own.get(key) === value)
}
