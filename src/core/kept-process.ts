/**
 * A process of this same program that the gateway keeps running (guard, fax line): started, spoken to over file
 * descriptor 3, killed when it says nothing any more, and started again whenever it ends. It ends with the gateway by
 * the end of their channel.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { monotonic } from './clock.ts'
import { errorText } from './errors.ts'
import { type Channel, type ChannelLimits, openChannel } from './json-channel.ts'
import type { Log } from './log.ts'
import { collectsGarbageAlone, runFirst } from './real-time.ts'

const FIRST_RESTART_MS = 250
/** It says something every second; one that says nothing for so long is hung. */
const SILENT_MS = 10_000
const WATCH_MS = 500
/** Few threads, and few arenas of memory: it does one thing. */
const environment = { MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '2' }

export interface KeptProcessOptions {
  /** For the log: 'the guard'. */
  name: string
  /** What it means that the system does not let it run before everything else. */
  unhurried: string
  /** The subcommand of this program. */
  command: string
  /** The program's entry; absent: the one that runs. */
  main?: string
  /** Options of node, its heap among them. */
  node: readonly string[]
  /** A session of its own: a signal to the gateway's group does not end it. */
  detached: boolean
  /** Of SCHED_FIFO, where the system permits it (core/real-time.ts). */
  priority: number
  limits: ChannelLimits
  /** ms between two starts at most, while it ends again and again. */
  longestRestart: number
  /** One that ran for so many ms had no fault of its own: the next one starts at once. */
  sound: number
  /** ms until one that was told to end is killed. */
  patience: number
  /** ms that it may say nothing; absent: 10,000. */
  silence?: number
  log: Log
}

export interface KeptProcessEvents<From> {
  /** A new process is there, and knows nothing yet. */
  begun(): void
  take(message: From): void
  /** The channel has ended: known some ms before the process is gone altogether. */
  cut(): void
  /** No process lives. Another one is started unless `stop` was called. */
  gone(why: string): void
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

/** @typeParam From what it says; @typeParam To what it is told */
export class KeptProcess<From, To> {
  readonly #options: KeptProcessOptions
  readonly #events: KeptProcessEvents<From>
  #child: ChildProcess | undefined
  #channel: Channel<To> | undefined
  #restart: NodeJS.Timeout | undefined
  #watch: NodeJS.Timeout | undefined
  #failures = 0
  #startedAt = 0
  #unheard = 0
  #wanted = false
  /** The process that lives was told to end. */
  #ending = false

  constructor(options: KeptProcessOptions, events: KeptProcessEvents<From>) {
    this.#options = options
    this.#events = events
  }

  /** Of the process that runs. */
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
      this.#options.log.error({}, `${this.#options.name} says nothing: it is killed and started again`)
      this.#child.kill('SIGKILL')
    }, WATCH_MS)
    // One that is still ending holds what the next one needs, such as a port: that begins when this one is gone.
    if (this.#child === undefined) this.#begin()
  }

  /** @returns whether it was handed on */
  tell(message: To): boolean {
    return this.#channel?.tell(message) ?? false
  }

  /** Lets it run before everything else, and what it has started, too; to be called when everything is loaded. */
  async hurry(): Promise<void> {
    const pid = this.pid
    if (pid === undefined) return
    const pids = [pid, ...childrenOf(pid)]
    const [done] = await Promise.all(pids.map((each) => runFirst(each, this.#options.priority)))
    if (done === false && this.pid === pid)
      this.#options.log.warn(
        {},
        `${this.#options.name} runs without priority (chrt is missing or not permitted): ${this.#options.unhurried}`,
      )
  }

  /** @param last what it is told to end */
  async stop(last: To): Promise<void> {
    this.#wanted = false
    clearInterval(this.#watch)
    clearTimeout(this.#restart)
    const child = this.#child
    this.#ending = true
    // One that could not be started has no number, and no exit to wait for.
    if (child?.pid === undefined) return
    this.tell(last)
    await new Promise<void>((resolve) => {
      const patience = setTimeout(() => child.kill('SIGKILL'), this.#options.patience)
      child.once('exit', () => {
        clearTimeout(patience)
        resolve()
      })
    })
  }

  #begin(): void {
    const { name, node, main = process.argv[1] ?? '', command, detached, limits } = this.#options
    const child = spawn(process.execPath, [...node, collectsGarbageAlone, main, command], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      detached,
      env: { ...process.env, ...environment },
    })
    this.#child = child
    this.#ending = false
    this.#startedAt = monotonic()
    this.#unheard = 0
    const over = (why: string): void => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#channel = undefined
      this.#ended(why)
    }
    child.on('error', (error) => over(errorText(error)))
    child.on('exit', (code, signal) => over(`${name} ended (${signal ?? `exit code ${code}`})`))
    // A descriptor of its own for both directions is a socket (node:child_process, options.stdio); a process that could
    // not be started, for want of descriptors say, has none and ends with the error.
    const pipe = child.stdio?.[3]
    if (!(pipe instanceof Socket)) return
    const take = (message: From): void => {
      if (this.#child !== child) return
      this.#unheard = 0
      this.#events.take(message)
    }
    const cut = (): void => {
      if (this.#child !== child) return
      this.#events.cut()
      child.kill('SIGKILL')
    }
    this.#channel = openChannel<From, To>(pipe, limits, take, cut)
    this.#events.begun()
  }

  #ended(why: string): void {
    const { sound, longestRestart, log } = this.#options
    this.#events.gone(why)
    if (!this.#wanted) return
    if (this.#ending) {
      this.#begin()
      return
    }
    if (monotonic() - this.#startedAt > sound) this.#failures = 0
    const wait =
      this.#failures === 0 ? 0 : Math.min(longestRestart, FIRST_RESTART_MS * 2 ** (this.#failures - 1))
    this.#failures = Math.min(this.#failures + 1, 10)
    log.error({ again: wait }, why)
    this.#restart = setTimeout(() => this.#begin(), wait)
  }
}
