/** What a heartbeat of another member means. Its newest one tells everything about it; older ones are passed over. */

import { compareTerms } from '#messages/order.ts'
import type { Signal } from '../contract.ts'
import { announceAgain } from './address.ts'
import { comesBefore } from './condition.ts'
import type { Beat } from './contract.ts'
import { leave } from './leaving.ts'
import { owe } from './sending.ts'
import type { Draft, Peer } from './state.ts'
import { holding } from './state.ts'
import { withdraw } from './taking.ts'
import { higherTerm, sameTerm, termText } from './terms.ts'
import { mayVote, promiseTo, silent, voting } from './votes.ts'

/** Guard starts of one member that are remembered as over. */
const RETIRED = 4
/** A skew below the first one ends the alarm that one above the second one raised, ms. */
const SKEW_FINE = 1_000
const SKEW_ALARM = 2_000
/** Clocks are not compared over a slower round trip, ms. */
const SKEW_TRIP = 1_000

export function hear(d: Draft, beat: Beat, path: string, wall: number): void {
  const { s, now } = d
  s.wallOffset = wall - now
  const peer = s.peers.find(({ node }) => node === beat.node)
  if (peer === undefined || !isNewer(d, peer, beat)) return
  const former = peer.fresh ? peer.beat : undefined
  const regained = peer.signal !== 'LIVE'
  peer.beat = beat
  peer.priority = beat.priority
  peer.heardAt = now
  peer.silentFrom = now
  peer.fresh = true
  peer.missed = 0
  acknowledge(d, peer, beat, path)
  compareClocks(d, peer, beat, wall)
  s.highest = higherTerm(s.highest, beat.highest)
  if (beat.closing) signal(d, peer, 'CLOSE')
  else if (regained) signal(d, peer, 'LIVE')

  const { promise } = s
  if (promise?.term.node === peer.node && !beat.holds && !sameTerm(beat.asks, promise.term)) {
    // It holds nothing and does not ask for it any more, so it will not use this promise.
    s.promise = undefined
  }
  if (beat.holds !== undefined) hearHolder(d, peer, beat.holds)
  else if (beat.asks !== undefined) hearAsking(d, peer, beat.asks)
  if (s.phase === 'serving' && (regained || (former?.holds !== undefined && beat.holds === undefined))) {
    announceAgain(d)
  }
  if (former?.holds !== undefined && beat.holds === undefined) {
    // What failed while it held the address may well work now.
    s.retryAt = now
    d.out.push({ effect: 'failover', text: `${peer.node} gave up term ${termText(former.holds)}` })
  }
  if (beat.wants !== undefined && s.phase === 'serving') owe(d, peer.node)
}

function isNewer(d: Draft, peer: Peer, beat: Beat): boolean {
  const known = peer.beat?.session
  if (known === undefined) return true
  if (beat.session === known) return beat.sequence > (peer.beat?.sequence ?? 0)
  // A heartbeat of an earlier start may come late; only when the later start has fallen silent was the order mistaken.
  if (peer.retired.includes(beat.session) && !silent(d.s, peer, d.now)) return false
  peer.retired = [...peer.retired.filter((session) => session !== beat.session), known].slice(-RETIRED)
  peer.promise = undefined
  peer.acknowledged = undefined
  return true
}

function acknowledge({ s, now }: Draft, peer: Peer, { echo, follows }: Beat, path: string): void {
  const sent =
    echo?.session === s.session ? s.sent.find(({ sequence }) => sequence === echo.sequence) : undefined
  peer.promise = sent === undefined || follows === undefined ? undefined : { term: follows, at: sent.at }
  if (echo === undefined || sent === undefined) return
  peer.acknowledged = sent.at
  const trip = Math.max(0, now - sent.at - echo.held)
  peer.roundTrip = trip
  peer.paths = peer.paths.map((one) => (one.address === path ? { ...one, roundTripMs: trip } : one))
}

/** For people only: nothing is ordered by it. */
function compareClocks(d: Draft, peer: Peer, beat: Beat, wall: number): void {
  if (peer.roundTrip === undefined || peer.roundTrip > SKEW_TRIP) return
  peer.skew = Math.round(beat.wall + peer.roundTrip / 2 - wall)
  const size = Math.abs(peer.skew)
  if (size < SKEW_FINE) peer.skewAlarmed = false
  if (size <= SKEW_ALARM || peer.skewAlarmed) return
  peer.skewAlarmed = true
  const text = `the clock of ${peer.node} is ${(size / 1000).toFixed(1)} s ${peer.skew > 0 ? 'ahead' : 'behind'}`
  d.out.push({ effect: 'alarm', code: 'clock-skew', text })
}

function hearHolder(d: Draft, peer: Peer, term: NonNullable<Beat['holds']>): void {
  const { s, now } = d
  s.highest = higherTerm(s.highest, term)
  s.activeAt = now
  // Whoever was named to take over has done it, or somebody else has.
  s.yieldUntil = now
  if (s.held === undefined || compareTerms(term, s.held) > 0) s.held = term
  if (holding(s)) {
    // Of two holders the one with the lower term stands down first; the other one announces again when it hears of it.
    if (s.term !== undefined && compareTerms(term, s.term) > 0) {
      leave(d, `${peer.node} holds the higher term ${termText(term)}`)
    }
    return
  }
  if (s.phase !== 'waiting') withdraw(d, `${peer.node} is active`)
  const { promise } = s
  const free = promise === undefined || now >= promise.until || promise.term.node === peer.node
  if (free || compareTerms(term, promise.term) >= 0) promiseTo(d, term)
  if (voting(s) === 'majority') owe(d, peer.node)
}

function hearAsking(d: Draft, peer: Peer, term: NonNullable<Beat['asks']>): void {
  const { s, now } = d
  if (!mayVote(d, peer, term, (candidate) => comesBefore(s, candidate, now))) return
  if (s.phase === 'asking') withdraw(d, `${peer.node} comes first`)
  promiseTo(d, term)
  owe(d, peer.node)
}

export function signal(d: Draft, peer: Peer, to: Signal): void {
  if (peer.signal === to) return
  peer.signal = to
  d.out.push({ effect: 'signal', node: peer.node, signal: to })
}
