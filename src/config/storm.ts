/**
 * The storm guard's settings: what counts as a repetition, how much one recipient, line and SIM get, and when whom
 * nothing reaches but what has priority 0. Everything is off until it is written. Pure.
 */
import { formatDuration } from '#core/duration.ts'
import { quoted, type Section } from './section.ts'
import { matching, parseRate } from './values.ts'

export interface StormConfig {
  /** The same again to the same recipient within so long is folded. */
  dedupe?: {
    /** ms */
    window: number
    /** Equal texts count as the same where a request names no key. */
    text: boolean
  }
  /** Of what comes for one recipient within so long, this many go out one by one; the others become one digest. */
  group?: { after: number; window: number }
  /** In SMS parts. Of the parts of a recipient one is kept for the digest. */
  budgets: { recipient?: Budget; line?: Budget; month?: number }
  quiet: QuietHours[]
  /** IANA name, for quiet hours and months. */
  zone: string
}

export interface Budget {
  parts: number
  perMs: number
}

export interface QuietHours {
  /** Ids of contacts and groups, and numbers; `*` is everybody. */
  to: string[]
  /** Minutes since midnight. `until` before `from` is on the next day. */
  from: number
  until: number
}

const minute = 60_000
const day = 1_440 * minute

export const noStorm = (): StormConfig => ({ budgets: {}, quiet: [], zone: 'UTC' })

/** Nothing of it is configured: no message is looked at. */
export const isOff = ({ dedupe, group, budgets, quiet }: StormConfig): boolean =>
  dedupe === undefined && group === undefined && Object.keys(budgets).length === 0 && quiet.length === 0

export function readStorm(root: Section): StormConfig {
  const section = root.section('storm')
  const storm = noStorm()
  const dedupe = section.section('dedupe')
  if (section.has('dedupe')) {
    const window = dedupe.duration('window', 5 * minute, { min: 1_000, max: day })
    storm.dedupe = { window, text: dedupe.flag('text', false) }
  }
  dedupe.finish()
  const group = section.section('group')
  if (section.has('group')) {
    const after = group.whole('after', 3, { min: 1, max: 1_000 })
    storm.group = { after, window: group.duration('window', minute, { min: 1_000, max: day }) }
  }
  group.finish()
  const budgets = section.section('budgets')
  const recipient = budgets.parsed('recipient', parseRate)
  const line = budgets.parsed('line', parseRate)
  if (recipient !== undefined && recipient.parts < 2)
    budgets.problem('recipient', 'must be at least 2 parts: one of them is kept for the digest')
  if (recipient !== undefined) storm.budgets.recipient = recipient
  if (line !== undefined) storm.budgets.line = line
  if (budgets.has('month')) storm.budgets.month = budgets.whole('month', 1_000, { min: 1, max: 10_000_000 })
  budgets.finish()
  storm.quiet = readQuiet(section)
  storm.zone = section.parsed('zone', parseZone) ?? storm.zone
  if (storm.quiet.length > 0 && !section.has('zone'))
    section.problem('zone', 'is missing; quiet hours need a time zone such as Europe/Berlin')
  section.finish()
  return storm
}

function readQuiet(section: Section): QuietHours[] {
  return section.sections('quiet').map((one) => {
    for (const key of ['to', 'from', 'until']) one.required(key)
    const to = one.words('to').map(({ word, problem }) => {
      if (!/^(\*|\+?[0-9*#]{2,20}|[A-Za-z][A-Za-z0-9._-]{0,62})$/.test(word))
        problem(`${quoted(word)} is no contact, group or number; write "*" for everybody`)
      return word
    })
    if (one.has('to') && to.length === 0) one.problem('to', 'must name somebody; write "*" for everybody')
    const from = minutesOf(one.parsed('from', parseTime) ?? '00:00')
    const until = minutesOf(one.parsed('until', parseTime) ?? '00:01')
    if (from === until) one.problem('until', 'is the same time as from; quiet hours must end')
    one.finish()
    return { to, from, until }
  })
}

export const parseTime = matching(
  /^([01][0-9]|2[0-3]):[0-5][0-9]$/,
  'write a time such as "22:00", in quotes',
)

/** @returns minutes since midnight */
export const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))

export function parseZone(text: string): { value: string } | { allowed: string } {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return { value: text }
  } catch {
    return { allowed: 'write the name of a time zone, such as Europe/Berlin or UTC' }
  }
}

/** As people write it; readStorm() reads it back. */
export function writtenStorm(storm: StormConfig): Record<string, unknown> {
  if (isOff(storm)) return {}
  const { dedupe, group, budgets, quiet, zone } = storm
  const rate = ({ parts, perMs }: Budget) => `${parts}/${formatDuration(perMs)}`
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  return {
    ...(dedupe === undefined ? {} : { dedupe: { window: formatDuration(dedupe.window), text: dedupe.text } }),
    ...(group === undefined ? {} : { group: { after: group.after, window: formatDuration(group.window) } }),
    ...(Object.keys(budgets).length === 0
      ? {}
      : {
          budgets: {
            ...(budgets.recipient === undefined ? {} : { recipient: rate(budgets.recipient) }),
            ...(budgets.line === undefined ? {} : { line: rate(budgets.line) }),
            ...(budgets.month === undefined ? {} : { month: budgets.month }),
          },
        }),
    ...(quiet.length === 0
      ? {}
      : {
          quiet: quiet.map(({ to, from, until }) => ({
            to: [...to],
            from: clock(from),
            until: clock(until),
          })),
        }),
    zone,
  }
}
