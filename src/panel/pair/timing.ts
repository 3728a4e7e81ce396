/**
 * What a heartbeat profile means for people, while they type it: how long after a fault another member serves, and
 * whether a member that only restarts would be taken for dead. The figures of the named profiles and the rules are
 * those of the appliance (src/config/heartbeat.ts and promises.ts), which decides; a test compares the two. Pure.
 */

export const profileNames = ['fast', 'normal', 'calm', 'telisca'] as const
export type ProfileName = (typeof profileNames)[number]
export type Driver = 'iproute2' | 'nft' | 'external' | 'none' | undefined

/** All in ms, but for `misses`. */
export interface Beats {
  interval: number
  misses: number
  timeout: number
  lease: number
}

const second = 1_000

const named: Record<ProfileName, Beats> = {
  fast: { interval: 100, misses: 3, timeout: 0, lease: second },
  normal: { interval: 200, misses: 4, timeout: 0, lease: second },
  calm: { interval: second, misses: 3, timeout: 0, lease: 3 * second },
  telisca: { interval: 30 * second, misses: 5, timeout: 10 * second, lease: 60 * second },
}

export function beatsOf(name: ProfileName, driver: Driver): Beats {
  const beats = named[name]
  return driver === 'nft' && beats.lease === second ? { ...beats, lease: 300 } : beats
}

export interface Circumstances {
  driver: Driver
  /** A witness or a third member is asked before anybody takes over. */
  asked: boolean
  /** ms that lines need which are connected only at a takeover: 200 for the port and 200 for the modem of each. */
  lineStart: number
  /** The least that is waited for the other's lease to end, where somebody wrote more than the rule asks. */
  grantWait?: number
}

/** The parts of the time after which clients are served again when the active box is dead, ms. */
export interface FailoverTime {
  /** failures × interval + timeout, until the silence counts */
  silence: number
  /** Until the address has surely left the box that was active. */
  lease: number
  /** To ask the witness or a third member. */
  asking: number
  /** To write the term, add the address and announce it. */
  taking: number
  /** As operators of such systems reckon: see `lineStart`. */
  lines: number
  /** Clients are served: the longer of silence and lease, then asking. */
  served: number
  /** The first message goes out. */
  sending: number
}

const TAKING = 50

export function failoverTime(
  beats: Beats,
  { driver, asked, lineStart, grantWait = 0 }: Circumstances,
): FailoverTime {
  const silence = beats.interval * beats.misses + beats.timeout
  const least = driver === 'nft' ? 2 * beats.lease + 100 : beats.lease + 650
  const lease = Math.max(least, grantWait)
  const asking = asked ? (driver === 'nft' ? 150 : 400) : 0
  const served = Math.max(silence, lease + TAKING) + asking
  return {
    silence,
    lease,
    asking,
    taking: TAKING,
    lines: lineStart,
    served,
    sending: served + lineStart,
  }
}

export interface RestartRule {
  kept: boolean
  /** (misses − 1) × interval, ms: how long a member may be away when its last heartbeat was lost as well. */
  patience: number
  /** The least number of misses with which the rule is kept. */
  enough: number
}

/** (N − 1) × interval must be longer than a restart takes. @param restart ms */
export function restartRule(
  { interval, misses }: Pick<Beats, 'interval' | 'misses'>,
  restart: number,
): RestartRule {
  const patience = (misses - 1) * interval
  return { kept: patience > restart, patience, enough: Math.floor(restart / interval) + 2 }
}

const units = {
  ms: 1,
  s: second,
  m: 60 * second,
  h: 3_600 * second,
  d: 86_400 * second,
  w: 604_800 * second,
} as const
type Unit = keyof typeof units

/** A span as the configuration writes it: `500ms`, `30s`. @returns ms, or undefined when it is none */
export function parseSpan(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,12})(ms|s|m|h|d|w)$/.exec(text.trim()) ?? []
  return unit === undefined ? undefined : Number(digits) * units[unit as Unit]
}

/** ms as the configuration writes it. */
export const writtenSpan = (ms: number): string =>
  ms >= second && ms % second === 0 ? `${ms / second}s` : `${ms}ms`

/** ms as people read it, with as many digits as matter: `1.65 s`, `2 min 40 s`. */
export function spanText(ms: number): string {
  if (ms < second) return `${Math.round(ms)} ms`
  if (ms < 120 * second) return `${Number((ms / second).toFixed(ms < 10 * second ? 2 : 1))} s`
  const whole = Math.round(ms / second)
  const [hours, minutes, seconds] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60]
  if (hours >= 48) return `${Math.round(hours / 24)} d`
  return [
    hours > 0 ? `${hours} h` : '',
    minutes > 0 ? `${minutes} min` : '',
    seconds > 0 && hours === 0 ? `${seconds} s` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}
