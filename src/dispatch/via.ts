/**
 * A delivery that a person has given a line: that line first, or that line alone where the point is to try it. It counts
 * on the line's own member; another one that takes over sends as its routes say. Pure.
 */
import type { Delivery } from '#messages/message.ts'
import type { Tiers } from './routing.ts'

/** @param usual what the routes say, cheapest first */
export function tiersVia({ via }: Pick<Delivery, 'via'>, node: string, usual: Tiers): Tiers {
  if (via === undefined || via.node !== node) return usual
  const chosen = [via.line]
  if (via.only) return [chosen]
  const others = usual.map((tier) => tier.filter((line) => line !== via.line))
  return [chosen, ...others.filter((tier) => tier.length > 0)]
}
