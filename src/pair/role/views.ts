/** What people are shown of the other members and of the witness. Pure. */
import type { MemberView, WitnessView } from '../contract.ts'
import type { RoleMachine } from './state.ts'

export function memberViews(s: RoleMachine, now: number): MemberView[] {
  return s.peers.map(({ node, signal, beat, heardAt, paths, skew }) => ({
    node,
    ...(signal === undefined ? {} : { signal }),
    ...(heardAt === undefined ? {} : { silentMs: Math.round(now - heardAt) }),
    paths: [...paths],
    ...(skew === undefined ? {} : { skewMs: skew }),
    ...(beat === undefined
      ? {}
      : {
          role: beat.role,
          term: beat.holds ?? beat.highest,
          healthy: beat.healthy,
          linesHealthy: beat.linesHealthy,
          queued: beat.queued,
          ...(beat.revision === undefined ? {} : { revision: beat.revision }),
          ...(beat.position === undefined ? {} : { position: beat.position }),
        }),
  }))
}

/** @param address as it is configured */
export function witnessView({ settings, witness }: RoleMachine, address: string): WitnessView | undefined {
  if (!settings.witness) return undefined
  const { state, roundTrip } = witness
  return { address, state, ...(roundTrip === undefined ? {} : { roundTripMs: Math.round(roundTrip) }) }
}
