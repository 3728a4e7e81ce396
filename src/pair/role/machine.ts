/**
 * The role machine: decides when this member holds the address and the right to transmit. Pure: `step` copies the state,
 * takes the time as an argument and asks for everything else by effects. It rests on pair.md rules 1 to 25.
 *
 *   phase      role seen                  leaves for …  when …
 *   waiting    standby, isolated, error   asking        its turn: the holder gave up or is silent, promises are over
 *                                         storing       no other member: nobody needs to be asked
 *   asking     standby                    storing       a majority promised (two members: a vote, or the lease waited out)
 *                                         waiting       somebody holds, somebody comes first, or nobody answered in time
 *   storing    standby                    probing       the term is on disk and nobody was ever seen to hold the address
 *                                         adding        the term is on disk and the grant still stands
 *   probing    standby                    adding        nobody answered; a stranger did: waiting, with an alarm
 *   adding     standby                    serving       the address is on the interface
 *   serving    active, single             releasing     carrier, gateway, self-check, higher term, cut off, hand-over
 *                                         removing      the lease is over (nothing is renewed or waited for then)
 *   releasing  standby                    removing      the gateway answered, or 20 ms are over
 *   removing   standby                    waiting       the address is gone: say `released`; stopped when it stops
 *
 * After any input every check runs again (`settle`), so the order of inputs does not matter to what is decided.
 */

import { compareTerms } from '#messages/order.ts'
import type { Role, RoleState } from '../contract.ts'
import { beginning } from './beginning.ts'
import { followCommand } from './commands.ts'
import { cutOff, healthy } from './condition.ts'
import type { RoleEffect, RoleInput, RoleSettings, RoleStart } from './contract.ts'
import { receive } from './inputs.ts'
import { leave, released, removeAddress } from './leaving.ts'
import { oweAll, sendBeats } from './sending.ts'
import { renewByHeartbeat, serveOn } from './serving.ts'
import type { Draft, Phase, RoleMachine } from './state.ts'
import { draftOf, holding } from './state.ts'
import { take, withdraw } from './taking.ts'
import { sameTerm } from './terms.ts'
import { activePeer, voting } from './votes.ts'
import { wait } from './waiting.ts'
import { nextWake } from './waking.ts'
import { notice, watchMembers, watchRouter } from './watching.ts'

export interface Stepped {
  state: RoleMachine
  effects: RoleEffect[]
}

/** It wants a `tick` at once: its `wakeAt` is now. */
export const startMachine = (settings: RoleSettings, start: RoleStart, now: number): RoleMachine =>
  beginning(settings, start, now)

/** @param now ms of the monotonic clock, never less than before */
export function step(state: RoleMachine, input: RoleInput, now: number): Stepped {
  const d = draftOf(state, now)
  if (d.s.phase === 'stopped') return { state: d.s, effects: [] }
  notice(d)
  // Before anything else, on resume above all: a lease that has passed is never renewed.
  leaveIfOver(d)
  receive(d, input)
  return finish(d)
}

function leaveIfOver(d: Draft): void {
  const { phase, leaseUntil } = d.s
  if ((phase === 'serving' || phase === 'adding') && d.now >= leaseUntil) {
    leave(
      d,
      voting(d.s) === 'majority'
        ? 'no majority answers: the lease is over'
        : 'this box was late: the lease is over',
    )
  }
}

function finish(d: Draft): Stepped {
  settle(d)
  const role = roleNow(d.s, d.now)
  tellRole(d, role)
  const everybody = d.now >= d.s.nextBeatAt
  sendBeats(d, role)
  if (everybody) renewByHeartbeat(d)
  if (d.s.phase === 'stopped') d.out.push({ effect: 'exit' })
  d.s.wakeAt = nextWake(d.s, d.now)
  return { state: d.s, effects: d.out }
}

const every: Record<Phase, (d: Draft) => void> = {
  waiting: wait,
  asking: take,
  storing: take,
  probing: take,
  adding: take,
  serving: serveOn,
  releasing: (d) => {
    if (d.s.phaseUntil !== undefined && d.now >= d.s.phaseUntil) removeAddress(d)
  },
  removing: (d) => {
    if (d.s.phaseUntil !== undefined && d.now >= d.s.phaseUntil) released(d)
  },
  stopped: () => {},
}

function settle(d: Draft): void {
  const { s } = d
  watchMembers(d)
  watchRouter(d)
  // One phase may lead to the next at once; none is met twice on the way from waiting to serving and back.
  for (let passes = 0; passes < 4; passes += 1) {
    const before = s.phase
    every[s.phase](d)
    if (s.phase === before) break
  }
  followCommand(d)
  storeHighest(d)
  stopWhenReleased(d)
}

/** The highest term seen goes to disk at once: whoever restarts must know it, and promises wait for it. */
function storeHighest({ s, now, out }: Draft): void {
  if (compareTerms(s.highest, s.stored) <= 0) return
  if (s.storing !== undefined && compareTerms(s.storing, s.highest) >= 0) return
  if (s.storeAgainAt !== undefined && now < s.storeAgainAt) return
  s.storing = s.highest
  out.push({ effect: 'storeTerm', term: s.highest })
}

function stopWhenReleased(d: Draft): void {
  const { s } = d
  if (s.stopping === 'no' || holding(s)) return
  if (s.phase !== 'waiting') withdraw(d, 'this box stops')
  s.phase = 'stopped'
  oweAll(d)
}

function roleNow(s: RoleMachine, now: number): Role {
  if (s.phase === 'serving') return voting(s) === 'alone' ? 'single' : 'active'
  if (holding(s)) return 'standby'
  if (voting(s) !== 'alone' && (!s.carrier || cutOff(s, now))) return 'isolated'
  return s.health !== undefined && !healthy(s, now) ? 'error' : 'standby'
}

function tellRole({ s, now, out }: Draft, role: Role): void {
  const active = s.phase === 'serving' ? s.settings.node : activePeer(s, now)?.node
  const term = s.term ?? s.held ?? s.highest
  const { told, reason } = s
  if (told?.role === role && told.reason === reason && told.active === active && sameTerm(told.term, term))
    return
  const since = told?.role === role ? told.since : now
  s.told = { role, term, since, reason, ...(active === undefined ? {} : { active }) }
  out.push({ effect: 'role', state: s.told satisfies RoleState })
}
