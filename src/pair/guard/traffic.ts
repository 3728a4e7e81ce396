/**
 * What heartbeats cost on the wire, for people who pay for a line by volume. Pure; the size was measured in a network
 * namespace (`npm run bench:pair -- --only traffic`), with Ethernet, IP, TCP, TLS and the acknowledgements of TCP.
 */
import type { HeartbeatProfile } from '#config/types.ts'

/** Of one heartbeat over one path, together with its acknowledgement. */
const BYTES_A_BEAT = 430
/** Heartbeats this rare go over one path at a time, all others over both connections of a pair of members. */
const RARE_MS = 10_000

/** Both ways, between two members that reach each other by one address each. */
export function bytesPerHour({ interval, renew }: Pick<HeartbeatProfile, 'interval' | 'renew'>): number {
  const paths = interval >= RARE_MS ? 1 : 2
  // The active renews with its heartbeats.
  const beats = 3_600_000 / interval + 3_600_000 / Math.min(interval, renew)
  return Math.round(beats * paths * BYTES_A_BEAT)
}
