/** Terms of this room; how two are compared stands in messages/order.ts. Pure. */
import type { Term } from '#messages/operation.ts'
import { compareTerms } from '#messages/order.ts'

export const higherTerm = (one: Term, other: Term): Term => (compareTerms(one, other) >= 0 ? one : other)

export const sameTerm = (one: Term | undefined, other: Term | undefined): boolean =>
  one !== undefined && other !== undefined && compareTerms(one, other) === 0

/** As it is shown: `7 of box-a`. */
export const termText = ({ counter, node }: Term): string => `${counter} of ${node}`
