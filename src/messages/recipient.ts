/**
 * Recipients as people write them, into the digits that an SMS address carries. Pure.
 *
 * Rests on E.164 (at most 15 digits after the +, the first of them not 0) and 3GPP TS 23.040 9.1.2.5 (at most 20 digits).
 */

export type Recipient = { number: string } | { problem: string }

const allowed =
  'Allowed are + and 3 to 15 digits, a national number or a short code of 2 to 20 digits (also * and #), ' +
  'with spaces, hyphens, dots, slashes and round brackets between them.'

export function parseRecipient(text: string): Recipient {
  // In "+49 (0) 170 1234567" the zero is what callers inside the country dial instead of +49.
  const international = text.trimStart().startsWith('+')
  const number = (international ? text.replace('(0)', '') : text).replace(/[ \-./()]/g, '')
  if (/^\+[1-9][0-9]{2,14}$/.test(number)) return { number }
  if (/^[0-9*#]{2,20}$/.test(number) && /[0-9]/.test(number)) return { number }
  return { problem: `${problemOf(number)} ${allowed}` }
}

function problemOf(number: string): string {
  if (number === '') return 'The number is empty.'
  if (/^\+0[0-9]*$/.test(number)) return 'After + the country code is missing: none begins with 0.'
  if (/^\+[0-9]*$/.test(number)) return `After + there are ${number.length - 1} digits.`
  if (/^[*#]+$/.test(number)) return 'The number has no digit.'
  if (/^[0-9*#]+$/.test(number)) return `The number has ${number.length} digits.`
  return 'The number has characters that no number has.'
}
