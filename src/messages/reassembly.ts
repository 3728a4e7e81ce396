/**
 * Puts the parts of a received short message together again. Pure.
 *
 * Rests on the concatenation headers of 3GPP TS 23.040 9.2.3.24.1 (8-bit reference) and 9.2.3.24.8 (16-bit). Networks
 * bring parts in any order, some twice, some never: what is missing is marked in the text, nothing is thrown away.
 */
import type { InboundPart } from './inbound.ts'

export interface Assembled {
  /** The parts in order; each gap holds a mark such as `[… part 3 of 5 missing …]`. */
  text: string
  complete: boolean
  total: number
  /** How many different parts are there. */
  received: number
}

/**
 * @param parts parts of one group (groupOf), in any order. Of several with the same number the one that came first
 *   counts. Parts numbered 0 or beyond the total belong nowhere (9.2.3.24.1) and are left out.
 */
export function assemble(parts: readonly InboundPart[]): Assembled {
  const total = parts.reduce((most, part) => Math.max(most, part.concatenation?.total ?? 1), 0)
  const byNumber = new Map<number, InboundPart>()
  for (const part of [...parts].sort(byArrival)) {
    const number = part.concatenation?.part ?? 1
    if (number >= 1 && number <= total && !byNumber.has(number)) byNumber.set(number, part)
  }
  let text = ''
  for (let number = 1; number <= total; number++) {
    const part = byNumber.get(number)
    if (part) {
      text += part.text
      continue
    }
    const first = number
    while (number < total && !byNumber.has(number + 1)) number++
    text += gapMark(first, number, total)
  }
  return { text, complete: total > 0 && byNumber.size === total, total, received: byNumber.size }
}

/**
 * The key that the parts of one message share: node, line, sender, reference, its width, and the total. What was brought
 * of one fax call is a group; any other message of one part is one of its own. References come round again (after 256 messages with 8 bits), so a key names one
 * message only among those of the same days.
 */
export function groupOf(part: InboundPart): string {
  const c = part.concatenation
  // Who sent it may be known to one member alone: the name of its machine comes with the end of the call.
  if (part.call !== undefined) return JSON.stringify(['fax', part.node, part.call])
  return JSON.stringify(
    c
      ? [part.node, part.line, part.from, c.reference, c.width, c.total]
      : [part.node, part.line, part.from, part.fingerprint],
  )
}

/** The fingerprint decides between parts of one moment, so that every member assembles the same text. */
function byArrival(a: InboundPart, b: InboundPart): number {
  return a.at - b.at || (a.fingerprint < b.fingerprint ? -1 : a.fingerprint > b.fingerprint ? 1 : 0)
}

function gapMark(first: number, last: number, total: number): string {
  return first === last
    ? `[… part ${first} of ${total} missing …]`
    : `[… parts ${first} to ${last} of ${total} missing …]`
}
