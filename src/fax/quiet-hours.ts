/** Hours in which a line does not dial: whether they are now, when they end, and how that is said. Pure. */
import type { DoNotDial } from '#config/fax.ts'
import { quietEnd } from '#core/zone.ts'
import type { Reason } from '#messages/states.ts'

/** However little is left of them. */
const LEAST_MS = 1_000

const timeOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`

/**
 * @param priority of the message: 0 is the most urgent
 * @param now ms since 1970
 * @returns why it must wait, and for how long, ms; where hours overlap the end that is last counts
 */
export function doNotDial(
  hours: readonly DoNotDial[],
  priority: number,
  now: number,
): { reason: Reason; wait: number } | undefined {
  const active = hours.flatMap((each) => {
    if (each.except !== undefined && priority <= each.except) return []
    const end = quietEnd(each, now, each.zone)
    return end === undefined ? [] : [{ ...each, end }]
  })
  const last = active.toSorted((a, b) => b.end - a.end)[0]
  if (last === undefined) return undefined
  const { from, until, zone, end } = last
  const text = `This line does not dial from ${timeOf(from)} to ${timeOf(until)}, and dials again at ${timeOf(until)} (${zone})`
  return { reason: { code: 'do-not-dial', text }, wait: Math.max(LEAST_MS, end - now) }
}
