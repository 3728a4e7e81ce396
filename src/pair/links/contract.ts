/**
 * Links between members: every member runs a broker and is a client of every other member's broker, so each pair of
 * members has two TCP connections and more with several addresses. TLS 1.3 with pinned certificates; MQTT 3.1.1.
 * Nothing here is acknowledged or kept: who needs that does it above (a broker's PUBACK proves nothing).
 */
import type { Listen } from '#config/types.ts'

/** The certificate and key of this member, PEM. */
export interface Identity {
  certificate: string
  key: string
  /** SHA-256 of the certificate (DER), hex in lower case. */
  fingerprint: string
}

export interface LinkMember {
  node: string
  fingerprint: string
  /** host:port, one per path. */
  addresses: readonly string[]
}

export interface LinksOptions {
  node: string
  identity: Identity
  listen: Listen
  /** Heartbeat interval or the like, ms: connection deadlines and MQTT keepalive follow from it. */
  interval: number
  /**
   * For links on which something is said over every path at least each `interval`: a connection over which nothing
   * came for so long (ms) is given up and made anew. Absent: MQTT's keepalive alone finds dead connections.
   */
  silence?: number
  /** Largest payload, bytes; larger ones are refused on both sides. */
  largest: number
  /** Networks (CIDR) from which members may connect (`pair.allow.sync`); absent: from everywhere. */
  allow?: readonly string[]
  /** @param path names the connection it came over: stable while the connection lives */
  onMessage(from: string, topic: string, payload: Buffer, path: string): void
  /** The open paths to a member changed. */
  onPaths(node: string, paths: readonly { address: string; up: boolean }[]): void
  /** The member that had this certificate until it was removed, so that its refusal can say so. */
  removed?(fingerprint: string): string | undefined
  /** Somebody was refused: a certificate that is not pinned, an address outside the list. For the audit log. */
  onRefused(address: string, code: string, text: string): void
  /** A TLS connection that asked for ALPN `twinline-join/1`: the pairing ceremony's. Absent: refused. */
  onJoin?(socket: import('node:tls').TLSSocket): void
  log(level: 'debug' | 'info' | 'warn', fields: Record<string, unknown>, text: string): void
}

export interface Links {
  /** host:port it listens at, the port resolved. */
  readonly listening: Listen
  /** Members to connect to and to accept; a member that is gone from the list is cut off at once. */
  setMembers(members: readonly LinkMember[]): void
  /**
   * Sends one payload to a member: over every open path (`all`), over one (`one`, the same as long as it is open), or
   * over each open path in turn (`turn`).
   * @returns false when no path is open or the path's buffer is full; nothing was sent then
   */
  send(to: string, topic: string, payload: Buffer | string, over: 'all' | 'one' | 'turn'): boolean
  /** Bytes that wait in this process for a member's connection (`one`). */
  waiting(to: string): number
  close(): Promise<void>
}
