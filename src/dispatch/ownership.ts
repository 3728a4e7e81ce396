/**
 * Whether this appliance may transmit. Leadership is a signal with a term: it is asked right before the irrevocable
 * byte, and its loss aborts at once.
 */
import type { Term } from '#messages/operation.ts'
import type { Reason } from '#messages/states.ts'

export interface Ownership {
  readonly term: Term
  /** Undefined while this appliance may transmit. */
  stop(): Reason | undefined
}

/** An appliance without a pair owns everything it accepts. */
export const soleOwner = (node: string): Ownership => ({ term: { counter: 1, node }, stop: () => undefined })
