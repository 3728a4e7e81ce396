/**
 * What the rest of the program may know of and ask from the pair. The guard (a process of its own) decides the role;
 * the gateway replicates. Types only: guard/, role/, links/, replication/, ceremony/ do the work.
 */

import type { Term } from '#messages/operation.ts'
import type { LogPosition } from '#store/contract.ts'

/**
 * `single`: no other member yet. `isolated`: the own network check fails. `error`: the own self-check fails. All roles
 * accept and receive; only `active` and `single` transmit (in mode active-active also a standby, what it owns).
 */
export const roles = ['active', 'standby', 'single', 'isolated', 'error'] as const
export type Role = (typeof roles)[number]

/** Seen of another member. DEAD only after LIVE; CLOSE after an announced stop, and then silence is no failure. */
export type Signal = 'LIVE' | 'DEAD' | 'CLOSE'

export interface RoleState {
  role: Role
  term: Term
  /** Since when, ms of the monotonic clock. */
  since: number
  /** Why, as a sentence. */
  reason: string
  /** The member that is active as far as this one knows, itself included. */
  active?: string
}

/** Another member as this one sees it. */
export interface MemberView {
  node: string
  signal?: Signal
  role?: Role
  term?: Term
  /** ms since its last heartbeat, on any path; absent when none came yet. */
  silentMs?: number
  paths: { address: string; up: boolean; roundTripMs?: number }[]
  /** How far its wall clock is ahead of ours, ms; to be read as plus or minus half the round trip. */
  skewMs?: number
  healthy?: boolean
  linesHealthy?: number
  queued?: number
  revision?: string
  /** Its own log, as it announces it. */
  position?: LogPosition
}

export type WitnessView = {
  address: string
  state: 'reachable' | 'silent' | 'refusing' | 'unknown'
  roundTripMs?: number
}

export type SwitchResult = { result: 'done' } | { result: 'refused'; code: string; text: string }

/** What is measured of one heartbeat profile, for people: see HeartbeatProfile. */
export interface PairStatus {
  node: string
  role: RoleState
  members: MemberView[]
  witness?: WitnessView
  /** Where the common address is, when there is one. */
  vip?: { address: string; driver: string; here: boolean }
  profile: {
    name: string
    interval: number
    misses: number
    lease: number
    grantWait: number
    bytesPerHour: number
  }
  replication: ReplicationView[]
}

/** How replication to and from one member stands. */
export interface ReplicationView {
  node: string
  state: 'disconnected' | 'catchingUp' | 'current' | 'lagging' | 'snapshot'
  /** Own entries that it has not acknowledged. */
  behind: number
  /** Its disk refuses writes, as it told. */
  problem?: string
}

/**
 * The pair as a list of typed callbacks, wired once in app.ts. Actions, alarms and SNMP hang here.
 */
export interface PairEvents {
  role(state: RoleState): void
  /** The state of another member changed: LIVE, DEAD, CLOSE. */
  signal(node: string, signal: Signal): void
  /** Something a person must know; the code is documented in docs/errors.md. */
  alarm(code: string, text: string): void
  /** A line for the failover log. */
  failover(text: string): void
}
