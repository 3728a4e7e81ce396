/**
 * What gateway and guard of one appliance say to each other: one JSON text a line over the guard's file descriptor 3.
 * Its end of file means that the other process is dead. Both are one program, so there are no versions here. Times are
 * of CLOCK_MONOTONIC, which both processes share.
 */
import type { PairConfig } from '#config/types.ts'
import type { ChannelLimits } from '#core/json-channel.ts'
import type { Term } from '#messages/operation.ts'
import type { LogPosition } from '#store/contract.ts'
import type { MemberView, RoleState, Signal, SwitchResult, WitnessView } from '../contract.ts'
import type { Identity, LinkMember } from '../links/contract.ts'

/** A side that reads nothing must not make the other one grow. */
export const channelLimits: ChannelLimits = { longestLine: 1_048_576, mostWaiting: 262_144 }

export interface GuardMember extends LinkMember {
  priority: number
}

/** What became of memberships. */
export interface Former {
  /** Another member removed this one. */
  removed: boolean
  /** Members that were removed, by the certificates that they go on showing. */
  members: readonly { node: string; fingerprint: string }[]
}

/** How the gateway is; sent at least every 250 ms, and at once when something in it changes. */
export interface Health {
  /** Its self-check: lines and disk. A reason makes an active hand over if a healthy standby exists. */
  problem?: { code: string; text: string }
  /** It holds what the others hold: it may take over. False from the start until it has synchronised. */
  synchronised: boolean
  /** The own log, for heartbeats. */
  position: LogPosition
  /** How far it has merged every other member's newest log. */
  merged: readonly LogPosition[]
  linesHealthy: number
  queued: number
  /** The newest configuration revision, when there is one. */
  revision?: string
}

export type ToGuard =
  /** The first message, once. */
  | {
      kind: 'begin'
      node: string
      pair: PairConfig
      identity: Identity
      members: readonly GuardMember[]
      former: Former
      /** Where the term file and the guard's lock are. */
      directory: string
      /** Shared by the members since the first invitation; signs requests to the witness. Absent before it. */
      pairingKey?: { id: string; key: string }
    }
  | {
      kind: 'members'
      members: readonly GuardMember[]
      former: Former
      pairingKey?: { id: string; key: string }
      /** This appliance has just joined these members: they are served by their active, so it stands by whatever its own term is. */
      joined?: true
    }
  /** A drill: no heartbeat goes to or comes from any member for so long, ms (at most 60 s); then all is as before. */
  | { kind: 'cut'; ms: number }
  | { kind: 'health'; health: Health }
  | { kind: 'command'; id: number; command: 'takeover' | 'handover' }
  /** The answer to `releasing`: nothing transmits any more and the sockets on the address are reset. */
  | { kind: 'released' }
  /** An announced stop: release, say CLOSE, exit. */
  | { kind: 'stop' }

export type FromGuard =
  /** Its broker listens. */
  | { kind: 'ready'; listening: { host: string; port: number } }
  | { kind: 'role'; state: RoleState }
  /** The right to transmit until then, ms of the monotonic clock; comes with every renewal. */
  | { kind: 'lease'; until: number; term: Term }
  /** It is about to give the address up: stop transmitting, reset sockets on it, answer `released` within 20 ms. */
  | { kind: 'releasing'; reason: string }
  /** Once a second, and when something changes. */
  | { kind: 'views'; members: MemberView[]; witness?: WitnessView; vipHere: boolean }
  | { kind: 'signal'; node: string; signal: Signal }
  | { kind: 'alarm'; code: string; text: string }
  /** A line for the failover log. */
  | { kind: 'failover'; text: string }
  /** For the audit log. */
  | { kind: 'audit'; who: string; what: string; text: string }
  | { kind: 'result'; id: number; result: SwitchResult }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: Record<string, unknown>; text: string }
