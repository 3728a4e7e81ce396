/**
 * What heartbeats cost on the wire, for people who pay for a line by volume. Pure; the size was measured in a network
 * namespace (`npm run bench:pair -- --only traffic`), with Ethernet, IP, TCP, TLS and the acknowledgements of TCP.
 */
import type { HeartbeatProfile } from '#config/types.ts'

/** Of one heartbeat over one path, together with its acknowledgement. */
const BYTES_A_BEAT = 620
/** Heartbeats this rare go over one path at a time, all others over both connections of a pair of members. */
const RARE_MS = 10_000

/** Both ways, between two members that reach each other by one address each. */
export function bytesPerHour({ interval }: Pick<HeartbeatProfile, 'interval'>): number {
  const paths = interval >= RARE_MS ? 1 : 2
  return Math.round((3_600_000 / interval) * 2 * paths * BYTES_A_BEAT)
}
