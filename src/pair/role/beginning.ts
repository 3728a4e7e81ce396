/** The machine at the start of a guard, and what changes when members come and go. */
import type { RoleInput, RoleSettings, RoleStart } from './contract.ts'
import { leave } from './leaving.ts'
import type { Draft, RoleMachine } from './state.ts'
import { holding, newPeer } from './state.ts'
import { withdraw } from './taking.ts'
import { voting } from './votes.ts'

/** A running active renews as before until the new majority has answered once, or this is over. ms */
const GRACE = 10_000

export function beginning(settings: RoleSettings, start: RoleStart, now: number): RoleMachine {
  return {
    settings,
    session: start.session,
    wakeAt: now,
    phase: 'waiting',
    phaseUntil: undefined,
    startedAt: now,
    peers: start.members
      .filter(({ node }) => node !== settings.node)
      .map(({ node, priority }) => newPeer(node, priority, now)),
    removed: start.removed === true,
    term: undefined,
    highest: start.stored,
    stored: start.stored,
    storing: undefined,
    storeAgainAt: undefined,
    promise: undefined,
    held: undefined,
    activeAt: now,
    released: undefined,
    successor: undefined,
    yieldUntil: now,
    retryAt: now,
    readySince: undefined,
    askedAt: now,
    nextAskAt: now,
    witnessAt: undefined,
    witnessAskAt: now,
    witnessRequest: 0,
    witnessPending: undefined,
    leaseUntil: now,
    renewedAt: now,
    graceUntil: now,
    probed: false,
    address: 'none',
    probeAt: now,
    announceAt: [],
    carrier: true,
    // Until told otherwise it has been there for ever: a start has silence of its own to wait out.
    carrierSince: Number.NEGATIVE_INFINITY,
    health: undefined,
    healthAt: now,
    gateway: true,
    router: { known: false, lostAt: undefined, askAt: now, askedAt: now },
    reason: 'starting',
    stopping: 'no',
    command: undefined,
    declines: undefined,
    wants: undefined,
    wouldTake: false,
    addressAlarmed: false,
    preemptSince: undefined,
    sent: [],
    sequence: 0,
    nextBeatAt: now,
    owed: [],
    wallOffset: start.wallOffset,
    told: undefined,
    toldLease: now,
  }
}

export const REMOVED = 'this appliance was removed from its pair'

export function changeMembers(d: Draft, input: Extract<RoleInput, { input: 'members' }>): void {
  const { s, now } = d
  const { members, joined } = input
  const others = members.filter(({ node }) => node !== s.settings.node)
  const before = voting(s)
  s.peers = others.map(({ node, priority }) => {
    const known = s.peers.find((peer) => peer.node === node)
    return known === undefined ? newPeer(node, priority, now) : { ...known, priority }
  })
  s.owed = s.owed.filter((node) => others.some((member) => member.node === node))
  if (s.promise !== undefined && !others.some(({ node }) => node === s.promise?.term.node))
    s.promise = undefined
  if (before !== 'majority') s.graceUntil = now + Math.min(GRACE, s.settings.aloneAfter)
  s.nextBeatAt = now
  if (before === 'alone' && others.length > 0 && s.phase === 'serving') {
    s.reason = `it was alone until ${others.map(({ node }) => node).join(' and ')} joined it`
  }
  // What it asked of nobody is no claim on others: its term may be one that they have passed.
  if (before === 'alone' && others.length > 0 && s.phase !== 'waiting' && !holding(s))
    withdraw(d, 'another member joined')
  s.removed = input.removed === true
  if (s.removed) {
    leave(d, REMOVED)
    if (s.phase !== 'waiting' && !holding(s)) withdraw(d, REMOVED)
  }
  if (!joined) return
  // It stands by whatever it held alone: what it knows of terms and holders is not the others'.
  s.startedAt = now
  s.held = undefined
  leave(d, 'joined the other members')
}
