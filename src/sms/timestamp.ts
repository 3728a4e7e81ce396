/**
 * Service-centre time stamps: seven octets of swapped semi-octets, local time and its distance from UTC in quarters of an
 * hour, 3GPP TS 23.040 9.2.3.11. Also used for the discharge time (9.2.3.13). Pure.
 */

export const TIMESTAMP_OCTETS = 7

/** Two-digit years from here on are of the last century: the first short message went out in 1992. */
const FIRST_YEAR = 90
/** Bit 4 of the zone octet: west of Greenwich. */
const WEST = 0x08
/** UTC+14 is the farthest zone there is. */
const MAX_QUARTERS = 14 * 4

/** @returns ms since 1970, or undefined when the octets are no time */
export function decodeTimestamp(octets: Uint8Array): number | undefined {
  const fields = [...octets.subarray(0, TIMESTAMP_OCTETS - 1)].map(swapped)
  const [year, month, day, hour, minute, second] = fields
  const zone = octets[TIMESTAMP_OCTETS - 1]
  if (
    year === undefined ||
    month === undefined ||
    day === undefined ||
    hour === undefined ||
    minute === undefined ||
    second === undefined ||
    zone === undefined
  ) {
    return undefined
  }
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const fullYear = year < FIRST_YEAR ? 2000 + year : 1900 + year
  const local = new Date(Date.UTC(fullYear, month - 1, day, hour, minute, second))
  // Date carries a day 31 of a short month, a day 0 or a month 13 over into another month.
  if (local.getUTCMonth() !== month - 1) return undefined
  return local.getTime() - zoneQuarters(zone) * 900_000
}

/** A zone that makes no sense counts as UTC: the time is then a few hours off, which beats having none. */
function zoneQuarters(zone: number): number {
  const quarters = swapped(zone & ~WEST)
  if (quarters === undefined || quarters > MAX_QUARTERS) return 0
  return (zone & WEST) === 0 ? quarters : -quarters
}

/** Two decimal digits, the first in the lower half; undefined when a half is no digit. */
function swapped(octet: number): number | undefined {
  const tens = octet & 0x0f
  const ones = octet >> 4
  return tens > 9 || ones > 9 ? undefined : tens * 10 + ones
}
