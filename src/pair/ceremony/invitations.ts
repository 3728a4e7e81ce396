/**
 * Which codes are open, and what becomes of an attempt to use one: a pure machine, in memory only, so that no code
 * outlives the process that made it. A code ends when it is used, after ten minutes, after three wrong proofs, or when
 * newer ones take its place. Attempts are bounded per minute whatever they try.
 */
import type { Values } from '#core/errors.ts'

export const CODE_MS = 10 * 60_000
/** Open codes at a time; the oldest makes room. */
export const MOST_OPEN = 4
const WRONG_PROOFS = 3
export const ATTEMPTS_A_MINUTE = 10
const MINUTE = 60_000
/** Codes that have ended and can still be called by their reason. */
const MOST_ENDED = 32

export interface Invitation {
  /** Made from the secret, so that the joiner can name the invitation without saying the secret. */
  id: string
  secret: Buffer
  /** ms of the monotonic clock. */
  until: number
  wrong: number
  /** Certificates of members that were removed after it was made: it must not bring them back. */
  barred: readonly string[]
}

export type Ending = 'used' | 'expired' | 'exhausted' | 'replaced'

export interface Invitations {
  open: readonly Invitation[]
  ended: readonly { id: string; why: Ending }[]
  /** When attempts were made within the last minute, ms of the monotonic clock. */
  attempts: readonly number[]
}

export const noInvitations: Invitations = { open: [], ended: [], attempts: [] }

export interface Refusal {
  code: string
  text: string
  values?: Values
}

const end = (state: Invitations, gone: readonly Invitation[], why: Ending): Invitations =>
  gone.length === 0
    ? state
    : {
        ...state,
        open: state.open.filter((each) => !gone.includes(each)),
        ended: [...state.ended, ...gone.map(({ id }) => ({ id, why }))].slice(-MOST_ENDED),
      }

const lapse = (state: Invitations, now: number): Invitations =>
  end(
    state,
    state.open.filter(({ until }) => until <= now),
    'expired',
  )

export function invite(
  state: Invitations,
  { id, secret }: { id: string; secret: Buffer },
  now: number,
): Invitations {
  const lapsed = lapse(state, now)
  const roomy = end(lapsed, lapsed.open.slice(0, Math.max(0, lapsed.open.length + 1 - MOST_OPEN)), 'replaced')
  return { ...roomy, open: [...roomy.open, { id, secret, until: now + CODE_MS, wrong: 0, barred: [] }] }
}

/** Somebody came, before a word was heard. @returns why it is not even listened to */
export function attempt(state: Invitations, now: number): { state: Invitations; refused?: Refusal } {
  const recent = state.attempts.filter((at) => at > now - MINUTE)
  if (recent.length >= ATTEMPTS_A_MINUTE) {
    return {
      state: { ...state, attempts: recent },
      refused: {
        code: 'pair-rate-limited',
        text: `more than ${ATTEMPTS_A_MINUTE} attempts to join in a minute; wait a minute`,
      },
    }
  }
  return { state: { ...lapse(state, now), attempts: [...recent, now] } }
}

const reasons: Record<Ending, Refusal> = {
  used: { code: 'pair-code-used', text: 'this code has been used; each works once, so ask for another' },
  expired: { code: 'pair-code-expired', text: 'this code is older than ten minutes; ask for another' },
  exhausted: {
    code: 'pair-code-exhausted',
    text: 'somebody tried this code with a wrong secret several times, so it is void; ask for another',
  },
  replaced: {
    code: 'pair-code-replaced',
    text: 'newer codes have taken the place of this one; ask for another',
  },
}

/** The invitation that somebody named. */
export function find(
  state: Invitations,
  id: string,
  fingerprint: string,
): { invitation: Invitation } | { refused: Refusal } {
  const invitation = state.open.find((each) => each.id === id)
  if (invitation === undefined) {
    const ended = state.ended.find((each) => each.id === id)
    return {
      refused:
        ended === undefined
          ? {
              code: 'pair-code-unknown',
              text: 'this appliance has no such code: it was made elsewhere, or before a restart; ask for another',
            }
          : reasons[ended.why],
    }
  }
  if (invitation.barred.includes(fingerprint)) {
    return {
      refused: {
        code: 'pair-member-removed',
        text: 'this appliance was removed from the pair after the code was made; only a new code lets it in again',
      },
    }
  }
  return { invitation }
}

export function wrongProof(state: Invitations, id: string): Invitations {
  const counted = state.open.map((each) => (each.id === id ? { ...each, wrong: each.wrong + 1 } : each))
  const next = { ...state, open: counted }
  return end(
    next,
    counted.filter(({ wrong }) => wrong >= WRONG_PROOFS),
    'exhausted',
  )
}

export const use = (state: Invitations, id: string): Invitations =>
  end(
    state,
    state.open.filter((each) => each.id === id),
    'used',
  )

/** A member was removed: codes made before must not bring it back. */
export const bar = (state: Invitations, fingerprint: string): Invitations => ({
  ...state,
  open: state.open.map((each) => ({ ...each, barred: [...each.barred, fingerprint] })),
})
