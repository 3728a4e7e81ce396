/** What people are shown of the other members. Pure. */
import type { MemberView } from '../contract.ts'
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
