/**
 * Received user data: the header's information elements and the text. Pure, and never fails: what does not fit the
 * clause is shown as well as it can be, because a message that cannot be shown whole is still a message.
 *
 * Rests on 3GPP TS 23.040 9.2.3.24 (header) and 23.038 clause 6 (alphabets).
 */
import type { DataCoding } from './data-coding.ts'
import { fromSeptets, unpackSeptets } from './gsm7.ts'

export interface Concatenation {
  reference: number
  width: 8 | 16
  total: number
  /** Counts from 1. */
  part: number
}

export interface UserData {
  /**
   * 8-bit data is shown as text when every octet is a printable ISO 8859-1 character, tab or line end, else as upper
   * case hexadecimal digits; compressed text always as those.
   */
  text: string
  concatenation?: Concatenation
}

interface Header {
  /** Octets, its length octet included. */
  length: number
  locking: number
  single: number
  concatenation?: Concatenation
}

const noHeader: Header = { length: 0, locking: 0, single: 0 }

/**
 * @param octets all that follows TP-User-Data-Length
 * @param length TP-User-Data-Length: septets of the 7-bit alphabet, else octets (9.2.3.16)
 */
export function decodeUserData(
  octets: Uint8Array,
  length: number,
  hasHeader: boolean,
  alphabet: DataCoding['alphabet'],
): UserData {
  const header = hasHeader ? decodeHeader(octets) : noHeader
  const text =
    alphabet === 'gsm7'
      ? decodeSeptets(octets, length, header)
      : decodeOctets(octets, length, header, alphabet)
  return header.concatenation ? { text, concatenation: header.concatenation } : { text }
}

/** The text begins on the next septet boundary after the header (figure 9.2.3.24 (a)). */
function decodeSeptets(octets: Uint8Array, length: number, header: Header): string {
  const headerSeptets = Math.ceil((header.length * 8) / 7)
  const fillBits = headerSeptets * 7 - header.length * 8
  const septets = unpackSeptets(octets.subarray(header.length), Math.max(length - headerSeptets, 0), fillBits)
  return fromSeptets(septets, header.locking, header.single)
}

function decodeOctets(
  octets: Uint8Array,
  length: number,
  header: Header,
  alphabet: 'ucs2' | 'data' | 'compressed',
): string {
  const body = Buffer.from(octets.subarray(header.length, Math.max(length, header.length)))
  if (alphabet === 'ucs2')
    return body
      .subarray(0, body.length & ~1)
      .swap16()
      .toString('utf16le')
  if (alphabet === 'data' && body.every(isPrintable)) return body.toString('latin1')
  return body.toString('hex').toUpperCase()
}

const isPrintable = (octet: number): boolean =>
  (octet >= 0x20 && octet < 0x7f) || octet >= 0xa0 || octet === 0x09 || octet === 0x0a || octet === 0x0d

/** Information element identifiers (9.2.3.24). */
const CONCATENATION_8 = 0x00
const CONCATENATION_16 = 0x08
const NATIONAL_SINGLE = 0x24
const NATIONAL_LOCKING = 0x25

/** Unknown elements are skipped; of elements that repeat or exclude each other the last counts (9.2.3.24). */
function decodeHeader(octets: Uint8Array): Header {
  const end = 1 + (octets[0] ?? 0)
  // No header can be longer than the user data; whatever this is, it is shown.
  if (end > octets.length) return noHeader
  const header: Header = { length: end, locking: 0, single: 0 }
  let at = 1
  while (at < end) {
    const value = octets.subarray(at + 2, at + 2 + (octets[at + 1] ?? 0))
    // An element that does not end with the header makes the whole header void, though not its length (9.2.3.24).
    if (at + 2 + (octets[at + 1] ?? 0) > end) return { length: end, locking: 0, single: 0 }
    applyElement(header, octets[at] ?? 0, value)
    at += 2 + value.length
  }
  return header
}

function applyElement(header: Header, identifier: number, value: Uint8Array): void {
  const [a = 0, b = 0, c = 0, d = 0] = value
  if (identifier === CONCATENATION_8 && value.length === 3) setConcatenation(header, 8, a, b, c)
  if (identifier === CONCATENATION_16 && value.length === 4) setConcatenation(header, 16, a * 256 + b, c, d)
  if (identifier === NATIONAL_SINGLE && value.length === 1) header.single = a
  if (identifier === NATIONAL_LOCKING && value.length === 1) header.locking = a
}

/** A part numbered 0 or beyond the total makes the element void (9.2.3.24.1). */
function setConcatenation(
  header: Header,
  width: 8 | 16,
  reference: number,
  total: number,
  part: number,
): void {
  if (part >= 1 && part <= total) header.concatenation = { reference, width, total, part }
}
