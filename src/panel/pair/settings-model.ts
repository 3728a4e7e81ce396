/**
 * The keys of `pair` as a form: which belong together, and what they mean for the time after which another member
 * serves. Values are as the file writes them; what cannot be read here stands aside until it can. Pure.
 */
import { isRecord } from '../configuration/draft.ts'
import type { AnyField } from '../configuration/field-model.ts'
import {
  type Beats,
  beatsOf,
  type Driver,
  failoverTime,
  parseSpan,
  profileNames,
  restartRule,
  writtenSpan,
} from './timing.ts'

/** Fields by what an operator asks, each path in exactly one. What none of them has stands in `other`. */
export const groups = [
  { name: 'timing', paths: ['pair.profile'] },
  {
    name: 'role',
    paths: [
      'pair.switchover',
      'pair.mode',
      'pair.priority',
      'pair.master',
      'pair.preempt',
      'pair.aloneAfter',
      'pair.selfCheck',
    ],
  },
  { name: 'address', paths: ['pair.vip', 'pair.redirect'] },
  { name: 'network', paths: ['pair.listen', 'pair.logListen', 'pair.advertise', 'pair.lan', 'pair.witness'] },
  { name: 'safety', paths: ['pair.accept'] },
  { name: 'allow', paths: ['pair.allow'] },
] as const
export type GroupName = (typeof groups)[number]['name'] | 'other'

const within = (path: string, owner: string) => path === owner || path.startsWith(`${owner}.`)

export function grouped(fields: readonly AnyField[]): { name: GroupName; fields: AnyField[] }[] {
  const all: { name: GroupName; fields: AnyField[] }[] = groups.map(({ name, paths }) => ({
    name,
    fields: paths.flatMap((owner) => fields.filter(({ path }) => within(path, owner))),
  }))
  const rest = fields.filter(
    ({ path }) => !groups.some(({ paths }) => paths.some((owner) => within(path, owner))),
  )
  return [...all, { name: 'other' as const, fields: rest }].filter((group) => group.fields.length > 0)
}

/** What stands at a path below `pair`, whether the form has it as one field or as a section. */
export type ValueAt = (path: string) => unknown

export interface Outlook {
  beats: Beats
  /** ms after which clients are served, and the first message goes out. */
  served: number
  sending: number
  silence: number
  lease: number
  lines: number
  /** (misses − 1) × interval, ms: as long may a restart take. */
  patience: number
  /** Whether that is kept, where somebody said how long a restart takes. */
  restart?: { kept: boolean; enough: number; takes: number }
}

/**
 * @param lineStart ms that lines need which are connected only at a takeover
 * @returns undefined while a figure that it needs cannot be read
 */
export function outlook(valueAt: ValueAt, lineStart: number, thirdMember: boolean): Outlook | undefined {
  const driver = driverOf(valueAt)
  const beats = typedBeats(valueAt, driver)
  if (beats === undefined) return undefined
  const grantWait = spanAt(valueAt, 'pair.profile.grantWait')
  const asked = thirdMember || isGiven(valueAt('pair.witness'))
  const time = failoverTime(beats, {
    driver,
    asked,
    lineStart,
    ...(grantWait === undefined ? {} : { grantWait }),
  })
  const takes = spanAt(valueAt, 'pair.profile.restart')
  const rule = restartRule(beats, takes ?? 0)
  return {
    beats,
    served: time.served,
    sending: time.sending,
    silence: time.silence,
    lease: time.lease,
    lines: time.lines,
    patience: rule.patience,
    ...(takes === undefined ? {} : { restart: { kept: rule.kept, enough: rule.enough, takes } }),
  }
}

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== ''

export function driverOf(valueAt: ValueAt): Driver {
  const vip = valueAt('pair.vip')
  const driver = valueAt('pair.vip.driver') ?? (isRecord(vip) ? vip['driver'] : undefined)
  if (driver === 'nft' || driver === 'external' || driver === 'none') return driver
  return isGiven(valueAt('pair.vip.address')) || isRecord(vip) ? 'iproute2' : undefined
}

const profileValue = (valueAt: ValueAt, key: string): unknown => {
  const profile = valueAt('pair.profile')
  return isRecord(profile) ? profile[key] : valueAt(`pair.profile.${key}`)
}

function spanAt(valueAt: ValueAt, path: string): number | undefined {
  const value = profileValue(valueAt, path.slice('pair.profile.'.length))
  return typeof value === 'string' ? parseSpan(value) : undefined
}

/** A profile by hand begins with the figures that held before. @param before its name; the default where it had none */
export function byHand(before: unknown, driver: Driver): Record<string, unknown> {
  const { interval, misses, timeout, lease } = beatsOf(isNamed(before) ? before : 'normal', driver)
  return {
    interval: writtenSpan(interval),
    misses,
    ...(timeout === 0 ? {} : { timeout: writtenSpan(timeout) }),
    lease: writtenSpan(lease),
  }
}

const isNamed = (value: unknown): value is (typeof profileNames)[number] =>
  profileNames.some((name) => name === value)

function typedBeats(valueAt: ValueAt, driver: Driver): Beats | undefined {
  const profile = valueAt('pair.profile')
  const byHand = isRecord(profile) || isGiven(valueAt('pair.profile.interval'))
  if (!byHand) return beatsOf(isNamed(profile) ? profile : 'normal', driver)
  const interval = spanAt(valueAt, 'pair.profile.interval')
  const misses = Number(profileValue(valueAt, 'misses'))
  if (interval === undefined || !Number.isInteger(misses) || misses < 1) return undefined
  const lease = spanAt(valueAt, 'pair.profile.lease') ?? beatsOf('normal', driver).lease
  return { interval, misses, timeout: spanAt(valueAt, 'pair.profile.timeout') ?? 0, lease }
}
