/**
 * The witness decides here who of a pair holds the grant; pure. Times are ms of the witness's own monotonic clock, so
 * nothing depends on a clock that somebody sets.
 *
 * What is promised: from the moment a grant is given or renewed, no other member gets one for as long as the holder may
 * still have the common address (its grant time), unless the holder itself releases it first. A witness that starts
 * remembers no holder, so it refuses everybody for one grant time: whoever held anything then has lost it.
 */
import type { Term } from '#messages/operation.ts'
import { compareTerms } from '#messages/order.ts'

/** Longer grant times are refused, ms: a grant blocks everybody else for so long. `telisca`, the slowest profile, needs 61 s. */
export const LONGEST_GRANT_MS = 600_000
const SHORTEST_GRANT_MS = 300

export interface Grant {
  node: string
  term: Term
  /** When it was given or last renewed. */
  at: number
  /** How long after that the holder may still have the address, ms. */
  lasts: number
}

/** What the witness knows of one pair. */
export interface Tenure {
  grant?: Grant
  /** The highest term that was ever granted; lower ones are refused for ever. */
  highest?: Term
  /** How long the newest grant lasted, ms; 0 before the first. The one thing that must outlive a restart. */
  lasted: number
}

export interface Question {
  /** `look` changes nothing: a standby asks so to know that the witness is there. */
  kind: 'renew' | 'ask' | 'release' | 'look'
  node: string
  term: Term
  /** The grant time of its profile, ms. */
  grantWait: number
  /** The holder told this member that it gave this term up; its own word to the witness may have been lost. */
  released?: Term
}

export type Verdict =
  /** For `release`: it holds nothing any more; for `look`: the witness is there. */
  | { result: 'granted' }
  | {
      result: 'refused'
      reason: 'witness-held' | 'witness-lower-term' | 'witness-starting' | 'witness-grant-too-long'
      holder?: string
      /** The highest term that was granted. */
      highest?: Term
      /** When asking again may help, ms from now. */
      leftMs?: number
    }

/** @param startedAt when this witness began, on the clock of `now` */
export function decide(
  before: Tenure,
  { kind, node, term, grantWait, released }: Question,
  now: number,
  startedAt: number,
): { tenure: Tenure; verdict: Verdict } {
  if (kind === 'look') return { tenure: before, verdict: { result: 'granted' } }
  const { grant, highest } = before
  const refused = (verdict: Omit<Extract<Verdict, { result: 'refused' }>, 'result' | 'highest'>) => ({
    tenure: before,
    verdict: { result: 'refused' as const, ...verdict, ...(highest === undefined ? {} : { highest }) },
  })

  if (kind === 'release') {
    const { grant: given, ...rest } = before
    const own = given?.node === node && compareTerms(term, given.term) >= 0
    return { tenure: own ? rest : before, verdict: { result: 'granted' } }
  }
  if (grantWait > LONGEST_GRANT_MS) return refused({ reason: 'witness-grant-too-long' })
  const lasts = Math.max(SHORTEST_GRANT_MS, grantWait)
  const starting = startedAt + Math.max(before.lasted, lasts) - now
  if (starting > 0) return refused({ reason: 'witness-starting', leftMs: Math.ceil(starting) })

  const givenUp = grant !== undefined && released !== undefined && compareTerms(grant.term, released) <= 0
  const left = grant === undefined || givenUp ? 0 : grant.at + grant.lasts - now
  const holder = grant !== undefined && left > 0 ? grant.node : undefined
  // A member that slept through a takeover comes back with its old term; it has to learn of the new one first.
  if (highest !== undefined && compareTerms(term, highest) < 0) {
    return refused({ reason: 'witness-lower-term', ...(holder === undefined ? {} : { holder }) })
  }
  if (holder !== undefined && holder !== node) {
    return refused({ reason: 'witness-held', holder, leftMs: Math.ceil(left) })
  }
  return {
    tenure: { grant: { node, term, at: now, lasts }, highest: term, lasted: lasts },
    verdict: { result: 'granted' },
  }
}

/** A client counts its requests; a life of it (a start of its process) is named by a random id. */
export interface Session {
  number: number
  id: string
  counter: number
}

/**
 * Whether a request is new, so that nobody can send a captured one again. A later life of the client must have heard
 * the number of the one before from the witness; of two lives with one number the first to be heard stands.
 */
export function admit(
  before: Session | undefined,
  request: Session,
): { result: 'new'; session: Session } | { result: 'replayed' } | { result: 'session'; number: number } {
  const number = before?.number ?? 0
  if (before !== undefined && request.number === number && request.id === before.id) {
    return request.counter > before.counter ? { result: 'new', session: request } : { result: 'replayed' }
  }
  if (request.number === number + 1) return { result: 'new', session: request }
  return { result: 'session', number }
}
