/**
 * While it holds the address: renewals, announcements, and the reasons to step down. With a majority a renewal is only
 * ever a reaction to acknowledgements; alone and with one other member it comes with the own heartbeats, so that the
 * other one can count the lease from the last heartbeat it heard (pair.md rules 7, 8, 10, 11, 15).
 */

import { compareTerms } from '#messages/order.ts'
import { addressHere, keepAddress } from './address.ts'
import { bestStandby, cutOff, gatewayAlive } from './condition.ts'
import { leave } from './leaving.ts'
import { beatEvery, oweAll } from './sending.ts'
import type { Draft } from './state.ts'
import { SWITCHED } from './switched.ts'
import { higherTerm, termText } from './terms.ts'
import { live, majorityAt, voting } from './votes.ts'
import { askWitness } from './witness.ts'

/** A renewal by acknowledgements may come this much of its span early, so that none is skipped by jitter. */
const EARLY = 0.6

export function serve(d: Draft): void {
  const { s, now } = d
  s.phase = 'serving'
  s.phaseUntil = undefined
  s.promise = undefined
  s.released = undefined
  s.wouldTake = false
  s.witnessAskAt = now
  if (s.term !== undefined) {
    s.held = s.held === undefined ? s.term : higherTerm(s.held, s.term)
    const text = `${SWITCHED}${termText(s.term)}: ${s.reason}`
    d.out.push({ effect: 'failover', text })
  }
  tellLease(d)
  oweAll(d)
  if (s.settings.address && s.address !== 'none') addressHere(d)
}

export function serveOn(d: Draft): void {
  const { s, now } = d
  s.activeAt = now
  keepAddress(d)
  stepDownIfDue(d)
  answerWishes(d)
  // From the moment it is told to finish, the gateway gets no further right.
  if (s.phase !== 'serving') return
  raiseTerm(d)
  if (now >= s.witnessAskAt) askWitness(d, s.settings.profile.renew)
  renewByMajority(d)
}

function stepDownIfDue(d: Draft): void {
  const { s, now } = d
  if (!gatewayAlive(s, now)) {
    leave(d, s.gateway ? 'the gateway does not answer' : 'the gateway is gone')
    return
  }
  // A box that stands alone serves on without a network: what it holds can still be sent.
  if (voting(s) === 'alone') return
  if (!s.carrier) {
    leave(d, 'the carrier is lost')
  } else if (cutOff(s, now)) {
    leave(d, 'no member and no router answers: this box is cut off')
  } else if (s.health?.problem !== undefined && s.settings.switchover === 'automatic') {
    const standby = bestStandby(s, now, false)
    if (standby !== undefined) leave(d, s.health.problem.text, standby.node)
  }
}

/** A member asks for the address: on command, or because it is preferred. */
function answerWishes(d: Draft): void {
  const { s, now } = d
  if (s.phase !== 'serving') return
  const asking = s.peers.filter((peer) => live(s, peer, now) && peer.beat?.wants !== undefined)
  const able = asking.find(({ beat }) => beat?.healthy && beat.synchronised)
  if (able !== undefined) {
    const why = able.beat?.wants === 'command' ? 'was told to take over' : 'is preferred'
    leave(d, `${able.node} ${why}`, able.node)
    return
  }
  const [first] = asking
  s.declines =
    first === undefined ? undefined : first.beat?.healthy ? 'standby-not-synchronised' : 'standby-not-healthy'
}

/** Somebody has seen a higher term that nobody holds; terms must grow, so this one takes one above it. */
function raiseTerm(d: Draft): void {
  const { s } = d
  if (s.term === undefined || compareTerms(s.highest, s.term) <= 0) return
  if (s.highest.node !== s.settings.node) {
    s.highest = { counter: s.highest.counter + 1, node: s.settings.node }
  } else if (compareTerms(s.stored, s.highest) >= 0) {
    s.term = s.highest
    s.held = s.highest
    tellLease(d)
    oweAll(d)
  }
}

function renewByMajority(d: Draft): void {
  const { s, now } = d
  if (voting(s) !== 'majority') return
  const { lease, renew } = s.settings.profile
  const at = majorityAt(s, now)
  if (at === undefined || now - at > s.settings.ackWithin || at + lease <= s.leaseUntil) return
  s.graceUntil = now
  if (now - s.renewedAt >= renew * EARLY) renewFrom(d, at)
}

/** Right after own heartbeats went to everybody. */
export function renewByHeartbeat(d: Draft): void {
  const { s, now } = d
  if (s.phase !== 'serving') return
  if (voting(s) === 'majority' && now >= s.graceUntil) return
  if (now - s.renewedAt + beatEvery(s) > s.settings.profile.renew) renewFrom(d, now)
}

/** The caller has seen that the lease is not over: a lease that has passed is never renewed. */
function renewFrom(d: Draft, at: number): void {
  const { s, now, out } = d
  s.leaseUntil = at + s.settings.profile.lease
  s.renewedAt = now
  if (s.address === 'held') out.push({ effect: 'renewAddress' })
  tellLease(d)
}

function tellLease({ s, out }: Draft): void {
  if (s.term !== undefined) out.push({ effect: 'lease', until: s.leaseUntil, term: s.term })
}
