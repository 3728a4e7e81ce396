/**
 * Addresses in PDUs: the service centre's, a recipient's, a sender's. Pure.
 *
 * Rests on 3GPP TS 23.040 9.1.2.5 (address fields), 9.1.2.3 (semi-octets) and 24.008 table 10.5.118 (what the ten
 * digits do not cover: * # a b c, and F as filler).
 */
import { fromSeptets, unpackSeptets } from './gsm7.ts'

const digits = '0123456789*#abc'
const FILLER = 0x0f

/** Type of number in bits 7 to 5, numbering plan in bits 4 to 1, bit 8 always set. */
const INTERNATIONAL = 0x91
const UNKNOWN = 0x81
const typeOfNumber = (type: number): number => (type >> 4) & 7
const TYPE_INTERNATIONAL = 1
const TYPE_ALPHANUMERIC = 5

/** TP-Destination-Address: number of digits, type, digits. */
export function encodeAddress(number: string): number[] {
  const international = number.startsWith('+')
  const dialled = international ? number.slice(1) : number
  const octets = [dialled.length, international ? INTERNATIONAL : UNKNOWN]
  for (let i = 0; i < dialled.length; i += 2) {
    octets.push((digitCode(dialled, i + 1) << 4) | digitCode(dialled, i))
  }
  return octets
}

function digitCode(dialled: string, at: number): number {
  const code = at < dialled.length ? digits.indexOf(dialled.charAt(at)) : -1
  return code < 0 ? FILLER : code
}

export interface DecodedAddress {
  address: string
  /** Octets of the whole field. */
  length: number
}

/** @returns undefined when the octets end within the field */
export function decodeAddress(octets: Uint8Array): DecodedAddress | undefined {
  const semiOctets = octets[0]
  const type = octets[1]
  if (semiOctets === undefined || type === undefined) return undefined
  const length = 2 + Math.ceil(semiOctets / 2)
  if (length > octets.length) return undefined
  const value = octets.subarray(2, length)
  if (typeOfNumber(type) === TYPE_ALPHANUMERIC) return { address: alphanumeric(value, semiOctets), length }
  return { address: numeric(value, type, semiOctets), length }
}

/** The service centre's address counts octets, its type included (24.011 8.2.5.2). */
export function decodeServiceCentre(octets: Uint8Array): string {
  const type = octets[0]
  return type === undefined ? '' : numeric(octets.subarray(1), type, (octets.length - 1) * 2)
}

function numeric(value: Uint8Array, type: number, semiOctets: number): string {
  let number = ''
  for (let i = 0; i < semiOctets; i++) {
    const octet = value[i >> 1] ?? 0xff
    number += digits.charAt(i % 2 === 0 ? octet & 0x0f : octet >> 4)
  }
  return typeOfNumber(type) === TYPE_INTERNATIONAL && number !== '' ? `+${number}` : number
}

function alphanumeric(value: Uint8Array, semiOctets: number): string {
  const septets = unpackSeptets(value, Math.floor((semiOctets * 4) / 7))
  // Seven characters fill 49 bits of 7 octets; a sender that counts 14 semi-octets leaves a zero septet, an @, behind.
  if (septets.length % 8 === 0 && septets.at(-1) === 0) septets.pop()
  return fromSeptets(septets, 0, 0)
}
