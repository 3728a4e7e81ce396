/**
 * Tells a restart of the modem from the rest of the same start. A modem announces a start with several lines spread
 * over seconds (`RDY`, `+CPIN: READY` …); the profile lists them in their order. A line that comes later in that order
 * than the last one, while the modem may still be starting, continues the same start; any other means a new one.
 */
export class StartWatch {
  #last = -1
  #began = Number.NEGATIVE_INFINITY

  /**
   * @param boot the profile's lines, in order
   * @param startMs how long a start takes
   * @param now ms of the monotonic clock
   * @returns true when the modem has lost its state
   */
  isRestart(line: string, boot: readonly string[], startMs: number, now: number): boolean {
    const index = boot.findIndex((start) => line.startsWith(start))
    // A start that was not announced (at-channel.ts): an announcement behind it may be of another one, which must not be missed.
    if (index < 0) return true
    const same = now - this.#began < startMs && index > this.#last
    if (!same) this.#began = now
    this.#last = index
    return !same
  }
}
