/** The time of a line that is faster than life, for whatever speaks to it in a test. */
import { monotonic } from '#core/clock.ts'
import type { Timing } from '#fax/timing.ts'

/** @param speed how many times faster than life */
export const fastTiming = (speed: number): Timing => ({
  now: () => monotonic() * speed,
  after: (ms, run) => {
    const timer = setTimeout(run, ms / speed)
    return () => clearTimeout(timer)
  },
  patient: true,
})
