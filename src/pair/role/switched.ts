/**
 * The line of the failover log with which a member begins to serve, and which of these lines tell of a failover: whoever
 * begins because nobody was there has taken nobody's place. Pure.
 */

/** What operators of such pairs look for in the log; the number of the term, who has it, and the reason follow. */
export const SWITCHED = 'SWITCH THIS SERVER TO ACTIVE, term '

/** Reasons to begin without taking the place of another member. */
export const begun = {
  alone: 'there is no other member',
  nobody: 'nobody was active',
  again: 'nobody else took over',
} as const

export const begunReasons: readonly string[] = Object.values(begun)

/** @param text a line of the failover log, without time and member */
export const isFailover = (text: string): boolean =>
  text.startsWith(SWITCHED) && !begunReasons.some((reason) => text.endsWith(reason))
