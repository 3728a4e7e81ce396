/**
 * Time for fax dialogues: one clock and timers of the same clock, so that a whole dialogue can run against a soft modem
 * that is faster than real time. For every real modem the speed is 1.
 */
export interface Timing {
  /** ms of a clock that no one sets */
  now(): number
  /** Runs once after `ms`. @returns cancels it; afterwards it does nothing */
  after(ms: number, run: () => void): () => void
  /** The line waits for whoever does not keep up: a soft modem that is faster than life does. */
  readonly patient?: boolean
}

/**
 * @param monotonic ms of a clock that no one sets
 * @param speed how many times faster than real time the modem's line runs
 */
export function timing(monotonic: () => number, speed = 1): Timing {
  return {
    now: () => monotonic() * speed,
    after: (ms, run) => {
      const timer = setTimeout(run, ms / speed)
      return () => clearTimeout(timer)
    },
    patient: speed !== 1,
  }
}
