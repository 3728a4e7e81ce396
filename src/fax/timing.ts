/**
 * Time for fax dialogues: one clock and timers of the same clock. It is an argument of everything that speaks to a line,
 * so that a whole dialogue can go by the time of a line that is not a real one.
 */
export interface Timing {
  /** ms of a clock that no one sets */
  now(): number
  /** Runs once after `ms`. @returns cancels it; afterwards it does nothing */
  after(ms: number, run: () => void): () => void
  /** The line waits for whoever does not keep up: a soft modem that is faster than life does. */
  readonly patient?: boolean
}

/** The time of a real line. @param monotonic ms of a clock that no one sets */
export const timing = (monotonic: () => number): Timing => ({
  now: monotonic,
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
})
