/**
 * Heartbeat profiles: how often members of a pair say that they live, when silence counts, and how long the virtual
 * address and the right to transmit outlast the last renewal. The figures rest on measurements of the kernel's address
 * lifetimes: whole seconds to set, removed at most 0.5 s late; an nft set element lapses to the millisecond, but a
 * renewal that is stuck in a pipe can prolong it by one more lease. Pure.
 */
import { formatDuration } from '#core/duration.ts'
import type { Section } from './section.ts'
import type { HeartbeatProfile, VirtualIp } from './types.ts'

type Driver = VirtualIp['driver'] | undefined
type Named = Exclude<HeartbeatProfile['name'], 'custom'>

const second = 1_000
const minute = 60 * second

/** `lease` and `renew` as they are with addresses whose lifetime the kernel ends. */
const named: Record<Named, Pick<HeartbeatProfile, 'interval' | 'misses' | 'timeout' | 'lease' | 'renew'>> = {
  fast: { interval: 100, misses: 3, timeout: 0, lease: second, renew: 100 },
  normal: { interval: 200, misses: 4, timeout: 0, lease: second, renew: 250 },
  calm: { interval: second, misses: 3, timeout: 0, lease: 3 * second, renew: 750 },
  // Its renewals travel with the heartbeats, so that the wire stays as quiet as it can be.
  telisca: { interval: 30 * second, misses: 5, timeout: 10 * second, lease: minute, renew: 30 * second },
}

export const profileNames = ['fast', 'normal', 'calm', 'telisca'] as const satisfies readonly Named[]

/** The shortest lease that nft was measured to keep, ms. */
const SHORT_LEASE = 300

export function profileNamed(name: Named, driver: Driver): HeartbeatProfile {
  const { lease, renew, ...beats } = named[name]
  const short = driver === 'nft' && lease === second
  const held = short ? SHORT_LEASE : lease
  return {
    name,
    ...beats,
    lease: held,
    renew: short ? SHORT_LEASE / 4 : renew,
    grantWait: shortestWait(held, driver),
  }
}

/** The kernel ends an address up to 0.5 s late, and 0.15 s are for the way there and back. An nft lease can be renewed once too late. */
const shortestWait = (lease: number, driver: Driver) => (driver === 'nft' ? 2 * lease + 100 : lease + 650)

/** ms without a sign of life after which a member is silent. */
export const silenceAfter = ({ interval, misses, timeout }: HeartbeatProfile): number =>
  interval * misses + timeout

/** A profile written by hand. What is wrong is reported to the section. */
export function readProfile(section: Section, driver: Driver): HeartbeatProfile {
  for (const key of ['interval', 'misses']) section.required(key)
  const normal = profileNamed('normal', driver)
  const interval = section.duration('interval', normal.interval, { min: 50, max: 5 * minute })
  const misses = section.whole('misses', normal.misses, { min: 2, max: 100 })
  const timeout = section.duration('timeout', 0, { min: 0, max: minute })
  const leaseRange = { min: driver === 'nft' ? 200 : second, max: 5 * minute }
  const lease = section.duration('lease', normal.lease, leaseRange)
  if (driver !== 'nft' && lease % second !== 0) {
    section.problem(
      'lease',
      `must be whole seconds, such as ${formatDuration(Math.ceil(lease / second) * second)}: the kernel knows no finer ones (driver nft does)`,
    )
  }
  const renew = section.duration('renew', Math.floor(lease / 4), { min: 25, max: 150 * second })
  if (renew > lease / 2) {
    section.problem(
      'renew',
      `must be at most half of lease (${formatDuration(Math.floor(lease / 2))}), so that one lost renewal does no harm`,
    )
  }
  const least = shortestWait(lease, driver)
  const grantWait = section.duration('grantWait', least, { min: 300, max: 15 * minute })
  if (grantWait < least) {
    section.problem(
      'grantWait',
      `must be at least ${formatDuration(least)} with a lease of ${formatDuration(lease)}: before that the other member may still hold the address`,
    )
  }
  checkRestart(section, interval, misses)
  section.finish()
  return { name: 'custom', interval, misses, timeout, lease, renew, grantWait }
}

/** A member that only restarts must be back before its silence counts, even when its last heartbeat was lost. */
function checkRestart(section: Section, interval: number, misses: number): void {
  if (!section.has('restart')) return
  const restart = section.duration('restart', minute, { min: 1, max: 60 * minute })
  const patience = (misses - 1) * interval
  if (patience > restart) return
  const enough = Math.floor(restart / interval) + 2
  section.problem(
    'restart',
    `(misses - 1) × interval is ${formatDuration(patience)} and must be longer than restart (${formatDuration(restart)}), or a member that restarts is taken for dead; misses: ${enough} would do`,
  )
}
