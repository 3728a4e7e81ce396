/**
 * A member that holds nothing: whether its turn has come (pair.md rules 12 and 24), and what it does meanwhile. Every
 * reason against has a sentence, which people see as the reason of the role.
 */
import { REMOVED } from './beginning.ts'
import { carrierGood, closed, cutOff, gatewayAlive, healthy, membersBefore, preferred } from './condition.ts'
import type { Draft, RoleMachine } from './state.ts'
import { begun } from './switched.ts'
import { ask } from './taking.ts'
import { activePeer, bound, gaveUp, live, namedSuccessor, silent, votesFrom, voting } from './votes.ts'

/** Between members that could all take over, the next one waits so long for the one before it, ms. */
export const STAGGER = 200
/** How long a preferred member is healthy and synchronised before it takes back, in grant waits and at least, ms. */
const STEADY_GRANTS = 3
const STEADY_LEAST = 5_000

export function wait(d: Draft): void {
  const { s, now } = d
  s.declines = undefined
  wish(d)
  leaseOfStandby(d)
  const why = blocked(s, now)
  if (why !== undefined) {
    s.readySince = undefined
    s.reason = why
    return
  }
  if (!mayByItself(s)) {
    s.readySince = undefined
    s.reason = 'nobody is active, and this member takes over on command only'
    if (!s.wouldTake) {
      s.wouldTake = true
      const text = 'nobody is active; this member would take over now but waits for the command'
      d.out.push({ effect: 'alarm', code: 'would-take-over', text }, { effect: 'failover', text })
    }
    return
  }
  s.readySince ??= now
  if (now >= s.readySince + membersBefore(s, now) * STAGGER) ask(d, whyNow(s))
}

const commanded = (s: RoleMachine) => s.command?.command === 'takeover'

const mayByItself = (s: RoleMachine) =>
  voting(s) === 'alone' || commanded(s) || namedSuccessor(s) || !closed(s)

function whyNow(s: RoleMachine): string {
  if (voting(s) === 'alone') return begun.alone
  if (commanded(s)) return 'told to take over'
  if (s.held === undefined) return begun.nobody
  if (gaveUp(s)) return `${s.held.node} gave up`
  return s.held.node === s.settings.node ? begun.again : 'maximum heart beat fails'
}

/** Why it may not take over now. */
function blocked(s: RoleMachine, now: number): string | undefined {
  if (s.stopping !== 'no') return 'it stops'
  if (!gatewayAlive(s, now))
    return s.health === undefined ? 'waiting for the gateway' : 'the gateway does not answer'
  if (s.removed) return REMOVED
  if (now < s.retryAt) return s.reason
  if (voting(s) === 'alone') return undefined
  if (!s.carrier) return 'no carrier'
  if (!carrierGood(s, now) && !gaveUp(s)) return 'listening since the carrier came back'
  if (now < votesFrom(s)) return 'just started: what was promised before runs out first'
  const active = activePeer(s, now)
  if (active !== undefined) return `${active.node} is active`
  if (bound(s, now)) return `the lease of ${s.promise?.term.node ?? 'the active'} runs out first`
  if (now < s.yieldUntil) return 'another member was named to take over'
  if (commanded(s)) return undefined
  if (cutOff(s, now)) return 'no member and no router answers: this box is cut off'
  return notYet(s, now)
}

/** What a command, or the time of `aloneAfter`, overrules. */
function notYet(s: RoleMachine, now: number): string | undefined {
  const unserved = now - Math.max(s.activeAt, s.startedAt, s.carrierSince) >= s.settings.aloneAfter
  if (s.held === undefined) {
    const all = s.peers.every((peer) => live(s, peer, now))
    if (!all && !unserved) return 'waiting for the other members'
  } else if (!gaveUp(s) && s.held.node !== s.settings.node) {
    const holder = s.peers.find(({ node }) => node === s.held?.node)
    if (holder !== undefined && !silent(s, holder, now) && !holder.cut) return `listening for ${holder.node}`
  }
  if (unserved) return undefined
  if (!healthy(s, now)) return s.health?.problem?.text ?? 'the self-check fails'
  if (s.health?.synchronised !== true) return 'synchronising'
  return undefined
}

/** Asks the active for the address: on command, or as the preferred one after some steady time. */
function wish(d: Draft): void {
  const { s, now } = d
  const active = activePeer(s, now)
  const before = s.wants
  s.wants = undefined
  if (active === undefined) return
  const steady =
    s.settings.preempt &&
    !closed(s) &&
    preferred(s, active) &&
    healthy(s, now) &&
    s.health?.synchronised === true
  s.preemptSince = steady ? (s.preemptSince ?? now) : undefined
  if (commanded(s)) s.wants = 'command'
  else if (s.preemptSince !== undefined && now >= s.preemptSince + steadyTime(s)) s.wants = 'preempt'
  if (s.wants !== undefined && before === undefined) s.nextBeatAt = now
}

export const steadyTime = (s: RoleMachine): number =>
  Math.max(STEADY_LEAST, STEADY_GRANTS * s.settings.profile.grantWait)

/**
 * In mode active-active a standby transmits what it owns. Its right counts from the sending of the own heartbeat that
 * the active acknowledged, so the active knows when it is over.
 */
function leaseOfStandby({ s, now, out }: Draft): void {
  if (s.settings.mode !== 'active-active' || !s.carrier || !gatewayAlive(s, now)) return
  const at = activePeer(s, now)?.acknowledged
  if (at === undefined) return
  const until = at + s.settings.profile.lease
  if (until <= now || until < s.toldLease + s.settings.profile.renew / 2) return
  s.toldLease = until
  out.push({ effect: 'lease', until, term: s.held ?? s.highest })
}
