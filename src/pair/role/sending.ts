/** Own heartbeats: what they say and when they go out. At most one to each member a step. */
import type { Role } from '../contract.ts'
import { closed, healthy } from './condition.ts'
import type { Beat } from './contract.ts'
import type { Draft, Peer, RoleMachine } from './state.ts'
import { holding, REMEMBERED } from './state.ts'
import { followed } from './votes.ts'

/** The holder renews with its heartbeats, so it sends one whenever it renews. ms */
export function beatEvery(s: RoleMachine): number {
  const { interval, renew } = s.settings.profile
  return holding(s) ? Math.min(interval, renew) : interval
}

/** This member gets a heartbeat at the end of the step. */
export function owe(d: Draft, node: string): void {
  if (!d.s.owed.includes(node)) d.s.owed = [...d.s.owed, node]
}

export function oweAll(d: Draft): void {
  d.s.owed = d.s.peers.map(({ node }) => node)
}

export function sendBeats(d: Draft, role: Role): void {
  const { s, now } = d
  if (now >= s.nextBeatAt) {
    oweAll(d)
    // Late ones are not made up for.
    s.nextBeatAt = Math.max(s.nextBeatAt + beatEvery(s), now + beatEvery(s) / 2)
  }
  if (s.owed.length === 0) return
  s.sequence += 1
  s.sent = [...s.sent.slice(1 - REMEMBERED), { sequence: s.sequence, at: now }]
  for (const peer of s.peers) {
    if (s.owed.includes(peer.node))
      d.out.push({ effect: 'send', to: peer.node, beat: beatTo(s, peer, role, now) })
  }
  s.owed = []
}

function beatTo(s: RoleMachine, peer: Peer, role: Role, now: number): Beat {
  const { health } = s
  const follows = followed(s, now)
  return {
    node: s.settings.node,
    session: s.session,
    sequence: s.sequence,
    role,
    highest: s.highest,
    ...(holding(s) && s.term !== undefined ? { holds: s.term } : {}),
    ...((s.phase === 'asking' || s.phase === 'storing' || s.phase === 'probing') && s.term !== undefined
      ? { asks: s.term }
      : {}),
    ...(follows === undefined ? {} : { follows }),
    ...(s.released === undefined ? {} : { released: s.released }),
    ...(s.wants === undefined ? {} : { wants: s.wants }),
    ...(s.declines === undefined ? {} : { declines: s.declines }),
    ...(closed(s) ? { closed: true } : {}),
    ...(s.stopping === 'closing' && !holding(s) ? { closing: true } : {}),
    ...(peer.beat === undefined || peer.heardAt === undefined
      ? {}
      : { echo: { session: peer.beat.session, sequence: peer.beat.sequence, held: now - peer.heardAt } }),
    priority: s.settings.priority,
    healthy: healthy(s, now),
    synchronised: health?.synchronised === true,
    ...(health === undefined ? {} : { position: health.position }),
    linesHealthy: health?.linesHealthy ?? 0,
    queued: health?.queued ?? 0,
    ...(health?.revision === undefined ? {} : { revision: health.revision }),
    wall: Math.round(now + s.wallOffset),
  }
}
