/** Questions to the witness and its answers: one vote, which has no other memory than who holds and how long. */
import type { Term } from '#messages/operation.ts'
import type { Draft } from './state.ts'
import { higherTerm } from './terms.ts'
import { gaveUp, voting } from './votes.ts'

/** A refused question is not asked again sooner or later than this, whatever the witness says, ms. */
const SOONEST = 20
const LATEST = 1_000

/** The same question for a grant and for a renewal: hold this pair for this term. */
export function askWitness({ s, now, out }: Draft, again: number): void {
  if (!s.settings.witness || voting(s) !== 'majority' || s.term === undefined) return
  s.witnessAskAt = now + again
  s.witnessRequest += 1
  s.witnessPending = { request: s.witnessRequest, at: now }
  const over = s.phase !== 'serving' && gaveUp(s) ? s.held : undefined
  out.push({
    effect: 'askWitness',
    request: s.witnessRequest,
    term: s.term,
    ...(over === undefined ? {} : { released: over }),
  })
}

/**
 * Counts from the sending of the question, and only for the newest one: an older answer says nothing about now.
 * @param retryAfter ms until a refused question may be granted
 */
export function witnessAnswered(
  d: Draft,
  answer: { request: number; granted: boolean; retryAfter?: number; highest?: Term },
): void {
  const { s, now } = d
  const question = s.witnessPending
  if (answer.highest !== undefined) s.highest = higherTerm(s.highest, answer.highest)
  if (question?.request !== answer.request) return
  s.witnessPending = undefined
  if (answer.granted) {
    s.witnessAt = question.at
  } else if (s.phase !== 'serving') {
    s.witnessAt = undefined
    s.witnessAskAt = now + Math.min(LATEST, Math.max(SOONEST, (answer.retryAfter ?? 0) + 2))
  }
}
