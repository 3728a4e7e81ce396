/**
 * The gateway's side of its guard: starts it, tells it what it needs, passes on what it says, and starts it again when
 * it dies. While no guard lives nobody may transmit: `transmitUntil` is 0 from the moment its end is known.
 *
 * The guard is a process of its own session, so that a signal to the gateway's group does not end it, and runs before
 * everything else where the system permits (`chrt`; the only setting that kept its timers under 10 ms on a machine
 * whose cores were all busy).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import type { PairConfig } from '#config/types.ts'
import { monotonic } from '#core/clock.ts'
import { errorText, unreachable } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { collectsGarbageAlone, runFirst } from '#core/real-time.ts'
import type { Term } from '#messages/operation.ts'
import type { MemberView, PairEvents, RoleState, SwitchResult, WitnessView } from './contract.ts'
import type { Former, FromGuard, GuardMember, Health, ToGuard } from './guard/protocol.ts'
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
  collectsGarbageAlone,
]
const environment = { MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '2' }

const FIRST_RESTART_MS = 250
const LONGEST_RESTART_MS = 5_000
/** A guard that ran for so long had no fault of its own: the next one starts at once. */
const SOUND_MS = 30_000
/** It says something every second; one that says nothing for so long is hung, and its address has lapsed. */
const SILENT_MS = 10_000
const WATCH_MS = 500
const STOP_MS = 1_500
/** Above everything else of ours. */
const PRIORITY = 10
const MOST_WAITING = 262_144
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

/** The programs that it has started. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

export function startGuard(options: GuardOptions, events: GuardEvents): GuardProcess {
  const { node, log } = options
  const main = options.main ?? process.argv[1] ?? ''
  let { members, former, pairingKey } = options
  let health: Health | undefined
  let child: ChildProcess | undefined
  let channel: Socket | undefined
  let restart: NodeJS.Timeout | undefined
  let failures = 0
  let startedAt = 0
  let unheard = 0
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
  function tell(message: ToGuard): void {
    if (!channel || channel.destroyed || channel.writableLength > MOST_WAITING) return
    channel.write(`${JSON.stringify(message)}\n`)
  }

  function start(): void {
    const command = [...heap, main, 'guard']
    const started = spawn(process.execPath, command, {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      detached: true,
      env: { ...process.env, ...environment },
    })
    child = started
    startedAt = monotonic()
    unheard = 0
    let reason = ''
    const over = (): void => {
      if (child !== started) return
      child = undefined
      channel = undefined
      ended(reason || 'the guard ended')
    }
    started.on('error', (error) => {
      reason = errorText(error)
      over()
    })
    started.on('exit', (code, signal) => {
      reason = `the guard ended (${signal ?? `exit code ${code}`})`
      over()
    })
    // A descriptor of its own for both directions is a socket (node:child_process, options.stdio); a process that
    // could not be started, for want of descriptors say, has none and ends with the error.
    const pipe = started.stdio?.[3]
    if (!(pipe instanceof Socket)) return
    channel = pipe
    channel.on('error', () => {})
    // Known some ms before the process is gone altogether.
    channel.on('close', () => {
      if (child !== started) return
      leaseUntil = 0
      started.kill('SIGKILL')
    })
    readLines(channel, take)
    tell({
      kind: 'begin',
      node,
      pair: options.pair,
      identity: options.identity,
      members,
      former,
      directory: options.directory,
      ...(pairingKey && { pairingKey }),
    })
    if (health) tell({ kind: 'health', health })
  }

  function ended(reason: string): void {
    leaseUntil = 0
    state = noGuard(reason)
    seen = { members: [], vipHere: false }
    for (const settle of commands.values())
      settle({ result: 'refused', code: 'guard-gone', text: 'the guard ended while it changed roles' })
    commands.clear()
    if (stopping) return
    if (monotonic() - startedAt > SOUND_MS) failures = 0
    const wait = failures === 0 ? 0 : Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** (failures - 1))
    failures = Math.min(failures + 1, 10)
    log.error({ again: wait }, reason)
    events.gone(reason)
    events.role(state)
    restart = setTimeout(start, wait)
  }

  function take(message: FromGuard): void {
    unheard = 0
    switch (message.kind) {
      case 'ready':
        if (child?.pid !== undefined) void hurry(child.pid)
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

  async function hurry(pid: number): Promise<void> {
    const done = await Promise.all([pid, ...childrenOf(pid)].map((each) => runFirst(each, PRIORITY)))
    if (done[0] === false && child?.pid === pid)
      log.warn(
        {},
        'the guard runs without priority (chrt is missing or not permitted): a busy machine may delay it',
      )
  }

  // Counted in turns of this process, not in time: while it was stopped or starved, it could hear nothing.
  const watch = setInterval(() => {
    unheard += 1
    if (!child || unheard < SILENT_MS / WATCH_MS) return
    unheard = 0
    log.error({}, 'the guard says nothing: it is killed and started again')
    child.kill('SIGKILL')
  }, WATCH_MS)
  start()

  return {
    setMembers(now, left, more = {}) {
      members = now
      former = left
      pairingKey = more.pairingKey ?? pairingKey
      tell({
        kind: 'members',
        members,
        former,
        ...(pairingKey && { pairingKey }),
        ...(more.joined === true && { joined: true }),
      })
    },
    health(now) {
      health = now
      tell({ kind: 'health', health })
    },
    command(command) {
      if (!child)
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
      tell({ kind: 'command', id, command })
      return promise
    },
    released: () => tell({ kind: 'released' }),
    cut: (ms) => tell({ kind: 'cut', ms }),
    transmitUntil: () => leaseUntil,
    state: () => state,
    views: () => seen,
    pid: () => child?.pid,
    async stop() {
      stopping = true
      clearInterval(watch)
      clearTimeout(restart)
      const last = child
      if (!last) return
      tell({ kind: 'stop' })
      await new Promise<void>((resolve) => {
        const patience = setTimeout(() => last.kill('SIGKILL'), STOP_MS)
        last.once('exit', () => {
          clearTimeout(patience)
          resolve()
        })
      })
    },
  }
}

/** The guard is this same program and the only one that holds the other end. */
function readLines(channel: Socket, take: (message: FromGuard) => void): void {
  let rest = ''
  channel.setEncoding('utf8')
  channel.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
}
