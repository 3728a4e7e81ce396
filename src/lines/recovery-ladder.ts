/**
 * The recovery ladder of a supervised line: resync (ESC, AT) → ATZ → reset commands of the profile → DTR → close and
 * reopen → rest, and then from its foot again. Pure; supervisor-machine.ts climbs it. Rules:
 *  - every rung is followed by probes, one a second, so that a modem that comes back by itself is back in two;
 *  - a reset command needs a listener: while the modem answers nothing at all it would wait in a buffer and reset the
 *    modem that has just come back, so a deaf modem gets it only after DEAF_MS;
 *  - after a reset the modem has its boot time before the next rung;
 *  - no rest is longer than REST_MS, so a sole line is never away for long.
 */
const DEAF_MS = 90_000
const REST_MS = 10_000

export type Rung =
  | { rung: 'resync'; probes: number }
  | { rung: 'command'; command: string; reset: boolean; probes: number }
  | { rung: 'dtr'; probes: number }
  | { rung: 'reopen' }
  | { rung: 'rest'; ms: number }

/** The ladder of a modem. @param recovery its reset commands; @param bootMs how long it takes to start */
export function ladder(recovery: readonly string[], bootMs: number): Rung[] {
  const bootProbes = Math.ceil(bootMs / 1_000)
  return [
    { rung: 'resync', probes: 5 },
    { rung: 'command', command: 'ATZ', reset: false, probes: 3 },
    ...recovery.map(
      (command): Rung => ({
        rung: 'command',
        command,
        reset: true,
        probes: bootProbes,
      }),
    ),
    { rung: 'dtr', probes: 3 },
    { rung: 'reopen' },
    { rung: 'rest', ms: REST_MS },
  ]
}

/**
 * @param level how many rungs were climbed
 * @param deafMs for how long the modem has answered nothing at all; undefined where it answers
 * @returns the rung to climb now, and the level after it
 */
export function nextRung(
  rungs: readonly Rung[],
  level: number,
  deafMs: number | undefined,
): { rung: Rung | undefined; level: number } {
  let at = level % rungs.length
  const mustWait = (rung: Rung | undefined) =>
    rung?.rung === 'command' && rung.reset && deafMs !== undefined && deafMs < DEAF_MS
  while (mustWait(rungs[at])) at = (at + 1) % rungs.length
  return { rung: rungs[at], level: at + 1 }
}

/** Seconds that the modem takes to start: the probes of its reset rung. */
export const startProbes = (rungs: readonly Rung[]): number =>
  rungs.reduce((most, rung) => Math.max(most, rung.rung === 'command' && rung.reset ? rung.probes : 0), 10)

/** For the log. */
export function describe(rung: Rung): string {
  switch (rung.rung) {
    case 'resync':
      return 'getting back into step'
    case 'command':
      return rung.command
    case 'dtr':
      return 'dropping DTR'
    case 'reopen':
      return 'closing and opening the port'
    case 'rest':
      return `resting for ${rung.ms / 1_000} s`
  }
}
