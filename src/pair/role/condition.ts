/** How this member is, for itself and as its heartbeats tell it; and which member comes first. Pure. */
import { silenceAfter } from '#config/heartbeat.ts'
import type { Peer, RoleMachine } from './state.ts'
import { live, namedSuccessor, successorNamed, voting } from './votes.ts'

/** The gateway is there and its self-check speaks. */
export const gatewayAlive = (s: RoleMachine, now: number): boolean =>
  s.gateway && s.health !== undefined && now - s.healthAt < s.settings.selfCheck

export const healthy = (s: RoleMachine, now: number): boolean =>
  gatewayAlive(s, now) && s.health?.problem === undefined

/**
 * It does not take over by itself. Switched by hand, only the one that held the address last takes it up again by
 * itself: that moves nothing.
 */
export const closed = ({ settings, highest }: RoleMachine): boolean =>
  settings.mode === 'cold' || (settings.switchover === 'manual' && highest.node !== settings.node)

/** The carrier has been there for as long as it takes to call a member silent: what was not heard before is void. */
export const carrierGood = (s: RoleMachine, now: number): boolean =>
  s.carrier && now - s.carrierSince >= silenceAfter(s.settings.profile)

/**
 * Two members without a witness: nobody is heard, and since then the router, which used to answer, was asked in vain.
 */
export function cutOff(s: RoleMachine, now: number): boolean {
  const { known, lostAt } = s.router
  if (voting(s) !== 'two' || !known || lostAt === undefined) return false
  return s.peers.every((peer) => !live(s, peer, now) && lostAt > peer.silentFrom)
}

interface Rank {
  node: string
  named: boolean
  ready: boolean
  master: boolean
  priority: number
}

const peerRank = ({ node, priority, beat }: Peer, master: string | undefined, named?: string): Rank => ({
  node,
  named: node === named,
  ready: beat?.healthy === true && beat.synchronised && !beat.closed,
  master: node === master,
  priority: beat?.priority ?? priority,
})

const ownRank = (s: RoleMachine, now: number): Rank => ({
  node: s.settings.node,
  named: namedSuccessor(s),
  ready: healthy(s, now) && s.health?.synchronised === true && !closed(s),
  master: s.settings.node === s.settings.master,
  priority: s.settings.priority,
})

/** Negative when `one` comes first. */
function compareRanks(one: Rank, other: Rank): number {
  return (
    Number(other.named) - Number(one.named) ||
    Number(other.ready) - Number(one.ready) ||
    Number(other.master) - Number(one.master) ||
    other.priority - one.priority ||
    (one.node < other.node ? -1 : 1)
  )
}

/** Whether that member is to become active rather than this one. */
export const comesBefore = (s: RoleMachine, peer: Peer, now: number): boolean =>
  compareRanks(peerRank(peer, s.settings.master, successorNamed(s)), ownRank(s, now)) < 0

/** How many of the members that are heard come before this one. */
export const membersBefore = (s: RoleMachine, now: number): number =>
  s.peers.filter((peer) => live(s, peer, now) && comesBefore(s, peer, now)).length

/** Preferred by master or priority alone, whatever their states: who takes back with `preempt`. */
export function preferred(s: RoleMachine, peer: Peer): boolean {
  const { master, node, priority } = s.settings
  if (master !== undefined) return master === node
  return priority > (peer.beat?.priority ?? peer.priority)
}

/** The standby to hand over to: heard, healthy, synchronised. One that is closed only when a person wants it. */
export function bestStandby(s: RoleMachine, now: number, byPerson: boolean): Peer | undefined {
  const { master } = s.settings
  return s.peers
    .filter(
      (peer) =>
        live(s, peer, now) &&
        peer.beat?.healthy === true &&
        peer.beat.synchronised &&
        peer.beat.holds === undefined &&
        (byPerson || !peer.beat.closed),
    )
    .sort((one, other) => compareRanks(peerRank(one, master), peerRank(other, master)))[0]
}
