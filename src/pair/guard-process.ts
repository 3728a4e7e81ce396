/**
 * The gateway's side of its guard (core/kept-process.ts): tells it what it needs and passes on what it says. While no
 * guard lives nobody may transmit: `transmitUntil` is 0 from the moment its end is known.
 *
 * The guard is a process of its own session, so that a signal to the gateway's group does not end it, and runs before
 * everything else where the system permits (`chrt`; the only setting that kept its timers under 10 ms on a machine
 * whose cores were all busy).
 */
import type { PairConfig } from '#config/types.ts'
import { monotonic } from '#core/clock.ts'
import { unreachable } from '#core/errors.ts'
import { KeptProcess } from '#core/kept-process.ts'
import type { Log } from '#core/log.ts'
import type { Term } from '#messages/operation.ts'
import type { MemberView, PairEvents, RoleState, SwitchResult, WitnessView } from './contract.ts'
import {
  channelLimits,
  type Former,
  type FromGuard,
  type GuardMember,
  type Health,
  type ToGuard,
} from './guard/protocol.ts'
import type { Identity } from './links/contract.ts'

/**
 * Small, for the guard sends and receives a few hundred bytes at a time. Without the optimizing compilers it takes
 * 12 MB less, and no compilation delays it.
 */
const heap = [
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--optimize-for-size',
  '--no-sparkplug',
  '--no-maglev',
  '--no-opt',
  '--v8-pool-size=1',
]

/** A change of roles takes a few grant waits at most; `telisca` has the longest, 61 s. */
const COMMAND_MS = 200_000

export interface GuardOptions {
  node: string
  pair: PairConfig
  identity: Identity
  members: readonly GuardMember[]
  former: Former
  /** `<data>/pair`; must exist. */
  directory: string
  pairingKey?: { id: string; key: string }
  log: Log
  /** The program's entry; absent: the one that runs. */
  main?: string
}

export interface GuardEvents extends PairEvents {
  ready?(listening: { host: string; port: number }): void
  /** The right to transmit was renewed. */
  lease(until: number, term: Term): void
  /** Stop transmitting and reset what is connected to the address, then call `released`, all within 20 ms. */
  releasing(reason: string): void
  views(members: readonly MemberView[]): void
  audit(who: string, what: string, text: string): void
  /** No guard lives: nobody may transmit, and there is no address. Another one is started. */
  gone(text: string): void
}

export interface GuardProcess {
  setMembers(
    members: readonly GuardMember[],
    former: Former,
    more?: { pairingKey?: { id: string; key: string }; joined?: boolean },
  ): void
  /** As it is now: the guard takes a gateway for hung that says nothing for `pair.selfCheck`. */
  health(health: Health): void
  command(command: 'takeover' | 'handover'): Promise<SwitchResult>
  /** The answer to `releasing`. */
  released(): void
  /** A drill: no heartbeats for so long, ms. */
  cut(ms: number): void
  /** ms of the monotonic clock; 0 when this member may not transmit. */
  transmitUntil(): number
  /** As the guard said last; `standby` while none lives. */
  state(): RoleState
  views(): { members: readonly MemberView[]; witness?: WitnessView; vipHere: boolean }
  /** Of the guard that runs, for drills. */
  pid(): number | undefined
  /** Lets it release the address, say goodbye and end. */
  stop(): Promise<void>
}

export function startGuard(options: GuardOptions, events: GuardEvents): GuardProcess {
  const { node, log } = options
  let { members, former, pairingKey } = options
  let health: Health | undefined
  let stopping = false
  let leaseUntil = 0
  let state: RoleState = noGuard('the guard starts')
  let seen: { members: readonly MemberView[]; witness?: WitnessView; vipHere: boolean } = {
    members: [],
    vipHere: false,
  }
  let lastId = 0
  const commands = new Map<number, (result: SwitchResult) => void>()

  function noGuard(reason: string): RoleState {
    return { role: 'standby', term: { counter: 0, node: '' }, since: monotonic(), reason }
  }
  const kept = new KeptProcess<FromGuard, ToGuard>(
    {
      name: 'the guard',
      unhurried: 'a busy machine may delay it',
      command: 'guard',
      ...(options.main !== undefined && { main: options.main }),
      node: heap,
      detached: true,
      // Above everything else of ours.
      priority: 10,
      limits: channelLimits,
      longestRestart: 5_000,
      sound: 30_000,
      patience: 1_500,
      log,
    },
    {
      begun() {
        kept.tell({
          kind: 'begin',
          node,
          pair: options.pair,
          identity: options.identity,
          members,
          former,
          directory: options.directory,
          ...(pairingKey && { pairingKey }),
        })
        if (health) kept.tell({ kind: 'health', health })
      },
      take,
      cut() {
        leaseUntil = 0
      },
      gone: ended,
    },
  )

  function ended(reason: string): void {
    leaseUntil = 0
    state = noGuard(reason)
    seen = { members: [], vipHere: false }
    for (const settle of commands.values())
      settle({ result: 'refused', code: 'guard-gone', text: 'the guard ended while it changed roles' })
    commands.clear()
    if (stopping) return
    events.gone(reason)
    events.role(state)
  }

  function take(message: FromGuard): void {
    switch (message.kind) {
      case 'ready':
        void kept.hurry()
        events.ready?.(message.listening)
        return
      case 'role':
        state = message.state
        if (state.role !== 'active' && state.role !== 'single') leaseUntil = 0
        events.role(state)
        return
      case 'lease':
        leaseUntil = message.until
        events.lease(message.until, message.term)
        return
      case 'releasing':
        leaseUntil = 0
        events.releasing(message.reason)
        return
      case 'views':
        seen = message
        events.views(message.members)
        return
      case 'signal':
        events.signal(message.node, message.signal)
        return
      case 'alarm':
        events.alarm(message.code, message.text)
        return
      case 'failover':
        events.failover(message.text)
        return
      case 'audit':
        events.audit(message.who, message.what, message.text)
        return
      case 'result':
        commands.get(message.id)?.(message.result)
        commands.delete(message.id)
        return
      case 'log':
        log[message.level](message.fields, message.text)
        return
      default:
        unreachable(message)
    }
  }

  kept.start()
  return {
    setMembers(now, left, more = {}) {
      members = now
      former = left
      pairingKey = more.pairingKey ?? pairingKey
      kept.tell({
        kind: 'members',
        members,
        former,
        ...(pairingKey && { pairingKey }),
        ...(more.joined === true && { joined: true }),
      })
    },
    health(now) {
      health = now
      kept.tell({ kind: 'health', health })
    },
    command(command) {
      if (kept.pid === undefined)
        return Promise.resolve({
          result: 'refused',
          code: 'guard-gone',
          text: 'no guard lives at the moment',
        })
      const id = ++lastId
      const { promise, resolve } = Promise.withResolvers<SwitchResult>()
      const timer = setTimeout(() => {
        commands.delete(id)
        resolve({ result: 'refused', code: 'switch-timeout', text: 'the guard gave no answer in time' })
      }, COMMAND_MS)
      commands.set(id, (result) => {
        clearTimeout(timer)
        resolve(result)
      })
      kept.tell({ kind: 'command', id, command })
      return promise
    },
    released: () => void kept.tell({ kind: 'released' }),
    cut: (ms) => void kept.tell({ kind: 'cut', ms }),
    transmitUntil: () => leaseUntil,
    state: () => state,
    views: () => seen,
    pid: () => kept.pid,
    stop() {
      stopping = true
      return kept.stop({ kind: 'stop' })
    },
  }
}
