/** Times as a query gives them. */
import { parseDuration } from '#core/duration.ts'
import { Problem } from './problems.ts'

/**
 * @param text a time (ISO 8601), or how far back from now
 * @returns ms since 1970
 * @throws Problem `wrong-format`
 */
export function timeAsked(field: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const span = parseDuration(text)
  if (span !== undefined) return Math.max(0, now - span)
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  const rule = 'must be a time such as 2026-11-21T08:00:00Z or a span such as 24h'
  throw new Problem(400, 'wrong-format', `${field} ${rule}`, { field })
}
