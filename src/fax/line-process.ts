/**
 * The gateway's side of a fax line's process: starts it, tells it what it asks for, passes on what it says, and starts
 * another one when it dies or hangs. While none lives the line cannot be used.
 *
 * It ends with the gateway by the end of their channel. It runs before everything else where the system permits, from
 * the moment it is loaded: a modem that is answered late drops the call (T.30, 2.2; docs/fax.md).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { monotonic } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { collectsGarbageAlone, runFirst } from '#core/real-time.ts'
import { type Channel, openChannel } from './process/channel.ts'
import type { FromProcess, ProcessConfig, ToProcess } from './process/protocol.ts'

/** It holds one coded page at a time. */
const heap = ['--max-semi-space-size=2', '--max-old-space-size=96', '--v8-pool-size=1', collectsGarbageAlone]
const environment = { MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '2' }

const FIRST_RESTART_MS = 250
const LONGEST_RESTART_MS = 10_000
/** One that ran for so long had no fault of its own: the next one starts at once. */
const SOUND_MS = 60_000
/** It says something every second; one that says nothing for so long is hung. */
const SILENT_MS = 10_000
const WATCH_MS = 500
const STOP_MS = 4_000
/** Below the guard, whose heartbeats must not wait while a page is coded. */
const PRIORITY = 5

export interface LineProcessOptions {
  config: ProcessConfig
  log: Log
  /** How many times faster than a real one the line runs; 1 but in tests. */
  speed: number
  /** The program's entry; absent: the one that runs. */
  main?: string
  /** How long it may say nothing, ms. */
  silence?: number
}

export interface LineProcessEvents {
  /** A new process is there, and knows nothing yet but the configuration. */
  up(): void
  take(message: Exclude<FromProcess, { kind: 'up' | 'alive' | 'log' }>): void
  /** No process lives: what it had in hand has no answer any more. Another one is started. */
  gone(why: string): void
}

export class LineProcess {
  readonly #options: LineProcessOptions
  readonly #events: LineProcessEvents
  #child: ChildProcess | undefined
  #channel: Channel<ToProcess> | undefined
  #restart: NodeJS.Timeout | undefined
  #watch: NodeJS.Timeout | undefined
  #failures = 0
  #startedAt = 0
  #unheard = 0
  #wanted = false

  constructor(options: LineProcessOptions, events: LineProcessEvents) {
    this.#options = options
    this.#events = events
  }

  /** Of the process that runs, for tests and status. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    if (this.#wanted) return
    this.#wanted = true
    // Counted in turns of this process, not in time: while it was stopped or starved, it could hear nothing.
    const most = (this.#options.silence ?? SILENT_MS) / WATCH_MS
    this.#watch = setInterval(() => {
      this.#unheard += 1
      if (!this.#child || this.#unheard < most) return
      this.#unheard = 0
      this.#options.log.error({}, 'the process of this fax line says nothing: it is killed and started again')
      this.#child.kill('SIGKILL')
    }, WATCH_MS)
    this.#begin()
  }

  tell(message: ToProcess): boolean {
    return this.#channel?.tell(message) ?? false
  }

  async stop(): Promise<void> {
    this.#wanted = false
    clearInterval(this.#watch)
    clearTimeout(this.#restart)
    const child = this.#child
    if (!child) return
    this.tell({ kind: 'stop' })
    await new Promise<void>((resolve) => {
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      child.once('exit', () => {
        clearTimeout(patience)
        resolve()
      })
    })
  }

  #begin(): void {
    const { main = process.argv[1] ?? '', config, speed } = this.#options
    const child = spawn(process.execPath, [...heap, main, 'fax-line'], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.#child = child
    this.#startedAt = monotonic()
    this.#unheard = 0
    const over = (why: string): void => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#channel = undefined
      this.#ended(why)
    }
    child.on('error', (error) => over(errorText(error)))
    child.on('exit', (code, signal) =>
      over(`the process of this fax line ended (${signal ?? `exit code ${code}`})`),
    )
    // A process that could not be started has no descriptor, and ends with the error.
    const pipe = child.stdio?.[3]
    if (!(pipe instanceof Socket)) return
    this.#channel = openChannel<FromProcess, ToProcess>(
      pipe,
      (message) => this.#take(message, child),
      () => void child.kill('SIGKILL'),
    )
    this.tell({ kind: 'begin', config, speed })
    this.#events.up()
  }

  #ended(why: string): void {
    this.#events.gone(why)
    if (!this.#wanted) return
    if (monotonic() - this.#startedAt > SOUND_MS) this.#failures = 0
    const wait =
      this.#failures === 0 ? 0 : Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.#failures - 1))
    this.#failures = Math.min(this.#failures + 1, 10)
    this.#options.log.error({ again: wait }, why)
    this.#restart = setTimeout(() => this.#begin(), wait)
  }

  #take(message: FromProcess, child: ChildProcess): void {
    if (this.#child !== child) return
    this.#unheard = 0
    switch (message.kind) {
      case 'up':
        if (child.pid !== undefined) void this.#hurry(child.pid)
        return
      case 'alive':
        return
      case 'log':
        this.#options.log[message.level](message.fields, message.text)
        return
      default:
        this.#events.take(message)
    }
  }

  async #hurry(pid: number): Promise<void> {
    if ((await runFirst(pid, PRIORITY)) || this.#child?.pid !== pid) return
    this.#options.log.warn(
      {},
      'this fax line runs without priority (chrt is missing or not permitted): a busy machine may break off calls',
    )
  }
}
