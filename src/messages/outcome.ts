/**
 * How an attempt ended, in the words of design: the scope of a refusal says what to try next.
 *
 * `progress` counts the parts that the far side confirmed in this attempt and those before it on the same line.
 */
import type { Reason } from './states.ts'

export interface Progress {
  confirmed: number
}

/** What a line's own rules say of trying again. */
export interface Again {
  /** Before the next call, ms. */
  pause: number
  /** It counts as a try: the call came through and brought nothing further. */
  counts: boolean
  /** Tries in a row, and calls in all, after which it has failed. */
  tries: number
  dials: number
}

export type Outcome =
  /** The far side took every part. */
  | { result: 'accepted'; progress: Progress }
  /** The far side said no. `number`: this recipient cannot be reached; `line`: this line or SIM cannot send; `network`: not now. */
  | {
      result: 'refused'
      scope: 'number' | 'line' | 'network'
      reason: Reason
      permanent: boolean
      progress: Progress
      /** Absent: the rules of retry.ts. */
      again?: Again
    }
  /** Nothing of the current part left the box: it may go anywhere, at once. */
  | { result: 'notSent'; reason: Reason; progress: Progress; again?: Pick<Again, 'pause'> }
  /** A part may or may not have been transmitted; the answer will never come. */
  | { result: 'unknown'; reason: Reason; step: number; progress: Progress; again?: Again }

/** The number's fault says nothing against the line, nor does a time at which it may not be used. */
export const blamesLine = (outcome: Outcome): boolean =>
  !(outcome.result === 'refused' && outcome.scope === 'number') &&
  !(outcome.result === 'notSent' && outcome.again !== undefined)
