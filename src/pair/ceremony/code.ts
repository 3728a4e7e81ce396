/**
 * The code of an invitation as people see it: everything that a new member needs to find its inviter, to know that it is
 * the right one, and to be let in. Letters and digits of Crockford's base 32 (no I, L, O, U; typed ones are read as what
 * they look like), in groups of six whose last sign checks the group, so that a slip is named by its group. Upper case
 * and dashes only: it fits the alphanumeric mode of a QR code (ISO/IEC 18004 7.4.4).
 *
 * Bytes: version 1 · 16 of the inviter's fingerprint · 10 of the secret · addresses · 2 of the SHA-256 of all before.
 * Pure.
 */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { addressText, parseAddress } from '../links/address.ts'

export interface InvitationCode {
  /** host:port of the inviter's log listener, one per path, in the order in which to try them. */
  addresses: readonly string[]
  /** The first 16 bytes of the inviter's fingerprint, hex: 2^128 certificates would have to be made to find another. */
  fingerprint: string
  /** 80 random bits. Enough, since they can only be tried against the inviter itself, a few times. */
  secret: Buffer
}

export type ReadCode = { result: 'code'; code: InvitationCode } | { result: 'mistyped'; text: string }

export const FINGERPRINT_BYTES = 16
export const SECRET_BYTES = 10
/** More paths would only make the code longer; any of them leads to the same member. */
const MOST_ADDRESSES = 4

const VERSION = 1
const CHECK_BYTES = 2
const GROUP = 6
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Kinds of an address; a name is preceded by its length. */
const IPV4 = 4
const IPV6 = 6
const NAME = 1

/**
 * The check sign of group `index`: the remainder that makes the group a multiple of x over GF(2^5), which no single
 * wrong sign and no two neighbours changed over can do; the index finds groups that changed places.
 */
function checkOf(values: readonly number[], index: number): number {
  let sum = (index + 1) & 31
  for (const value of values) sum = timesX(sum) ^ value
  return timesX(sum)
}

/** In GF(2^5) with x^5 = x^2 + 1. */
const timesX = (value: number): number => ((value << 1) ^ (value & 16 ? 0b100101 : 0)) & 31

export function writeCode({ addresses, fingerprint, secret }: InvitationCode): string {
  const body = Buffer.concat([
    Buffer.of(VERSION),
    Buffer.from(fingerprint, 'hex').subarray(0, FINGERPRINT_BYTES),
    secret,
    ...addresses.slice(0, MOST_ADDRESSES).flatMap(addressBytes),
  ])
  const values = toFiveBits(Buffer.concat([body, digest(body)]))
  const groups: string[] = []
  for (let at = 0; at < values.length; at += GROUP - 1) {
    const group = values.slice(at, at + GROUP - 1)
    groups.push([...group, checkOf(group, groups.length)].map((value) => alphabet[value]).join(''))
  }
  return groups.join('-')
}

/** @param text as it was typed or scanned, in upper or lower case, with or without dashes and blanks */
export function readCode(text: string): ReadCode {
  const signs = text
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll(/[IL]/g, '1')
    .replaceAll('O', '0')
  if (signs === '') return { result: 'mistyped', text: 'the code is empty' }
  if (signs.length > 600) return { result: 'mistyped', text: 'this is too long to be a code' }
  const values: number[] = []
  for (let at = 0; at < signs.length; at += GROUP) {
    const group = [...signs.slice(at, at + GROUP)]
    const read = group.map((sign) => alphabet.indexOf(sign))
    const data = read.slice(0, -1)
    const index = at / GROUP
    if (read.includes(-1) || read.length < 2 || checkOf(data, index) !== read.at(-1)) {
      return { result: 'mistyped', text: slip(index, group.join(''), text) }
    }
    values.push(...data)
  }
  return fromBytes(toBytes(values), Math.ceil(signs.length / GROUP))
}

function slip(index: number, group: string, typed: string): string {
  // Where the dashes were typed too, a missing or extra sign is found in its group and does not shift the rest.
  const groups = typed.trim().split(/[\s-]+/)
  const odd = groups.findIndex(
    (each, at) => each.length > GROUP || (each.length < GROUP && at < groups.length - 1),
  )
  if (groups.length > 2 && odd >= 0 && odd <= index) {
    const found = groups[odd] ?? ''
    return `group ${odd + 1} (${found}) has ${found.length} signs; each group but the last has ${GROUP}`
  }
  return `group ${index + 1} (${group}) is not as it was printed; compare its signs`
}

function fromBytes(bytes: Buffer, groups: number): ReadCode {
  const body = bytes.subarray(0, -CHECK_BYTES)
  const incomplete = {
    result: 'mistyped' as const,
    text: `the code is not whole: ${groups} groups were read; is the end missing?`,
  }
  if (
    body.length <= 1 + FINGERPRINT_BYTES + SECRET_BYTES ||
    !digest(body).equals(bytes.subarray(-CHECK_BYTES))
  ) {
    return incomplete
  }
  if (body[0] !== VERSION) {
    return { result: 'mistyped', text: 'the code was made by a newer twinline; install it here first' }
  }
  const afterFingerprint = 1 + FINGERPRINT_BYTES
  const afterSecret = afterFingerprint + SECRET_BYTES
  const addresses = readAddresses(body.subarray(afterSecret))
  if (addresses === undefined) return incomplete
  const fingerprint = body.subarray(1, afterFingerprint).toString('hex')
  return {
    result: 'code',
    code: { addresses, fingerprint, secret: body.subarray(afterFingerprint, afterSecret) },
  }
}

const digest = (body: Buffer): Buffer => createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES)

function addressBytes(text: string): Buffer[] {
  const address = parseAddress(text)
  if (address === undefined) return []
  const port = Buffer.alloc(2)
  port.writeUInt16BE(address.port)
  const family = isIP(address.host)
  if (family === 4) return [Buffer.of(IPV4, ...address.host.split('.').map(Number)), port]
  if (family === 6) return [Buffer.of(IPV6), ipv6Bytes(address.host), port]
  const name = Buffer.from(address.host)
  return name.length > 255 ? [] : [Buffer.of(NAME, name.length), name, port]
}

function ipv6Bytes(host: string): Buffer {
  // URL writes every spelling of an address in one: at most one `::`, no IPv4 tail (WHATWG URL, IPv6 serializer).
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::')
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16))
  const before = words(head)
  const after = words(tail ?? '')
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]))
}

function readAddresses(bytes: Buffer): string[] | undefined {
  const addresses: string[] = []
  let at = 0
  const take = (count: number): Buffer => {
    at += count
    return bytes.subarray(at - count, at)
  }
  while (at < bytes.length) {
    const kind = take(1)[0]
    const length = kind === IPV4 ? 4 : kind === IPV6 ? 16 : kind === NAME ? (take(1)[0] ?? 0) : undefined
    if (length === undefined) return undefined
    const host = take(length)
    const port = take(2)
    if (at > bytes.length) return undefined
    addresses.push(addressText({ host: hostText(kind, host), port: port.readUInt16BE() }))
  }
  return addresses.length === 0 ? undefined : addresses
}

function hostText(kind: number | undefined, host: Buffer): string {
  if (kind === NAME) return host.toString()
  if (kind === IPV4) return [...host].join('.')
  const words = Array.from({ length: 8 }, (_, n) => host.readUInt16BE(2 * n).toString(16))
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1)
}

/** Five bits a value; the last is filled up with zeros. */
function toFiveBits(bytes: Buffer): number[] {
  const values: number[] = []
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      values.push((held >> bits) & 31)
    }
  }
  if (bits > 0) values.push((held << (5 - bits)) & 31)
  return values
}

function toBytes(values: readonly number[]): Buffer {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const value of values) {
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >> bits) & 255)
    }
  }
  return Buffer.from(bytes)
}
