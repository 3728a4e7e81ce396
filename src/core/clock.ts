/**
 * Time, as the rest of the program may know it.
 *
 * Wall time is for people and for expiry only; it never goes below what was last logged, so a box without a
 * battery-backed clock cannot travel back. Order comes from terms and sequence numbers, never from here.
 */
export interface Clock {
  /** Milliseconds since 1970 that never decrease, not even across restarts. */
  now(): number
  /**
   * Milliseconds of a clock that no one sets (CLOCK_MONOTONIC): the same in every process of this machine since its
   * boot, meaningless to any other machine.
   */
  monotonic(): number
  /** False while the system clock shows a time that has already passed: then nothing may expire. */
  trusted(): boolean
}

/** A forward step of the system clock beyond this is a correction (NTP after boot), not time that passed. */
const JUMP_MS = 60_000

/** As Clock.monotonic, for a process that has no wall clock to keep. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6

/**
 * @param lastLogged the newest wall time found in the store (ms since 1970), 0 when there is none
 * @param onJump told by how many ms the system clock was set forward while the program ran
 */
export function systemClock(lastLogged: number, onJump: (byMs: number) => void = () => {}): Clock {
  let base = Math.max(Date.now(), lastLogged)
  let baseAt = performance.now()
  const steady = () => Math.round(base + (performance.now() - baseAt))
  return {
    now() {
      const expected = steady()
      const shown = Date.now()
      const ahead = shown - expected
      if (ahead > 0) {
        base = shown
        baseAt = performance.now()
        if (ahead > JUMP_MS) onJump(ahead)
        return shown
      }
      return expected
    },
    monotonic,
    trusted: () => steady() - Date.now() < JUMP_MS,
  }
}
