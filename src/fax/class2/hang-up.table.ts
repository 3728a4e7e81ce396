/**
 * Why a Class 2 modem hung up: +FHNG (EIA PN-2388, table 8.3) and +FHS (ITU-T T.32, table 20) for people and for the
 * retry rules. A table.
 */
import type { FaxFailure } from '../contract.ts'

type Row = readonly [from: number, to: number, failure: FaxFailure, text: string]

/** The first that fits. */
const rows: readonly Row[] = [
  [0, 0, 'fax-line-dropped', 'the call ended before everything was sent'],
  [1, 1, 'fax-no-machine', 'somebody answered, but no fax machine'],
  [2, 2, 'fax-line-dropped', 'the call was ended here'],
  [3, 3, 'fax-no-dial-tone', 'there is no current on the line'],
  [4, 4, 'fax-no-answer', 'nobody answered'],
  [10, 11, 'fax-no-machine', 'somebody answered, but no fax machine'],
  [21, 21, 'fax-protocol', 'the other machine can neither receive nor send'],
  [25, 26, 'fax-line-dropped', 'the other machine does not answer to how the page would be sent'],
  [27, 27, 'fax-training-failed', 'the line was too poor for every speed'],
  [20, 29, 'fax-protocol', 'the other machine and the modem could not agree how to send'],
  [43, 43, 'fax-too-slow', 'the page could not be handed to the modem as fast as it sends'],
  [40, 49, 'fax-line-dropped', 'the line was dropped in the middle of a page'],
  [52, 52, 'fax-line-dropped', 'the other machine no longer answered after the page'],
  [54, 54, 'fax-line-dropped', 'the other machine no longer answered after the page'],
  [56, 56, 'fax-line-dropped', 'the other machine no longer answered after the page'],
  [58, 58, 'fax-page-refused', 'the other machine interrupted the transmission'],
  [50, 59, 'fax-page-refused', 'the other machine ended the call instead of confirming the page'],
  [73, 74, 'fax-line-dropped', 'the other machine no longer sent anything'],
  [70, 79, 'fax-protocol', 'the other machine and the modem could not agree how to receive'],
  [93, 93, 'fax-too-slow', 'the page could not be taken from the modem as fast as it came'],
  [90, 99, 'fax-line-dropped', 'the line was dropped in the middle of a page'],
  [100, 109, 'fax-line-dropped', 'the line was dropped after a page'],
]

/** @param code as Class 2 counts: Class 2.0's A0 is 100 */
export function hangUpReason(code: number): { failure: FaxFailure; text: string } {
  const [, , failure, text] = rows.find(([from, to]) => code >= from && code <= to) ?? []
  if (failure === undefined || text === undefined)
    return { failure: 'fax-protocol', text: `the modem ended the call (reason ${code})` }
  return { failure, text: `${text} (reason ${code})` }
}

/**
 * After these a post-page message may have been heard, and its answer was not, or the modem did not tell it (0). 51 is an
 * answer that came damaged, or DCN.
 */
export const unanswered = (code: number): boolean => [0, 50, 51, 52, 54, 56].includes(code)
