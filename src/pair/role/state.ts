/**
 * What the role machine remembers, and the draft on which one step works: a copy of the state, the effects so far and
 * the moment. The functions of this folder change the draft only; `step` copies, so it stays pure from outside.
 */
import type { Term } from '#messages/operation.ts'
import type { RoleState, Signal } from '../contract.ts'
import type { Beat, GatewayHealth, RoleEffect, RoleSettings } from './contract.ts'

/**
 * `waiting`: holds nothing; follows an active or waits for its turn. `asking`: wants a quorum. `storing`: has it, the
 * term is on its way to the disk. `probing`: asks the network whether a stranger has the address. `adding`: the address
 * is on its way to the interface. `serving`: active or single. `releasing`: the gateway may finish for 20 ms.
 * `removing`: the address is on its way off the interface. `stopped`: said goodbye, the process ends.
 */
export type Phase =
  | 'waiting'
  | 'asking'
  | 'storing'
  | 'probing'
  | 'adding'
  | 'serving'
  | 'releasing'
  | 'removing'
  | 'stopped'

/** Another member. */
export interface Peer {
  node: string
  priority: number
  /** Its newest heartbeat. */
  beat: Beat | undefined
  heardAt: number | undefined
  /** Its silence counts from here: its last heartbeat, own carrier, own lateness, whatever came last. */
  silentFrom: number
  /** What the newest heartbeat says still counts: the own carrier was there since. */
  fresh: boolean
  /** Guard starts before the present one; heartbeats that still come from them are old. */
  retired: readonly string[]
  signal: Signal | undefined
  missed: number
  /** When the newest own heartbeat that it acknowledged was sent. */
  acknowledged: number | undefined
  /** The promise of its newest heartbeat: to follow this term, given after an own heartbeat sent `at`. */
  promise: { term: Term; at: number } | undefined
  paths: readonly { address: string; up: boolean; roundTripMs?: number }[]
  /** All its connections closed, and it had some: perhaps its process died. */
  cut: boolean
  roundTrip: number | undefined
  skew: number | undefined
  skewAlarmed: boolean
}

export interface Command {
  id: number
  command: 'takeover' | 'handover'
  at: number
  until: number
}

export interface RoleMachine {
  readonly settings: RoleSettings
  readonly session: string
  /** When the executor calls again at the latest. */
  wakeAt: number
  phase: Phase
  /** Until when the present phase may last. */
  phaseUntil: number | undefined
  startedAt: number
  peers: readonly Peer[]
  /** Another member removed this one: what it holds is for the others to send. */
  removed: boolean
  /** The term that is asked for, held or being given up. */
  term: Term | undefined
  /** The highest term seen, and the highest on disk, and the one last given to it. */
  highest: Term
  stored: Term
  storing: Term | undefined
  /** The disk refused one; tried again then. */
  storeAgainAt: number | undefined
  /** Given to another member: no other one is followed, and nothing taken, before `until`. */
  promise: { term: Term; until: number } | undefined
  /** The highest term that was seen held since the start, by this one too: the address needs no probe then. */
  held: Term | undefined
  /** When an active was heard last, itself included. */
  activeAt: number
  released: Beat['released']
  /** Who is named when the release under way is done. */
  successor: string | undefined
  /** After an own release another one comes first until then. */
  yieldUntil: number
  /** When the last attempt to take over failed, the next one is not before this. */
  retryAt: number
  /** Since when nothing but better members stands against asking. */
  readySince: number | undefined
  askedAt: number
  nextAskAt: number
  /** The promise of the witness for `term`, counted from the sending of what it answered. */
  witnessAt: number | undefined
  witnessAskAt: number
  witnessRequest: number
  witnessPending: { request: number; at: number } | undefined
  /** The right to transmit, and the address, end then; renewed at. */
  leaseUntil: number
  renewedAt: number
  /** A membership that has just changed: the old way of renewing does until then, or until the new one works once. */
  graceUntil: number
  /** Nobody answered for the address in this attempt. */
  probed: boolean
  address: 'none' | 'probing' | 'adding' | 'held' | 'removing'
  probeAt: number
  announceAt: readonly number[]
  carrier: boolean
  carrierSince: number
  health: GatewayHealth | undefined
  healthAt: number
  gateway: boolean
  /** `known` once it has answered; `lostAt` when it was asked in vain, until it answers. */
  router: { known: boolean; lostAt: number | undefined; askAt: number; askedAt: number }
  reason: string
  stopping: 'no' | 'closing' | 'exit'
  command: Command | undefined
  /** The members that want the address and may not have it: why. */
  declines: string | undefined
  wants: Beat['wants']
  wouldTake: boolean
  addressAlarmed: boolean
  preemptSince: number | undefined
  /** Own heartbeats by sequence: when they were sent. */
  sent: readonly { sequence: number; at: number }[]
  sequence: number
  nextBeatAt: number
  /** Members that are to get a heartbeat at the end of this step. */
  owed: readonly string[]
  wallOffset: number
  told: RoleState | undefined
  toldLease: number
}

export interface Draft {
  s: RoleMachine
  now: number
  out: RoleEffect[]
}

/** How many own heartbeats are remembered: some seconds at the highest rate with three other members. */
export const REMEMBERED = 128

/** A draft may change the machine and its members, so these are copied; everything deeper is replaced, never changed. */
export const draftOf = (state: RoleMachine, now: number): Draft => ({
  s: { ...state, peers: state.peers.map((peer) => ({ ...peer })) },
  now,
  out: [],
})

export const newPeer = (node: string, priority: number, now: number): Peer => ({
  node,
  priority,
  beat: undefined,
  heardAt: undefined,
  silentFrom: now,
  fresh: false,
  retired: [],
  signal: undefined,
  missed: 0,
  acknowledged: undefined,
  promise: undefined,
  paths: [],
  cut: false,
  roundTrip: undefined,
  skew: undefined,
  skewAlarmed: false,
})

/** It has the address or the right to transmit, or may get it before its next heartbeat. */
export const holding = ({ phase }: RoleMachine): boolean =>
  phase === 'adding' || phase === 'serving' || phase === 'releasing' || phase === 'removing'
