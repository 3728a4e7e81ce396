/**
 * Keeps one fax modem working, inside the process of its line: a supervised line (lines/supervisor.ts) that is spoken
 * to over the byte port of a fax modem. Knows nothing of calls but that one is under way.
 */
import type { PortAddress } from '#config/types.ts'
import type { Log } from '#core/log.ts'
import type { TraceEntry } from '#lines/at-trace.ts'
import { portOpener } from '#lines/ports.ts'
import { ladder } from '#lines/recovery-ladder.ts'
import { type Prepared, Supervisor } from '#lines/supervisor.ts'
import type { FaxModem } from '../contract.ts'
import { ModemPort } from '../modem-port.ts'
import type { Timing } from '../timing.ts'
import type { ModemView } from './protocol.ts'

/** How long a modem takes to start. */
const BOOT_MS = 5_000

/** A modem that was found, and its driver. */
export interface Found {
  modem: FaxModem
  identity: { manufacturer: string; model: string; revision: string }
  /** The name of its profile, where it has one. */
  profile?: string
}

export interface KeeperOptions {
  address: PortAddress
  timing: Timing
  /** ms of the monotonic clock */
  monotonic: () => number
  log: Log
  /** Finds out what the modem is and makes its driver. Ends soon after `signal` aborts. Never rejects. */
  prepare(
    port: ModemPort,
    signal: AbortSignal,
  ): Promise<({ result: 'ready' } & Found) | Extract<Prepared, { result: 'silent' | 'fault' }>>
  /** What the modem says of itself: RING, a caller's number. */
  line(text: string): void
  changed(): void
}

export class Keeper {
  readonly #supervisor: Supervisor<ModemPort>
  #found: Found | undefined

  constructor({ address, timing, monotonic, log, prepare, line, changed }: KeeperOptions) {
    this.#supervisor = new Supervisor<ModemPort>(
      { address, rungs: ladder([], BOOT_MS), opener: portOpener(0), log, monotonic },
      {
        speak: (port, trace) =>
          new ModemPort({
            write: (bytes) => port.write(Buffer.from(bytes).toString('latin1')),
            backlog: () => port.backlog(),
            timing,
            trace,
            line,
          }),
        prepare: async (port, signal) => {
          this.#found = undefined
          const prepared = await prepare(port, signal)
          if (prepared.result !== 'ready') return prepared
          const { result: _, ...found } = prepared
          const { modem } = found
          if (!signal.aborted) this.#found = found
          return { result: 'ready', known: { class: modem.class } }
        },
        ready: () => {},
        down: () => {},
        changed,
      },
    )
  }

  /** The modem, while it can be used. */
  get modem(): FaxModem | undefined {
    return this.#supervisor.working ? this.#found?.modem : undefined
  }

  view(): Omit<ModemView, 'occupied'> {
    const { nextTryMonotonic, ...status } = this.#supervisor.status()
    return {
      ...status,
      ...(nextTryMonotonic === undefined ? {} : { nextTry: nextTryMonotonic }),
      ...(this.#found ? { class: this.#found.modem.class, modem: this.#found.identity } : {}),
      ...(this.#found?.profile === undefined ? {} : { profile: this.#found.profile }),
    }
  }

  run(): void {
    this.#supervisor.start()
  }

  rest(): void {
    this.#supervisor.disable()
  }

  restart(): void {
    this.#supervisor.restart()
  }

  /** Resolves when the port is closed. Bounded. */
  stop(): Promise<void> {
    return this.#supervisor.stop()
  }

  /** A call went well: whatever was wrong is over. */
  proven(): void {
    this.#supervisor.proven()
  }

  /** The newest of the dialogue with the modem, masked. */
  dialogue(): TraceEntry[] {
    return this.#supervisor.trace.newest()
  }

  /** Between calls: whether the modem still answers. */
  async look(): Promise<void> {
    const port = this.#supervisor.working ? this.#supervisor.dialogue : undefined
    if (port === undefined || (await port.resync()) || port.closed) return
    if (this.#supervisor.working)
      this.#supervisor.fault({ code: 'no-answer', text: 'The modem does not answer' })
  }
}
