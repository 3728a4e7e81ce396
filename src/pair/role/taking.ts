/**
 * Taking the address: grant, then the term on disk, then the address, and only then is it announced and the gateway
 * told (pair.md rule 13). Whatever the machine learns on the way can still stop it; nothing is held before `adding`.
 */

import type { Term } from '#messages/operation.ts'
import { compareTerms } from '#messages/order.ts'
import { TRY_AGAIN } from './address.ts'
import { removeAddress } from './leaving.ts'
import { oweAll } from './sending.ts'
import { serve } from './serving.ts'
import type { Draft, RoleMachine } from './state.ts'
import { higherTerm } from './terms.ts'
import { granted, majorityAt, voting } from './votes.ts'
import { askWitness } from './witness.ts'

/** How long one attempt asks for votes, how often it asks, and how long it then leaves the others the word. ms */
const ASK_TIME = 600
const ASK_AGAIN = 100
const PAUSE = 200
/** A disk may stall; longer than this and the attempt is given up, ms. */
const DISK_TIME = 10_000
/** For the network to answer a probe and the kernel to add an address, ms. */
const PROBE_TIME = 5_000
const ADD_TIME = 1_000

export function ask(d: Draft, reason: string): void {
  const { s, now } = d
  s.phase = 'asking'
  s.phaseUntil = now + ASK_TIME
  s.reason = reason
  s.probed = false
  s.term = { counter: s.highest.counter + 1, node: s.settings.node }
  s.askedAt = now
  s.nextAskAt = now
  s.witnessAskAt = now
  s.witnessAt = undefined
  s.readySince = undefined
  take(d)
}

/** Gives an attempt up: nothing was held. */
export function withdraw(d: Draft, reason: string, pause = PAUSE): void {
  const { s, now } = d
  if (s.settings.witness && s.term !== undefined) d.out.push({ effect: 'releaseWitness', term: s.term })
  s.phase = 'waiting'
  s.phaseUntil = undefined
  s.reason = reason
  s.term = undefined
  s.witnessAt = undefined
  s.witnessPending = undefined
  s.readySince = undefined
  s.retryAt = now + pause
  // Those who promised are free as soon as they hear that this one asks no more.
  oweAll(d)
}

/** Never the same for two members at once: of two that split the votes in step, neither would ever have a majority. */
function pauseOf({ settings, peers }: RoleMachine, { counter }: Term): number {
  const place = peers.filter(({ node }) => node < settings.node).length
  return PAUSE + ((place + counter) % (peers.length + 1)) * PAUSE
}

/** One step of an attempt, as far as it can go now. */
export function take(d: Draft): void {
  const { s, now } = d
  const { term } = s
  if (term === undefined) return
  if (s.phase === 'asking' && granted(d)) {
    s.phase = 'storing'
    s.phaseUntil = now + DISK_TIME
    s.highest = higherTerm(s.highest, term)
  }
  if (s.phase === 'storing' && compareTerms(s.stored, term) >= 0) afterStored(d)
  if (s.phase === 'asking' || s.phase === 'storing' || s.phase === 'probing') {
    if (s.phaseUntil !== undefined && now >= s.phaseUntil) {
      withdraw(d, 'no majority answered in time', pauseOf(s, term))
    } else {
      askAgain(d)
    }
  } else if (s.phase === 'adding' && s.phaseUntil !== undefined && now >= s.phaseUntil) {
    addressFailed(d, 'it was not there in time')
  }
}

function afterStored(d: Draft): void {
  const { s, now } = d
  if (voting(s) === 'alone') {
    s.leaseUntil = now + s.settings.profile.lease
    s.renewedAt = now
    serve(d)
  } else if (s.settings.address && s.held === undefined && !s.probed) {
    s.phase = 'probing'
    s.phaseUntil = now + PROBE_TIME
    d.out.push({ effect: 'probe' })
  } else {
    add(d)
  }
}

/** The grant must still stand at this very moment: the disk may have taken its time. */
export function add(d: Draft): void {
  const { s, now } = d
  if (!granted(d)) return
  const at = voting(s) === 'majority' ? (majorityAt(s, now) ?? now) : now
  s.leaseUntil = at + s.settings.profile.lease
  s.renewedAt = now
  // From here on heartbeats say that it may hold the address.
  oweAll(d)
  if (!s.settings.address) {
    serve(d)
    return
  }
  s.phase = 'adding'
  s.phaseUntil = now + ADD_TIME
  s.address = 'adding'
  d.out.push({ effect: 'addAddress' })
}

export function addressFailed(d: Draft, text: string): void {
  const { s, now } = d
  if (!s.addressAlarmed) {
    d.out.push({ effect: 'alarm', code: 'address-failed', text: `the address could not be added: ${text}` })
    s.addressAlarmed = true
  }
  s.retryAt = now + TRY_AGAIN
  s.reason = 'the address could not be added'
  removeAddress(d)
}

function askAgain(d: Draft): void {
  const { s, now } = d
  if (now >= s.nextAskAt) {
    s.nextAskAt = now + ASK_AGAIN
    oweAll(d)
  }
  if (now >= s.witnessAskAt) askWitness(d, ASK_AGAIN)
}
