/**
 * Who may hold the address: how many votes there are, which of them stand, and what this member itself has promised.
 * Every member has one vote, the witness one more. Two members alone have no majority, so there a vote of a living peer
 * counts, or waiting out the lease of a silent one (pair.md rules 1, 8, 12, 20).
 */

import { silenceAfter } from '#config/heartbeat.ts'
import type { Term } from '#messages/operation.ts'
import { compareTerms } from '#messages/order.ts'
import type { Draft, Peer, RoleMachine } from './state.ts'
import { holding } from './state.ts'
import { higherTerm, sameTerm } from './terms.ts'

/** `alone`: no other member. `two`: two members without witness. */
export function voting({ peers, settings }: RoleMachine): 'alone' | 'two' | 'majority' {
  if (peers.length === 0) return 'alone'
  return peers.length === 1 && !settings.witness ? 'two' : 'majority'
}

export function silent({ settings }: RoleMachine, peer: Peer, now: number): boolean {
  return now - peer.silentFrom >= silenceAfter(settings.profile)
}

/** Heard lately, since the own carrier is there, and not leaving. */
export const live = (s: RoleMachine, peer: Peer, now: number): boolean =>
  peer.beat !== undefined && peer.fresh && !peer.beat.closing && !silent(s, peer, now)

/** The member that holds the address as far as is known. With a majority, closed connections are reason enough to ask. */
export function activePeer(s: RoleMachine, now: number): Peer | undefined {
  return s.peers
    .filter((peer) => peer.beat?.holds !== undefined && live(s, peer, now) && !givenUpOn(s, peer, now))
    .sort((one, other) =>
      one.beat?.holds && other.beat?.holds ? compareTerms(other.beat.holds, one.beat.holds) : 0,
    )[0]
}

/** A command was given, and it has not answered. ms */
export const WISH_TIME = 500

/** Not yet silent, but reason enough to ask: all its connections closed, or it did not answer to a command. */
const givenUpOn = (s: RoleMachine, peer: Peer, now: number): boolean =>
  (voting(s) === 'majority' && peer.cut) || unanswered(s, peer, now)

const unanswered = ({ command }: RoleMachine, peer: Peer, now: number): boolean =>
  command?.command === 'takeover' &&
  now - command.at >= WISH_TIME &&
  (peer.heardAt === undefined || peer.heardAt < command.at)

/** The last holder said that it gave up, or its guard began anew and holds nothing. */
export function gaveUp(s: RoleMachine): boolean {
  const holder = s.peers.find(({ node }) => node === s.held?.node)
  return holder?.beat !== undefined && holder.fresh && holder.beat.holds === undefined
}

/** Whom the last holder named when it gave up. */
export function successorNamed(s: RoleMachine): string | undefined {
  const holder = s.peers.find(({ node }) => node === s.held?.node)
  const released = holder?.fresh ? holder.beat?.released : undefined
  const last = released !== undefined && s.held !== undefined && compareTerms(released.term, s.held) >= 0
  return last ? released.successor : undefined
}

export const namedSuccessor = (s: RoleMachine): boolean => successorNamed(s) === s.settings.node

/**
 * Until when the own right holds at least: the moment to which a majority has promised, counted from the sending of
 * what they answered. `undefined` without a majority.
 */
export function majorityAt(s: RoleMachine, now: number): number | undefined {
  const promises = s.peers.flatMap(({ promise }) => {
    if (promise === undefined || promise.at < s.askedAt) return []
    const mine = holding(s) ? promise.term.node === s.settings.node : sameTerm(promise.term, s.term)
    return mine ? [promise.at] : []
  })
  const votes = [now, ...promises, ...(s.witnessAt === undefined ? [] : [s.witnessAt])].sort((a, b) => b - a)
  const all = s.peers.length + 1 + (s.settings.witness ? 1 : 0)
  return votes[Math.floor(all / 2)]
}

/** Whether the term that is asked for may be taken now. */
export function granted({ s, now }: Draft): boolean {
  switch (voting(s)) {
    case 'alone':
      return true
    case 'two':
      return s.peers.every((peer) => grantedByPeer(s, peer, now))
    case 'majority': {
      const at = majorityAt(s, now)
      return at !== undefined && now - at <= s.settings.ackWithin
    }
  }
}

/** It voted, or it held the address last and said that it gave it up, or its lease has run out in silence. */
function grantedByPeer(s: RoleMachine, peer: Peer, now: number): boolean {
  const { promise, beat } = peer
  if (promise !== undefined && promise.at >= s.askedAt && sameTerm(promise.term, s.term)) return true
  if (beat !== undefined && peer.fresh && beat.holds === undefined && beat.asks === undefined) {
    const released = beat.released?.term
    if (released !== undefined && s.held !== undefined && compareTerms(released, s.held) >= 0) return true
  }
  return (
    (silent(s, peer, now) || unanswered(s, peer, now)) &&
    now - lastSign(s, peer) >= s.settings.profile.grantWait
  )
}

/** From when the waiting out counts: nothing from before the own carrier, the own start or its last heartbeat. */
const lastSign = (s: RoleMachine, peer: Peer) =>
  Math.max(peer.heardAt ?? s.startedAt, s.carrierSince, s.startedAt)

/** After a start it does not know what it promised before, so it waits out the longest promise. */
export const votesFrom = (s: RoleMachine): number =>
  voting(s) === 'majority' ? s.startedAt + s.settings.profile.grantWait : s.startedAt

/** Bound to a promise to somebody else. */
export const bound = (s: RoleMachine, now: number): boolean =>
  s.promise !== undefined && s.promise.term.node !== s.settings.node && now < s.promise.until

/**
 * Whether a member that asks may have the own vote: nobody holds the address as far as is known, and what was promised
 * is over. Of two that ask, the one that comes first has it (rank 0 is best).
 */
export function mayVote(d: Draft, candidate: Peer, term: Term, before: (peer: Peer) => boolean): boolean {
  const { s, now } = d
  if (s.phase !== 'waiting' && !(s.phase === 'asking' && before(candidate))) return false
  if (now < votesFrom(s)) return false
  if (sameTerm(s.promise?.term, term)) return true
  if (compareTerms(term, s.highest) <= 0 || bound(s, now)) return false
  const active = activePeer(s, now)
  return active === undefined || active.node === candidate.node
}

export function promiseTo(d: Draft, term: Term): void {
  d.s.promise = { term, until: d.now + d.s.settings.profile.grantWait }
  d.s.highest = higherTerm(d.s.highest, term)
}

/** What heartbeats say: a promise is given only once the term is on disk, or a restart would forget it. */
export function followed({ promise, stored, storeAgainAt }: RoleMachine, now: number): Term | undefined {
  if (promise === undefined || now >= promise.until) return undefined
  return compareTerms(stored, promise.term) >= 0 || storeAgainAt !== undefined ? promise.term : undefined
}
