/**
 * What goes into the role machine of the guard and what comes out. The guard executes the effects in the order in which
 * they stand, turns what happens into inputs, and calls `step` for each. Types only. Every `now`, `at` and `until` is
 * of the monotonic clock, in ms; wall time occurs only where clocks are compared for people.
 *
 * How the guard drives it: after every step it arms one timer for `state.wakeAt` and gives `tick` when it fires. The
 * machine finds its own lateness by comparing `now` with `wakeAt`, so it needs no other timer and no other clock.
 *
 *   startMachine(settings, start, now) → state; step(state, input, now) → { state, effects }  machine.ts
 *   roleSettings(node, pairConfig) → RoleSettings                                            settings.ts
 *   memberViews(state, now) → MemberView[]                                                   views.ts
 */
import type { HeartbeatProfile, PairConfig } from '#config/types.ts'
import type { Term } from '#messages/operation.ts'
import type { LogPosition } from '#store/contract.ts'
import type { Role, RoleState, Signal, SwitchResult } from '../contract.ts'

export interface RoleSettings {
  node: string
  priority: number
  master?: string
  profile: HeartbeatProfile
  mode: PairConfig['mode']
  preempt: boolean
  switchover: PairConfig['switchover']
  aloneAfter: number
  selfCheck: number
  /** A witness is configured: it has one vote. */
  witness: boolean
  /** A router is configured, so `askRouter` is answered. */
  router: boolean
  /** A common address of a driver that adds and removes it here (iproute2, nft). */
  address: boolean
  /** An acknowledgement counts for a renewal when what it answers was sent at most so long ago, ms. */
  ackWithin: number
}

export interface RoleMember {
  node: string
  priority: number
}

/**
 * One heartbeat, from one member to another one. It is a heartbeat, a renewal, a promise, a vote and the news of a
 * release at once, so that the newest one of a member tells everything about it and a lost one is made good by the next.
 */
export interface Beat {
  node: string
  /** Random for every start of a guard: tells a restarted member from an old heartbeat. At most 8 characters. */
  session: string
  /** Grows by one with each heartbeat that this session sends to anybody. */
  sequence: number
  role: Role
  /** The highest term this member has seen. */
  highest: Term
  /**
   * Present while it holds the address or the right to transmit, or may do so before its next heartbeat: its term. A
   * newer heartbeat without it says that all of that is given up.
   */
  holds?: Term
  /** It asks everybody to follow it in this term. */
  asks?: Term
  /** It follows the holder of this term and will not take over, nor follow another one, for one grant wait. */
  follows?: Term
  /** The term it gave up last, and who is to take over; others wait a little for that one. */
  released?: { term: Term; successor?: string }
  /** It asks the holder to hand over to it: on command, or because it is preferred. */
  wants?: 'command' | 'preempt'
  /** Why the holder does not hand over to the one that wants it; a code of docs/errors.md. */
  declines?: string
  /** It takes over only on command or when it is named as successor: mode cold, or switchover by hand. */
  closed?: boolean
  /** Its announced stop: silence after this is no failure. */
  closing?: boolean
  /** The newest heartbeat it has of the receiver, and how many ms it had it before this one was sent. */
  echo?: { session: string; sequence: number; held: number }
  priority: number
  /** Gateway alive, self-check good. */
  healthy: boolean
  /** It may take over as far as its data goes. */
  synchronised: boolean
  /** Its own log. Absent until its gateway told. */
  position?: LogPosition
  linesHealthy: number
  queued: number
  revision?: string
  /** Its wall time in ms when it sent this. Shown and compared, never used to order anything. */
  wall: number
}

/** What the gateway says of itself; see `Health` of guard/protocol.ts, whose fields these are. */
export interface GatewayHealth {
  problem?: { code: string; text: string }
  synchronised: boolean
  position: LogPosition
  linesHealthy: number
  queued: number
  revision?: string
}

export type RoleInput =
  /** The timer for `wakeAt` fired. */
  | { input: 'tick' }
  /**
   * A heartbeat came. Those of one path in order; the same one over every path.
   * @param wall own wall time at its arrival, ms
   */
  | { input: 'beat'; beat: Beat; path: string; wall: number }
  /** The open paths to a member changed: none left is a hint that its process died. */
  | { input: 'paths'; node: string; paths: readonly { address: string; up: boolean }[] }
  /** The carrier of the interface of the address. Taken for up until told otherwise. */
  | { input: 'carrier'; up: boolean }
  | { input: 'health'; health: GatewayHealth }
  /** End of file from the gateway. */
  | { input: 'gatewayGone' }
  /** The gateway's answer to `releasing`. */
  | { input: 'gatewayReleased' }
  /** The term is on disk (fsync done). */
  | { input: 'termStored'; term: Term }
  /** The disk refused the term. */
  | { input: 'termRefused'; text: string }
  /** The address is there, answer to `addAddress`. */
  | { input: 'addressAdded' }
  /** The address is gone: answer to `removeAddress`, or somebody or the kernel removed it. */
  | { input: 'addressRemoved' }
  /** `addAddress` or `renewAddress` failed. */
  | { input: 'addressFailed'; text: string }
  /** Answer to `probe`; `answered` names who holds the address already (a hardware address). */
  | { input: 'probed'; answered?: string }
  /**
   * Answer to `askWitness`, verified. `highest` is the highest term the witness knows for this pair; `retryAfter` says
   * in how many ms a refused one may be granted.
   */
  | { input: 'witness'; request: number; granted: boolean; retryAfter?: number; highest?: Term }
  /** Answer to `askRouter`: false when none of three questions was answered. */
  | { input: 'router'; reachable: boolean }
  /**
   * `joined`: this box has just joined the others' pair, so it comes up as standby even if it served until now.
   * `removed`: another member removed this one, so it holds nothing until it joins again or is told that it is single.
   */
  | { input: 'members'; members: readonly RoleMember[]; joined: boolean; removed?: boolean }
  | { input: 'command'; id: number; command: 'takeover' | 'handover' }
  /** An announced stop: release, say CLOSE, exit. */
  | { input: 'stop' }

export type RoleEffect =
  /** Over every path to this member. */
  | { effect: 'send'; to: string; beat: Beat }
  /** Write and fsync, then input `termStored`. May come several times before the first answer; the newest suffices. */
  | { effect: 'storeTerm'; term: Term }
  /** Ask the network whether anybody holds the address (ARP probe, neighbour solicitation), then input `probed`. */
  | { effect: 'probe' }
  /** Add it with a kernel lease of `profile.lease`, then `addressAdded` or `addressFailed`. */
  | { effect: 'addAddress' }
  /** Lease of `profile.lease` from now. Nothing is answered unless it fails. */
  | { effect: 'renewAddress' }
  /** Reset the sockets bound to it (`ss -K`), delete it, then `addressRemoved` when it is seen to be gone. */
  | { effect: 'removeAddress' }
  /** One gratuitous ARP or unsolicited neighbour advertisement, now; the machine repeats it by itself. */
  | { effect: 'announce' }
  /**
   * Ask the witness to hold this pair for this member in this term for `profile.grantWait` from its receipt. It grants
   * when nobody else holds, when the other's time is over, or when the other's term is not higher than `released`.
   */
  | { effect: 'askWitness'; request: number; term: Term; released?: Term }
  /** Tell the witness that this term is over. Nothing is answered. */
  | { effect: 'releaseWitness'; term: Term }
  /** Ask the router three times, then input `router`. */
  | { effect: 'askRouter' }
  /** To the gateway, as in guard/protocol.ts. */
  | { effect: 'role'; state: RoleState }
  | { effect: 'lease'; until: number; term: Term }
  | { effect: 'releasing'; reason: string }
  | { effect: 'signal'; node: string; signal: Signal }
  | { effect: 'alarm'; code: string; text: string }
  | { effect: 'failover'; text: string }
  | { effect: 'result'; id: number; result: SwitchResult }
  /** Everything is given up and said: flush the links for at most 200 ms and end the process. */
  | { effect: 'exit' }

/** What the guard knows when it starts the machine. An address that an earlier guard left is removed before that. */
export interface RoleStart {
  members: readonly RoleMember[]
  /** Another member removed this one. */
  removed?: boolean
  /** The highest term on disk; counter 0 when there is none. */
  stored: Term
  /** Random, at most 8 characters. */
  session: string
  /** Own wall time minus `now`, ms; the machine adds `now` to stamp its heartbeats. Given again by `beat` inputs. */
  wallOffset: number
}
