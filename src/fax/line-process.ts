/**
 * The gateway's side of a fax line's process (core/kept-process.ts): gives it its configuration and passes on what it
 * says. While none lives the line cannot be used.
 *
 * It runs before everything else where the system permits, from the moment it is loaded: a modem that is answered late
 * drops the call (T.30, 2.2; docs/fax.md).
 */
import { KeptProcess } from '#core/kept-process.ts'
import type { Log } from '#core/log.ts'
import { channelLimits, type FromProcess, type ProcessConfig, type ToProcess } from './process/protocol.ts'

/** It holds one coded page at a time. */
const heap = ['--max-semi-space-size=2', '--max-old-space-size=96', '--v8-pool-size=1']

export interface LineProcessOptions {
  config: ProcessConfig
  log: Log
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
  readonly #process: KeptProcess<FromProcess, ToProcess>
  readonly #log: Log
  readonly #events: LineProcessEvents

  constructor({ config, log, ...options }: LineProcessOptions, events: LineProcessEvents) {
    this.#log = log
    this.#events = events
    this.#process = new KeptProcess(
      {
        name: 'the process of this fax line',
        unhurried: 'a busy machine may break off calls',
        command: 'fax-line',
        node: heap,
        detached: false,
        // Below the guard, whose heartbeats must not wait while a page is coded.
        priority: 5,
        limits: channelLimits,
        longestRestart: 10_000,
        sound: 60_000,
        patience: 4_000,
        log,
        ...options,
      },
      {
        begun: () => {
          this.#process.tell({ kind: 'begin', config })
          events.up()
        },
        take: (message) => this.#take(message),
        cut: () => {},
        gone: (why) => events.gone(why),
      },
    )
  }

  /** Of the process that runs, for tests and status. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  start(): void {
    this.#process.start()
  }

  tell(message: ToProcess): boolean {
    return this.#process.tell(message)
  }

  stop(): Promise<void> {
    return this.#process.stop({ kind: 'stop' })
  }

  #take(message: FromProcess): void {
    switch (message.kind) {
      case 'up':
        void this.#process.hurry()
        return
      case 'alive':
        return
      case 'log':
        this.#log[message.level](message.fields, message.text)
        return
      default:
        this.#events.take(message)
    }
  }
}
