/**
 * How a number is dialled on a line: `+` and the country code become what this line's exchange wants, a prefix for the
 * outside line goes before it. Pure. What a modem dials: V.250, 6.3.1; ITU-T E.164 for the numbers.
 */
import type { FaxDialSettings } from '#config/fax.ts'

/** @returns what follows ATDT (tones: many modems would dial in pulses by themselves); undefined when the number holds nothing that can be dialled */
export function dialString(to: string, dial: FaxDialSettings): string | undefined {
  const number = to.replaceAll(/[^0-9+*#]/g, '')
  const digits = number.replaceAll('+', '')
  if (digits === '') return undefined
  if (!number.startsWith('+')) return dial.prefix + digits
  const { country } = dial
  if (country !== undefined && digits.startsWith(country) && digits.length > country.length)
    return dial.prefix + dial.national + digits.slice(country.length)
  return dial.prefix + dial.international + digits
}
