/**
 * SMS-SUBMIT: one part of a text as the PDU that AT+CMGS takes. Pure.
 *
 * Rests on 3GPP TS 23.040 9.2.2.2 (layout), 9.2.3.12.1 (relative validity), 9.2.3.24 (user data header), 23.038 clause 4
 * (data coding scheme) and 27.005 4.3 (the service centre's address before the TPDU; length 00 means the one on the SIM).
 */
import type { Coding } from '#messages/message.ts'
import { encodeAddress } from './address.ts'
import { packSeptets, septetMap, toSeptets } from './gsm7.ts'

export interface SubmitPart {
  /** As parseRecipient() gives it. */
  to: string
  /** The text of this part, as planText() or splitText() cut it. */
  text: string
  coding: Coding
  /** Counts from 0. */
  part: number
  /** At most 255 (9.2.3.24.1). */
  parts: number
  /** The concatenation reference; its lower 8 or 16 bits are used, and none when there is one part. */
  concatenation: number
  statusReport: boolean
  /** How long the service centre may try, ms. */
  validityMs: number
  /** Class 0: shown at once, not stored (23.038 clause 4). */
  flash: boolean
}

export interface SubmitPdu {
  /** Upper case, service-centre length 00 first. */
  pdu: string
  /** Octets of the TPDU, for `AT+CMGS=<length>`. */
  length: number
}

// First octet (9.2.2.2).
const SUBMIT = 0x01
const VALIDITY_RELATIVE = 0x10
const REPORT_REQUEST = 0x20
const HAS_HEADER = 0x40

const SERVICE_CENTRE_OF_SIM = 0x00
/** The modem sets TP-Message-Reference itself (27.005 3.5.1 answers with it). */
const REFERENCE_BY_MODEM = 0x00
const PROTOCOL_DEFAULT = 0x00

// Data coding scheme, general group.
const DCS_GSM7 = 0x00
const DCS_UCS2 = 0x08
const DCS_CLASS_0 = 0x10

// Information elements (9.2.3.24): 8- and 16-bit concatenation, national language single and locking shift.
const CONCATENATION_8 = 0x00
const CONCATENATION_16 = 0x08
const NATIONAL_SINGLE = 0x24
const NATIONAL_LOCKING = 0x25

export function encodeSubmit(part: SubmitPart): SubmitPdu {
  const header = encodeHeader(part)
  const first =
    SUBMIT |
    VALIDITY_RELATIVE |
    (part.statusReport ? REPORT_REQUEST : 0) |
    (header.length > 0 ? HAS_HEADER : 0)
  const scheme = (part.coding.alphabet === 'gsm7' ? DCS_GSM7 : DCS_UCS2) | (part.flash ? DCS_CLASS_0 : 0)
  const tpdu = [
    first,
    REFERENCE_BY_MODEM,
    ...encodeAddress(part.to),
    PROTOCOL_DEFAULT,
    scheme,
    encodeValidity(part.validityMs),
    ...encodeUserData(part.text, part.coding, header),
  ]
  const pdu = Buffer.from([SERVICE_CENTRE_OF_SIM, ...tpdu])
    .toString('hex')
    .toUpperCase()
  return { pdu, length: tpdu.length }
}

/** The user data header with its length octet; empty when there is nothing to say. */
function encodeHeader({ coding, concatenation, part, parts }: SubmitPart): number[] {
  const elements: number[] = []
  if (parts > 1 && coding.reference === 8) {
    elements.push(CONCATENATION_8, 3, concatenation & 0xff, parts, part + 1)
  } else if (parts > 1) {
    elements.push(CONCATENATION_16, 4, (concatenation >> 8) & 0xff, concatenation & 0xff, parts, part + 1)
  }
  if (coding.single > 0) elements.push(NATIONAL_SINGLE, 1, coding.single)
  if (coding.locking > 0) elements.push(NATIONAL_LOCKING, 1, coding.locking)
  return elements.length === 0 ? [] : [elements.length, ...elements]
}

/** User data with its length, which counts septets (header included, rounded up) or octets (9.2.3.16). */
function encodeUserData(text: string, coding: Coding, header: readonly number[]): number[] {
  if (coding.alphabet === 'ucs2') {
    const octets = Buffer.from(text, 'utf16le').swap16()
    return [header.length + octets.length, ...header, ...octets]
  }
  const septets = toSeptets(text, septetMap(coding.locking, coding.single))
  const headerSeptets = Math.ceil((header.length * 8) / 7)
  const fillBits = headerSeptets * 7 - header.length * 8
  return [headerSeptets + septets.length, ...header, ...packSeptets(septets, fillBits)]
}

const MINUTES = 60_000
const HOURS = 60 * MINUTES
const DAYS = 24 * HOURS

/**
 * TP-Validity-Period, relative (9.2.3.12.1), rounded down so that the service centre never tries for longer than was
 * asked, but at least 5 minutes: less cannot be said.
 */
export function encodeValidity(ms: number): number {
  if (ms >= 5 * 7 * DAYS) return Math.min(Math.floor(ms / (7 * DAYS)) + 192, 255)
  if (ms >= 2 * DAYS) return Math.min(Math.floor(ms / DAYS) + 166, 196)
  if (ms >= 12.5 * HOURS) return Math.min(143 + Math.floor((ms - 12 * HOURS) / (30 * MINUTES)), 167)
  return Math.max(Math.min(Math.floor(ms / (5 * MINUTES)), 144) - 1, 0)
}
