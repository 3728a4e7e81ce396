/**
 * The common address while it is served: announced again and again (an unannounced move leaves clients dark for half a
 * minute), added later when a stranger had it at first, and never taken from a stranger (pair.md rules 13 and 15).
 */
import type { Draft } from './state.ts'

/** After a take-over, and when a member is heard again: neighbours may have missed one. ms */
const ON_TAKEOVER = [0, 50, 200, 600]
const ON_REGAIN = [0, 100, 500]
const REGULARLY = 30_000
/** A stranger that holds the address, or an interface that refuses it, is asked again after this, ms. */
export const TRY_AGAIN = 3_000

/** The address has just been added: to the take-over's, or to one that had to do without it. */
export function addressHere({ s, now }: Draft): void {
  s.address = 'held'
  s.addressAlarmed = false
  s.announceAt = ON_TAKEOVER.map((after) => now + after)
}

export function announceAgain({ s, now }: Draft): void {
  if (s.address === 'held') s.announceAt = ON_REGAIN.map((after) => now + after)
}

export function keepAddress(d: Draft): void {
  const { s, now, out } = d
  if (!s.settings.address) return
  if (s.address === 'none' && now >= s.probeAt) {
    s.address = 'probing'
    s.probeAt = now + TRY_AGAIN
    out.push({ effect: 'probe' })
  } else if ((s.address === 'probing' || s.address === 'adding') && now >= s.probeAt) {
    s.address = 'none'
    s.probeAt = now + TRY_AGAIN
  }
  if (s.address !== 'held' || s.announceAt.every((at) => at > now)) return
  out.push({ effect: 'announce' })
  const later = s.announceAt.filter((at) => at > now)
  s.announceAt = later.length > 0 ? later : [now + REGULARLY]
}

/** Nobody answered the probe, or somebody did. */
export function probedWhileServing(d: Draft, answered: string | undefined): void {
  const { s, now, out } = d
  if (s.address !== 'probing') return
  s.probeAt = now + TRY_AGAIN
  if (answered !== undefined) {
    s.address = 'none'
    addressTaken(d, answered)
    return
  }
  s.address = 'adding'
  out.push({ effect: 'addAddress' })
}

/** A stranger answered for the address. */
export function addressTaken(d: Draft, by: string): void {
  if (d.s.addressAlarmed) return
  d.s.addressAlarmed = true
  const text = `${by} answers for the common address; it is left alone until nobody does`
  d.out.push({ effect: 'alarm', code: 'address-taken', text })
}
