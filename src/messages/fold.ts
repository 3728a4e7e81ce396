/**
 * The state of a delivery as a fold of what the logs say about it, in the order of order.ts. Pure: members that hold
 * the same entries come to the same delivery, in whatever order the entries reached them.
 */
import type { Delivery } from './message.ts'
import type { Operation } from './operation.ts'
import { compareOrders, type Order } from './order.ts'
import { type DeliveryEvent, DUPLICATE, isFinal, joinEvent, lastLine } from './states.ts'

/** One entry as it concerns one delivery. */
export interface Step {
  order: Order
  /** ms since 1970 */
  at: number
  operation: Extract<Operation, { op: 'delivery' | 'hand' | 'adopt' | 'shiftTimes' }>
}

/** How the delivery's message came in. */
export interface Origin {
  order: Order
  incarnation: string
  sequence: number
  /** ms since 1970 */
  at: number
}

/** One count in the traffic totals. */
export interface Count {
  node: string
  line: string
  column: 'sent' | 'delivered' | 'failed' | 'unknown'
  at: number
}

export const duplicate: DeliveryEvent = {
  event: 'cancel',
  reason: { code: DUPLICATE, text: 'A message with the same idempotency key was accepted before it.' },
}

/** Whether an operation on many deliveries means those of a message. */
export function concerns(step: Step, accepted: Origin): boolean {
  const { operation, order } = step
  switch (operation.op) {
    case 'adopt':
      return operation.incarnation === accepted.incarnation && accepted.sequence <= operation.position
    case 'shiftTimes':
      return (
        order.origin === accepted.order.origin &&
        accepted.at >= operation.since &&
        compareOrders(accepted.order, order) < 0
      )
    default:
      return true
  }
}

/** The delivery after one more step, or undefined when the step changes nothing. */
export function take(before: Delivery, { operation, order, at }: Step): Delivery | undefined {
  switch (operation.op) {
    case 'delivery': {
      const after = joinEvent(before, operation.event, at, order.origin)
      // What is over belongs to nobody: whoever is active may send it again when a person asks for it.
      if (after && isOver(after)) {
        delete after.owner
        delete after.handed
      }
      return after
    }
    case 'hand': {
      if (isOver(before)) return undefined
      // By who wrote it, whoever was the owner then: that may have been changed by an entry that comes later.
      const handed = [...new Set([...(before.handed ?? []), order.origin, operation.to])].sort()
      const same = before.owner === operation.to && handed.length === before.handed?.length
      return same ? undefined : { ...before, owner: operation.to, handed }
    }
    case 'adopt':
      return isOver(before) || before.owner !== operation.origin
        ? undefined
        : { ...before, owner: order.origin }
    case 'shiftTimes': {
      if (isFinal(before)) return undefined
      const { due, expires, reportBy } = before
      const moved: Delivery = { ...before, due: due + operation.byMs, expires: expires + operation.byMs }
      if (reportBy !== undefined) moved.reportBy = reportBy + operation.byMs
      return moved
    }
  }
}

const isOver = (delivery: Delivery): boolean => delivery.state !== 'unknown' && isFinal(delivery)

/** Totals are of deliveries: sent once each time a line got its last part through, and the state it came to. */
export function counted(before: Delivery, after: Delivery, { operation, order, at }: Step): Count[] {
  if (operation.op !== 'delivery') return []
  const columns: Count['column'][] = operation.event.event === 'accepted' ? ['sent'] : []
  if (before.state !== after.state) {
    if (after.state === 'delivered' || after.state === 'failed' || after.state === 'unknown') {
      columns.push(after.state)
    }
  }
  // An answer is of its member's line, whoever else has the delivery on record. What failed before any line had it is
  // counted for its member, with no line.
  const elsewhere = operation.event.event === 'accepted' && before.node !== order.origin
  const node = elsewhere ? order.origin : (after.node ?? order.origin)
  const line = elsewhere ? lastLine(before, order.origin) : after.line
  return columns.map((column) => ({ node, line: line ?? '', column, at }))
}

/**
 * From the beginning.
 * @param superseded another message with the same idempotency key stands
 * @param steps in any order
 */
export function fold(
  accepted: Delivery,
  superseded: boolean,
  steps: readonly Step[],
): { delivery: Delivery; counts: Count[] } {
  let delivery = accepted
  if (superseded) delivery = supersede(delivery)
  const counts: Count[] = []
  for (const step of [...steps].sort((a, b) => compareOrders(a.order, b.order))) {
    const after = take(delivery, step)
    if (!after) continue
    counts.push(...counted(delivery, after, step))
    delivery = after
  }
  return { delivery, counts }
}

/** What another message with its key does to a delivery: cancelled while nothing was transmitted, flagged after. */
export function supersede(delivery: Delivery): Delivery {
  const { state, attempts } = delivery
  if (state !== 'queued' || attempts > 0) return { ...delivery, possibleDuplicate: true }
  const at = delivery.timeline[0]?.at ?? delivery.due
  const after = joinEvent(delivery, duplicate, at, '') ?? delivery
  delete after.owner
  return after
}
