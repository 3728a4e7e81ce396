/**
 * What the far side would receive: takes an SMS-SUBMIT apart by its own reading of 3GPP TS 23.040 9.2.2.2 and wraps
 * its user data in an SMS-DELIVER (9.2.2.1) from the number it was sent to.
 */
import { planText } from '#sms/coding.ts'
import { decodeIncoming } from '#sms/deliver.ts'
import { encodeSubmit, type SubmitPart } from '#sms/submit.ts'

const TIMESTAMP = '62112190001000'

export function asDeliver(submit: string, serviceCentre = '00'): string {
  const first = Number.parseInt(submit.slice(2, 4), 16)
  const digits = Number.parseInt(submit.slice(6, 8), 16)
  const addressEnd = 6 + 4 + Math.ceil(digits / 2) * 2
  const address = submit.slice(6, addressEnd)
  const protocolAndCoding = submit.slice(addressEnd, addressEnd + 4)
  const userData = submit.slice(addressEnd + 6)
  const deliverFirst = (0x04 | (first & 0x40)).toString(16).padStart(2, '0')
  return `${serviceCentre}${deliverFirst}${address}${protocolAndCoding}${TIMESTAMP}${userData}`.toUpperCase()
}

export const submitDefaults = {
  to: '+491701234567',
  concatenation: 0x1234,
  statusReport: false,
  validityMs: 1_800_000,
  flash: false,
} as const

/** Every part of a text as its PDU. */
export function pdusOf(text: string, reference: 8 | 16, change: Partial<SubmitPart> = {}): string[] {
  const { coding, parts } = planText(text, reference)
  return parts.map(
    (part, i) =>
      encodeSubmit({ ...submitDefaults, text: part, coding, part: i, parts: parts.length, ...change }).pdu,
  )
}

/** Sends a text and receives it. */
export function received(text: string, reference: 8 | 16) {
  return pdusOf(text, reference).map((pdu) => {
    const incoming = decodeIncoming(asDeliver(pdu))
    if (incoming.type !== 'deliver') throw new Error(`${incoming.type}: ${pdu}`)
    return incoming
  })
}
