/** When the machine wants to be called again: the next moment at which one of its checks may come out otherwise. */
import { silenceAfter } from '#config/heartbeat.ts'
import { membersBefore } from './condition.ts'
import type { Peer, RoleMachine } from './state.ts'
import { holding } from './state.ts'
import { votesFrom, voting, WISH_TIME } from './votes.ts'
import { STAGGER, steadyTime } from './waiting.ts'

export function nextWake(s: RoleMachine, now: number): number {
  const moments = [
    s.nextBeatAt,
    ...ofEveryPhase(s),
    ...(s.phase === 'waiting' ? ofWaiting(s, now) : ofHolding(s)),
  ]
  let next = s.nextBeatAt
  for (const at of moments) if (at !== undefined && at > now && (at < next || next <= now)) next = at
  return next
}

const ofEveryPhase = (s: RoleMachine) => [
  s.phaseUntil,
  s.storeAgainAt,
  s.healthAt + s.settings.selfCheck,
  s.command?.until,
  s.settings.router && voting(s) === 'two' ? s.router.askAt : undefined,
  ...s.peers.flatMap((peer) => ofPeer(s, peer)),
]

function ofPeer(s: RoleMachine, peer: Peer) {
  const { interval, grantWait } = s.settings.profile
  return [
    peer.silentFrom + silenceAfter(s.settings.profile),
    peer.silentFrom + (peer.missed + 1.5) * interval,
    (peer.heardAt ?? s.startedAt) + grantWait,
  ]
}

const ofWaiting = (s: RoleMachine, now: number) => [
  s.retryAt,
  s.yieldUntil,
  s.promise?.until,
  votesFrom(s),
  s.carrierSince + silenceAfter(s.settings.profile),
  s.carrierSince + s.settings.profile.grantWait,
  Math.max(s.activeAt, s.startedAt, s.carrierSince) + s.settings.aloneAfter,
  s.readySince === undefined ? undefined : s.readySince + membersBefore(s, now) * STAGGER,
  s.preemptSince === undefined ? undefined : s.preemptSince + steadyTime(s),
  s.command === undefined ? undefined : s.command.at + WISH_TIME,
]

const ofHolding = (s: RoleMachine) => [
  holding(s) ? s.leaseUntil : s.nextAskAt,
  s.settings.witness && voting(s) === 'majority' ? s.witnessAskAt : undefined,
  ...(s.address === 'held' ? s.announceAt : [s.probeAt]),
]
