/**
 * When a ringing line is answered: after so many rings, of the kind and from the callers that are wanted. Pure.
 *
 * A modem says RING for each, or what it has for distinctive ringing (`RING 2`), and the caller between the first and
 * the second (V.253, 9.3.2: `NMBR = …`; many write it without spaces, ZyXEL `CALLER NUMBER: …`).
 */
import type { FaxAnswerSettings } from '#config/fax.ts'

/** Rings of one call follow each other closer than this. */
const SAME_CALL_MS = 8_000

export interface Ringing {
  rings: number
  caller: string
  /** Of the last ring, ms of the monotonic clock. */
  at: number
}

export const quiet: Ringing = { rings: 0, caller: '', at: Number.NEGATIVE_INFINITY }

/** Whether somebody is calling at the moment. */
export const isRinging = ({ at }: Ringing, now: number): boolean => now - at < SAME_CALL_MS

/**
 * @param line what the modem said
 * @returns the call as it is now, and whether it is to be answered
 */
export function heard(
  before: Ringing,
  line: string,
  now: number,
  settings: Pick<FaxAnswerSettings, 'rings' | 'distinctive' | 'callers'>,
): { ringing: Ringing; answer: boolean } {
  const current = isRinging(before, now) ? before : quiet
  const caller = /^(?:NMBR\s*=|CALLER NUMBER\s*:)\s*(.*)$/.exec(line)?.[1]
  // Some modems tell the caller before the first ring.
  if (caller !== undefined) return { ringing: { ...current, caller, at: now }, answer: false }
  const counts = isRing(line, settings)
  if (!counts && !isAnyRing(line)) return { ringing: current, answer: false }
  // A ring for somebody else occupies the line as well.
  const ringing = { ...current, rings: current.rings + (counts ? 1 : 0), at: now }
  const { rings, callers } = settings
  const wanted = callers.length === 0 || callers.some((pattern) => comesFrom(pattern, ringing.caller))
  return { ringing, answer: counts && rings > 0 && ringing.rings >= rings && wanted }
}

/** Any ring, wanted or not: the line is in use. */
const isAnyRing = (line: string): boolean => /^RING(?![A-Z])/.test(line)

/** Rockwell's chips write `RING2`, others `RING 2`. */
const isRing = (line: string, { distinctive }: Pick<FaxAnswerSettings, 'distinctive'>): boolean =>
  distinctive.length === 0
    ? isAnyRing(line)
    : distinctive.some((wanted) => withoutSpaces(wanted) === withoutSpaces(line))

const withoutSpaces = (text: string): string => text.replaceAll(' ', '')

/** Numbers are compared by their digits: exchanges leave out what they like of `+` and spaces. */
function comesFrom(pattern: string, caller: string): boolean {
  const digits = (text: string) => text.replaceAll(/[^0-9]/g, '')
  const given = digits(caller)
  if (given === '') return false
  return pattern.endsWith('*') ? given.startsWith(digits(pattern)) : given === digits(pattern)
}
