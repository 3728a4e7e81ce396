/**
 * Whether this appliance could do its work: what makes an active member hand over to a healthy one. Slow on purpose, so
 * that a modem which the supervisor is about to bring back, or a disk that pauses, moves nothing.
 */
import type { Clock } from '#core/clock.ts'
import type { Line } from '#lines/contract.ts'
import type { Reason } from '#messages/states.ts'

/** No line was ready for so long, ms: longer than any recovery step of a modem. */
const LINES_MS = 60_000
/** The disk has refused for so long, ms. A pause of 2 s moves no address. */
const DISK_MS = 5_000

const noLine: Reason = {
  code: 'no-line-ready',
  text: 'No line of this appliance has been ready for a minute.',
}
const noDisk: Reason = { code: 'disk-refuses', text: 'The disk of this appliance takes no writes.' }

export class SelfCheck {
  readonly #lines: readonly Pick<Line, 'status'>[]
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #diskRefuses: () => boolean
  #lineSince: number
  #diskSince: number

  /** @param diskRefuses whether something that happened could not be written yet */
  constructor(
    lines: readonly Pick<Line, 'status'>[],
    clock: Pick<Clock, 'monotonic'>,
    diskRefuses: () => boolean,
  ) {
    this.#lines = lines
    this.#clock = clock
    this.#diskRefuses = diskRefuses
    this.#lineSince = clock.monotonic()
    this.#diskSince = this.#lineSince
  }

  /** How many lines could take a delivery. */
  linesHealthy(): number {
    return this.#lines.filter((line) => line.status().state === 'ready').length
  }

  /** Undefined while all is well. To be asked several times a second: it remembers when it last was. */
  problem(): Reason | undefined {
    const now = this.#clock.monotonic()
    if (this.linesHealthy() > 0 || this.#lines.length === 0) this.#lineSince = now
    if (!this.#diskRefuses()) this.#diskSince = now
    if (now - this.#diskSince > DISK_MS) return noDisk
    if (now - this.#lineSince > LINES_MS) return noLine
    return undefined
  }
}
