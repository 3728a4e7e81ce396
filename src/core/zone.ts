/** Times of day and months in a time zone (IANA), for the storm guard and for lines that do not dial at night. Pure; rests on ECMA-402. */

const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far local time is ahead of UTC, ms. */
function ahead(at: number, zone: string): number {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  const fields = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const of = (type: Intl.DateTimeFormatPartTypes) => fields.get(type) ?? 0
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
  return local - (at - (at % 1_000))
}

/** What local time was when this began, taken as UTC, becomes the instant. */
function instant(local: number, near: number, zone: string): number {
  const guess = local - ahead(near, zone)
  return local - ahead(guess, zone)
}

/** @returns when the month of an instant began, ms since 1970 */
export function monthBegin(at: number, zone: string): number {
  const local = new Date(at + ahead(at, zone))
  return instant(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), 1), at, zone)
}

/**
 * @param hours in minutes since midnight; `until` before `from` is on the next day
 * @returns when these hours end, ms since 1970; undefined outside of them
 */
export function quietEnd(
  { from, until }: { from: number; until: number },
  at: number,
  zone: string,
): number | undefined {
  const local = at + ahead(at, zone)
  const minutes = Math.floor(local / MINUTE_MS) % DAY_MINUTES
  const inside = from < until ? minutes >= from && minutes < until : minutes >= from || minutes < until
  if (!inside) return undefined
  const left = (until - minutes + DAY_MINUTES) % DAY_MINUTES
  const end = local - (local % MINUTE_MS) + left * MINUTE_MS
  return instant(end, at, zone)
}
