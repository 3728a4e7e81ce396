/**
 * Reads SMS-SUBMIT strictly (3GPP TS 23.040, 9.2.2.2): the network side of the simulator.
 *
 * Every rule that a real network or modem may enforce is enforced here, and each refusal says which one, because
 * this is what the gateway's encoder is judged by. Written apart from the gateway's codec. Pure.
 */
import { decodeSeptets, unpack } from './gsm7.ts'

export interface Submit {
  /** Service centre given with the PDU, undefined when the modem is to use its own (3GPP TS 27.005, 4.4). */
  smsc: string | undefined
  to: string
  text: string
  alphabet: 'gsm7' | 'octets' | 'ucs2'
  /** TP-MR as written by the sender; the modem puts its own there. */
  reference: number
  reportWanted: boolean
  rejectDuplicates: boolean
  replyPath: boolean
  protocol: number
  coding: number
  /** Message class 0..3, undefined without one. */
  class: number | undefined
  /** Relative validity in minutes, a date as ISO 8601, the seven octets in hex when enhanced. */
  validity: number | string | undefined
  /** From the header: k of n and the reference that its parts share. */
  concatenation: { reference: number; bits: 8 | 16; part: number; parts: number } | undefined
  ports: { destination: number; source: number } | undefined
  /** TP-UD with its header as it was sent, so that it can be handed to another modem. */
  userData: { indicator: boolean; length: number; octets: Uint8Array }
}

export interface PduProblem {
  /** Names the rule, for tests. */
  rule: string
  detail: string
}

class Refusal extends Error {
  readonly rule: string
  constructor(rule: string, detail: string) {
    super(detail)
    this.rule = rule
  }
}

/**
 * @param hex the characters between prompt and Ctrl-Z
 * @param length what AT+CMGS announced: octets of the TPDU without the service centre
 */
export function decodeSubmit(hex: string, length: number): Submit | PduProblem {
  if (!/^[0-9A-Fa-f]*$/.test(hex))
    return {
      rule: 'pdu-characters',
      detail: 'characters other than 0-9 and A-F',
    }
  if (hex.length % 2 !== 0) return { rule: 'pdu-characters', detail: 'half an octet at the end' }
  if (/[a-f]/.test(hex))
    return {
      rule: 'pdu-lower-case',
      detail: 'hexadecimal digits must be capitals',
    }
  try {
    return read(new Reader(Buffer.from(hex, 'hex')), length)
  } catch (error) {
    if (error instanceof Refusal) return { rule: error.rule, detail: error.message }
    throw error
  }
}

export function isPduProblem(result: Submit | PduProblem): result is PduProblem {
  return 'rule' in result
}

class Reader {
  readonly #octets: Buffer
  #at = 0
  constructor(octets: Buffer) {
    this.#octets = octets
  }
  get left(): number {
    return this.#octets.length - this.#at
  }
  octet(what: string): number {
    const value = this.#octets[this.#at]
    if (value === undefined) throw new Refusal('pdu-short', `it ends before ${what}`)
    this.#at++
    return value
  }
  take(count: number, what: string): Buffer {
    if (this.left < count)
      throw new Refusal('pdu-short', `${count} octets of ${what} expected, ${this.left} are there`)
    this.#at += count
    return this.#octets.subarray(this.#at - count, this.#at)
  }
}

function read(reader: Reader, length: number): Submit {
  const smsc = readServiceCentre(reader)
  if (reader.left !== length) {
    throw new Refusal('pdu-length', `${length} octets announced, ${reader.left} are there`)
  }
  const first = reader.octet('the first octet')
  if ((first & 0x03) !== 0x01) throw new Refusal('pdu-type', 'TP-MTI is not SMS-SUBMIT')
  const reference = reader.octet('TP-MR')
  const to = readAddress(reader)
  const protocol = reader.octet('TP-PID')
  const coding = reader.octet('TP-DCS')
  const validity = readValidity(reader, (first >> 3) & 0x03)
  const { alphabet, messageClass } = readCoding(coding)
  const indicator = (first & 0x40) !== 0
  const userLength = reader.octet('TP-UDL')
  const octets = reader.take(reader.left, 'TP-UD')
  const user = readUserData(octets, userLength, indicator, alphabet)
  return {
    smsc,
    to,
    text: user.text,
    alphabet,
    reference,
    reportWanted: (first & 0x20) !== 0,
    rejectDuplicates: (first & 0x04) !== 0,
    replyPath: (first & 0x80) !== 0,
    protocol,
    coding,
    class: messageClass,
    validity,
    concatenation: user.header.concatenation,
    ports: user.header.ports,
    userData: { indicator, length: userLength, octets },
  }
}

function readServiceCentre(reader: Reader): string | undefined {
  const length = reader.octet('the length of the service centre')
  if (length === 0) return undefined
  if (length < 2 || length > 11)
    throw new Refusal('pdu-service-centre', `a service centre of ${length} octets`)
  const octets = reader.take(length, 'the service centre')
  const type = octets[0] ?? 0
  return international(type) + semiOctets(octets.subarray(1), undefined)
}

/** TP-DA (9.1.2.5): the length counts digits. */
function readAddress(reader: Reader): string {
  const digits = reader.octet('the length of TP-DA')
  if (digits < 1 || digits > 20) throw new Refusal('pdu-address', `a destination of ${digits} digits`)
  const type = reader.octet('the type of TP-DA')
  if ((type & 0x80) === 0) throw new Refusal('pdu-address', 'bit 7 of the type of address must be 1')
  if ((type & 0x70) === 0x50) throw new Refusal('pdu-address', 'an alphanumeric destination')
  return international(type) + semiOctets(reader.take(Math.ceil(digits / 2), 'TP-DA'), digits)
}

const international = (type: number) => ((type & 0x70) === 0x10 ? '+' : '')

/** Digits, low half first (9.1.2.3); an odd count is filled with 1111. */
function semiOctets(octets: Uint8Array, digits: number | undefined): string {
  let text = ''
  for (const octet of octets) text += symbol(octet & 0x0f) + symbol(octet >> 4)
  const filled = text.endsWith('F')
  if (filled) text = text.slice(0, -1)
  if (digits !== undefined && (text.length !== digits || filled !== (digits % 2 === 1))) {
    throw new Refusal('pdu-address', `${digits} digits announced, ${text.length} are there`)
  }
  if (text.includes('F')) throw new Refusal('pdu-address', 'a fill digit inside the number')
  return text
}

const symbol = (value: number) => '0123456789*#abcF'[value] ?? 'F'

/** TP-VP (9.2.3.12). */
function readValidity(reader: Reader, format: number): number | string | undefined {
  if (format === 0) return undefined
  if (format === 2) {
    const value = reader.octet('TP-VP')
    if (value < 144) return (value + 1) * 5
    if (value < 168) return 12 * 60 + (value - 143) * 30
    if (value < 197) return (value - 166) * 1440
    return (value - 192) * 10_080
  }
  const octets = reader.take(7, 'TP-VP')
  if (format === 1) return octets.toString('hex').toUpperCase()
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = [...octets].map(
    (octet) => (octet & 0x0f) * 10 + (octet >> 4),
  )
  // The time zone is in quarters of an hour, its sign in bit 3 (9.2.3.11).
  const zone = octets[6] ?? 0
  const quarters = (zone & 0x07) * 10 + (zone >> 4)
  const offset = (zone & 0x08) === 0 ? quarters : -quarters
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) {
    throw new Refusal('pdu-validity', 'TP-VP is no date')
  }
  return new Date(
    Date.UTC(2000 + year, month - 1, day, hour, minute, second) - offset * 900_000,
  ).toISOString()
}

/** TP-DCS (3GPP TS 23.038, clause 4). */
function readCoding(coding: number): {
  alphabet: Submit['alphabet']
  messageClass: number | undefined
} {
  const group = coding >> 4
  if (group < 4) {
    if ((coding & 0x20) !== 0) throw new Refusal('pdu-coding', 'compressed text')
    const alphabet = (['gsm7', 'octets', 'ucs2'] as const)[(coding >> 2) & 0x03]
    if (alphabet === undefined) throw new Refusal('pdu-coding', 'a reserved alphabet')
    return {
      alphabet,
      messageClass: (coding & 0x10) === 0 ? undefined : coding & 0x03,
    }
  }
  if (group === 15) {
    if ((coding & 0x08) !== 0) throw new Refusal('pdu-coding', 'bit 3 of a class coding must be 0')
    return {
      alphabet: (coding & 0x04) === 0 ? 'gsm7' : 'octets',
      messageClass: coding & 0x03,
    }
  }
  if (group >= 12)
    return {
      alphabet: group === 14 ? 'ucs2' : 'gsm7',
      messageClass: undefined,
    }
  throw new Refusal('pdu-coding', `a reserved coding group ${group}`)
}

interface Header {
  concatenation: Submit['concatenation']
  ports: Submit['ports']
  locking: number
  single: number
}

function readUserData(
  octets: Buffer,
  length: number,
  indicator: boolean,
  alphabet: Submit['alphabet'],
): { text: string; header: Header } {
  if (octets.length > 140) throw new Refusal('pdu-length', `${octets.length} octets of TP-UD, 140 fit`)
  const needed = alphabet === 'gsm7' ? Math.ceil((length * 7) / 8) : length
  if (needed !== octets.length) {
    throw new Refusal('pdu-length', `TP-UDL ${length} needs ${needed} octets, ${octets.length} are there`)
  }
  const header: Header = {
    concatenation: undefined,
    ports: undefined,
    locking: 0,
    single: 0,
  }
  let size = 0
  if (indicator) {
    size = (octets[0] ?? 0) + 1
    if (size < 2 || size > octets.length)
      throw new Refusal('pdu-header', 'the header is longer than the user data')
    readHeader(octets.subarray(1, size), header)
  }
  const body = octets.subarray(size)
  if (alphabet === 'octets') return { text: body.toString('hex').toUpperCase(), header }
  if (alphabet === 'ucs2') return { text: ucs2(body), header }
  const headerSeptets = Math.ceil((size * 8) / 7)
  if (length < headerSeptets) throw new Refusal('pdu-header', 'the header is longer than the user data')
  const { septets, clean } = unpack(body, length - headerSeptets, headerSeptets * 7 - size * 8)
  if (!clean) throw new Refusal('pdu-fill-bits', 'fill bits that are not zero')
  const text = decodeSeptets(septets, header.locking, header.single)
  if (text === undefined)
    throw new Refusal('pdu-text', 'a text that ends inside an escape, or an unknown language')
  return { text, header }
}

function ucs2(body: Buffer): string {
  if (body.length % 2 !== 0) throw new Refusal('pdu-text', 'half a UCS-2 character at the end')
  const text = Buffer.from(body).swap16().toString('utf16le')
  if (!text.isWellFormed()) throw new Refusal('pdu-text', 'a character is cut in half (lone surrogate)')
  return text
}

/** Information elements (9.2.3.24). */
function readHeader(octets: Uint8Array, header: Header): void {
  let at = 0
  while (at < octets.length) {
    const identifier = octets[at] ?? 0
    const length = octets[at + 1]
    if (length === undefined || at + 2 + length > octets.length) {
      throw new Refusal('pdu-header', 'an information element runs over the header')
    }
    readElement(identifier, octets.subarray(at + 2, at + 2 + length), header)
    at += 2 + length
  }
}

const elementSizes: Readonly<Record<number, number>> = {
  0: 3,
  4: 2,
  5: 4,
  8: 4,
  36: 1,
  37: 1,
}

function readElement(identifier: number, octets: Uint8Array, header: Header): void {
  const size = elementSizes[identifier]
  if (size !== undefined && size !== octets.length) {
    throw new Refusal('pdu-header', `element ${identifier} has ${octets.length} octets instead of ${size}`)
  }
  const [a = 0, b = 0, c = 0, d = 0] = octets
  if (identifier === 0x00) header.concatenation = concatenation(8, a, b, c)
  else if (identifier === 0x08) header.concatenation = concatenation(16, a * 256 + b, c, d)
  else if (identifier === 0x04) header.ports = { destination: a, source: b }
  else if (identifier === 0x05) header.ports = { destination: a * 256 + b, source: c * 256 + d }
  else if (identifier === 0x24) header.single = a
  else if (identifier === 0x25) header.locking = a
}

function concatenation(
  bits: 8 | 16,
  reference: number,
  parts: number,
  part: number,
): Submit['concatenation'] {
  if (parts === 0 || part === 0 || part > parts) throw new Refusal('pdu-header', `part ${part} of ${parts}`)
  return { reference, bits, part, parts }
}
