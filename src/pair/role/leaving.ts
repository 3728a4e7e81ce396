/**
 * Giving the address up, in the order of pair.md rule 14: the gateway stops and resets its sockets, the address goes,
 * and only then is it said, so that nobody takes it while it is still here.
 */
import { oweAll } from './sending.ts'
import type { Draft } from './state.ts'
import { termText } from './terms.ts'

/** How long the gateway may take to stop transmitting and to reset its sockets, ms. */
const GATEWAY_TIME = 20

/** From `adding` or `serving`; anything else is on its way out already. Does nothing then. */
export function leave(d: Draft, reason: string, successor?: string): void {
  const { s, now } = d
  if (s.phase !== 'serving' && s.phase !== 'adding') return
  const wasServing = s.phase === 'serving'
  s.reason = reason
  s.successor = successor
  s.announceAt = []
  const term = s.term === undefined ? '' : ` of term ${termText(s.term)}`
  d.out.push({ effect: 'failover', text: `SWITCH THIS SERVER TO STANDBY${term}, ${reason}` })
  if (wasServing && s.gateway) d.out.push({ effect: 'releasing', reason })
  // When the right is over there is no time to give: the gateway knows the end of its right as well.
  if (wasServing && s.gateway && now < s.leaseUntil) {
    s.phase = 'releasing'
    s.phaseUntil = now + GATEWAY_TIME
  } else {
    removeAddress(d)
  }
}

export function removeAddress(d: Draft): void {
  const { s } = d
  if (s.address === 'none' || s.address === 'probing') {
    s.address = 'none'
    released(d)
    return
  }
  s.phase = 'removing'
  s.address = 'removing'
  // By then the kernel has removed it, whatever became of the command.
  s.phaseUntil = Math.max(d.now + GATEWAY_TIME, s.renewedAt + s.settings.profile.grantWait)
  d.out.push({ effect: 'removeAddress' })
}

/** The address is gone: say so. */
export function released(d: Draft): void {
  const { s, now } = d
  s.address = 'none'
  s.phase = 'waiting'
  s.phaseUntil = undefined
  s.activeAt = now
  s.readySince = undefined
  if (s.term !== undefined) {
    s.released = { term: s.term, ...(s.successor === undefined ? {} : { successor: s.successor }) }
    if (s.settings.witness) d.out.push({ effect: 'releaseWitness', term: s.term })
  }
  // Whoever was named has as long as an ordinary take-over lasts.
  s.yieldUntil = s.successor === undefined ? now : now + 2 * s.settings.profile.grantWait
  s.term = undefined
  s.witnessAt = undefined
  s.witnessPending = undefined
  s.promise = undefined
  oweAll(d)
  s.nextBeatAt = now
}
