/**
 * Writes what a network sends to a phone: SMS-DELIVER (3GPP TS 23.040, 9.2.2.1) and SMS-STATUS-REPORT (9.2.2.3),
 * in the form a modem shows them (3GPP TS 27.005, 4.1: service centre first). Pure; time is an argument.
 */
import { encodeSeptets, pack } from './gsm7.ts'

export interface Inbound {
  from: string
  text: string
  /** Reference of a multipart message; drawn by the network when it is left out. */
  reference?: number
  bits?: 8 | 16
  /** Message class; 0 is a flash message, 2 belongs on the SIM. */
  class?: number
  protocol?: number
  /** When the service centre got it, ms since 1970. */
  at?: number
}

/** A PDU for the TE: the hex text and the octets of the TPDU alone, which +CMT and +CDS announce. */
export interface ShownPdu {
  pdu: string
  length: number
  class?: number
}

/** @returns one PDU a part, in order */
export function encodeDeliver(message: Inbound, smsc: string, now: number): ShownPdu[] {
  const septets = encodeSeptets(message.text)
  const pieces =
    septets === undefined
      ? ucs2Pieces(message.text, message.bits ?? 8)
      : gsm7Pieces(septets, message.bits ?? 8)
  return pieces.map((piece, index) => {
    const header = pieces.length === 1 ? [] : concatenationHeader(message, index + 1, pieces.length)
    const skip = septets === undefined ? 0 : (7 - ((header.length * 8) % 7)) % 7
    const body = septets === undefined ? octetsOf(piece) : pack(piece, skip)
    const units =
      septets === undefined ? header.length + body.length : (header.length * 8 + skip) / 7 + piece.length
    const messageClass = message.class === undefined ? 0 : 0x10 | message.class
    return show(smsc, message.class, [
      (header.length === 0 ? 0x04 : 0x44) & 0xff,
      ...address(message.from),
      message.protocol ?? 0,
      (septets === undefined ? 0x08 : 0x00) | messageClass,
      ...timestamp(message.at ?? now),
      units,
      ...header,
      ...body,
    ])
  })
}

/** A submitted user data as the other phone gets it. */
export function forwardDeliver(
  from: string,
  coding: number,
  userData: { indicator: boolean; length: number; octets: Uint8Array },
  smsc: string,
  now: number,
): ShownPdu {
  const first = userData.indicator ? 0x44 : 0x04
  const head = [first, ...address(from), 0, coding, ...timestamp(now), userData.length]
  return show(smsc, (coding & 0xd0) === 0x10 ? coding & 3 : undefined, [...head, ...userData.octets])
}

/** @param times when the service centre got the message and when it was done with it, ms since 1970 */
export function encodeStatusReport(
  report: {
    to: string
    reference: number
    status: number
    submitted: number
    done: number
  },
  smsc: string,
): ShownPdu {
  // 0x06: SMS-STATUS-REPORT, TP-MMS 1 (no more messages waiting).
  return show(smsc, undefined, [
    0x06,
    report.reference,
    ...address(report.to),
    ...timestamp(report.submitted),
    ...timestamp(report.done),
    report.status,
  ])
}

function show(smsc: string, messageClass: number | undefined, tpdu: number[]): ShownPdu {
  const pdu = Buffer.from([...serviceCentre(smsc), ...tpdu])
    .toString('hex')
    .toUpperCase()
  return {
    pdu,
    length: tpdu.length,
    ...(messageClass === undefined ? {} : { class: messageClass }),
  }
}

function serviceCentre(number: string): number[] {
  if (number === '') return [0]
  const digits = semiOctets(number.replace('+', ''))
  return [digits.length + 1, number.startsWith('+') ? 0x91 : 0x81, ...digits]
}

/** TP-OA and TP-RA (9.1.2.5); anything but a number is sent as alphanumeric. */
function address(number: string): number[] {
  if (/^\+?[0-9*#]{1,20}$/.test(number)) {
    const digits = number.replace('+', '')
    return [digits.length, number.startsWith('+') ? 0x91 : 0x81, ...semiOctets(digits)]
  }
  const octets = pack((encodeSeptets(number) ?? []).slice(0, 11), 0)
  const septets = Math.min((encodeSeptets(number) ?? []).length, 11)
  return [Math.ceil((septets * 7) / 4), 0xd0, ...octets]
}

function semiOctets(digits: string): number[] {
  const values = [...digits].map((digit) => '0123456789*#abc'.indexOf(digit))
  const octets: number[] = []
  for (let index = 0; index < values.length; index += 2) {
    octets.push(((values[index + 1] ?? 0x0f) << 4) | (values[index] ?? 0))
  }
  return octets
}

/** TP-SCTS (9.2.3.11), always with time zone 0. */
function timestamp(at: number): number[] {
  const date = new Date(at)
  const fields = [
    date.getUTCFullYear() % 100,
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    0,
  ]
  return fields.map((value) => ((value % 10) << 4) | Math.floor(value / 10))
}

function concatenationHeader(message: Inbound, part: number, parts: number): number[] {
  const reference = message.reference ?? 0
  if (message.bits === 16) return [6, 0x08, 4, (reference >> 8) & 0xff, reference & 0xff, parts, part]
  return [5, 0x00, 3, reference & 0xff, parts, part]
}

/** A part holds 153 septets with an 8-bit reference and 152 with a 16-bit one; an escape stays with its character. */
function gsm7Pieces(septets: number[], bits: 8 | 16): number[][] {
  if (septets.length <= 160) return [septets]
  const size = bits === 8 ? 153 : 152
  const pieces: number[][] = []
  for (let from = 0; from < septets.length; ) {
    let to = Math.min(from + size, septets.length)
    if (to < septets.length && septets[to - 1] === 0x1b) to--
    pieces.push(septets.slice(from, to))
    from = to
  }
  return pieces
}

function ucs2Pieces(text: string, bits: 8 | 16): number[][] {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
  if (units.length <= 70) return [units]
  const size = bits === 8 ? 67 : 66
  const pieces: number[][] = []
  for (let from = 0; from < units.length; ) {
    let to = Math.min(from + size, units.length)
    const last = units[to - 1] ?? 0
    if (to < units.length && last >= 0xd800 && last < 0xdc00) to--
    pieces.push(units.slice(from, to))
    from = to
  }
  return pieces
}

const octetsOf = (units: number[]) => Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff]))
