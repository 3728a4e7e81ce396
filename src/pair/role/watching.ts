/**
 * Time as it passes: own lateness, missed heartbeats, members that fall silent, the router. Time in which the own loop
 * was late is never counted as the silence of others (pair.md rules 12 and 17).
 */
import { silenceAfter } from '#config/heartbeat.ts'
import { signal } from './hearing.ts'
import type { Draft } from './state.ts'
import { live, silent, voting } from './votes.ts'

/** Timers fire this much late on a loaded machine without anybody being held up, ms. */
const LATE = 10
/** How often the router is asked: as long as members are heard, and when none is. ms */
const ROUTER_CALM = 10_000
const ROUTER_ALARMED = 500

/** First thing in every step. Heartbeats that came meanwhile are read in the next interval, so that much is granted. */
export function notice(d: Draft): void {
  const { s, now } = d
  const late = now - s.wakeAt
  if (late < LATE) return
  const span = silenceAfter(s.settings.profile)
  for (const peer of s.peers) {
    const least = now - span + s.settings.profile.interval
    peer.silentFrom = Math.min(now, Math.max(peer.silentFrom + late, least))
  }
}

export function watchMembers(d: Draft): void {
  const { s, now } = d
  const { interval, misses } = s.settings.profile
  for (const peer of s.peers) {
    if (peer.signal !== 'LIVE') continue
    const dead = silent(s, peer, now)
    // One that is half an interval late is missed; the last one counts when silence does.
    const gone = Math.floor((now - peer.silentFrom) / interval - 0.5)
    const missed = dead ? misses : Math.min(misses - 1, Math.max(0, gone))
    while (peer.missed < missed) {
      peer.missed += 1
      d.out.push({ effect: 'failover', text: `${peer.node}: error detected, count = ${peer.missed}` })
    }
    if (dead) {
      signal(d, peer, 'DEAD')
      peer.promise = undefined
    }
  }
}

/** Only two members without a witness go by the router; it is a hint that this box is cut off, never a vote. */
export function watchRouter(d: Draft): void {
  const { s, now } = d
  if (!s.settings.router || voting(s) !== 'two') return
  const heard = s.peers.some((peer) => live(s, peer, now))
  const every = heard ? ROUTER_CALM : ROUTER_ALARMED
  // What it answered while members were heard says nothing about now.
  const due = Math.min(s.router.askAt, heard ? s.router.askAt : s.router.askedAt + every)
  if (now < due) return
  s.router = { ...s.router, askAt: now + every, askedAt: now }
  d.out.push({ effect: 'askRouter' })
}

/** The carrier of the address's interface came or went: what was heard before is void either way. */
export function carrierChanged(d: Draft, up: boolean): void {
  const { s, now } = d
  if (s.carrier === up) return
  s.carrier = up
  s.carrierSince = now
  for (const peer of s.peers) {
    peer.fresh = false
    peer.silentFrom = now
    peer.promise = undefined
    peer.missed = 0
  }
}
