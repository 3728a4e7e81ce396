/**
 * The one order of all entries of all logs: by term, then Lamport clock, then origin. An entry that was made knowing
 * another one comes after it; no wall clock takes part (Lamport, "Time, Clocks, and the Ordering of Events", 1978).
 */
import type { Term } from './operation.ts'

export interface Order {
  term: Term
  clock: number
  origin: string
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const compareTerms = (a: Term, b: Term): number => a.counter - b.counter || compareText(a.node, b.node)

/** Negative when `a` comes first. Zero only for one entry: an incarnation leaps over what the former may have lost. */
export const compareOrders = (a: Order, b: Order): number =>
  compareTerms(a.term, b.term) || a.clock - b.clock || compareText(a.origin, b.origin)

/** As text, for a column. */
export const orderText = ({ term, clock, origin }: Order): string =>
  JSON.stringify([term.counter, term.node, clock, origin])

export function readOrder(text: string): Order {
  const [counter, node, clock, origin]: [number, string, number, string] = JSON.parse(text)
  return { term: { counter, node }, clock, origin }
}

/** Before everything: what was stored before entries had an order. */
export const beginning: Order = { term: { counter: 0, node: '' }, clock: 0, origin: '' }

/** Whether an order as text comes after another one; null stands for what is older than orders are. */
export function isNewer(text: string | null, known: unknown): boolean {
  const read = (value: unknown) => (typeof value === 'string' ? readOrder(value) : beginning)
  return compareOrders(read(text), read(known)) > 0
}
