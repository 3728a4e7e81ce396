/**
 * What client and witness say to each other: one UDP datagram each way, JSON on the first line and its proof on the
 * second. A request is proved with HMAC-SHA-256 and the key that the pair gave the witness at first contact; an answer
 * is signed with Ed25519 (RFC 8032) by the key that the member pinned then. At first contact the pair's key travels
 * sealed: X25519 (RFC 7748) with a key made for this one packet, HKDF-SHA-256 (RFC 5869), AES-256-GCM.
 *
 * Fields that a reader does not know are passed over, so that version 1 can grow; test/pair/witness/wire.test.ts holds
 * packets of version 1 that must be read for ever.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { Term } from '#messages/operation.ts'

export const VERSION = 1
/** Bytes; what is longer is not read. Fits one frame of every network. */
export const LARGEST_PACKET = 1_200
/** A first question is filled up to this length: nobody gets more bytes from a witness than were sent to it. */
export const HELLO_BYTES = 600

const REQUEST = 'twinline-witness/1 request\n'
const ANSWER = 'twinline-witness/1 answer\n'
const SEAL = 'twinline-witness/1 seal'

export type Fields = Readonly<Record<string, unknown>>

/** A packet as it came: its fields, and what its proof is about. */
export interface Packet {
  fields: Fields
  text: string
  proof: Buffer
}

export const newNonce = (): string => randomBytes(16).toString('base64url')

/** @returns undefined for what is no packet of this version */
export function readPacket(bytes: Buffer): Packet | undefined {
  if (bytes.length > LARGEST_PACKET) return undefined
  const end = bytes.indexOf(10)
  if (end < 0) return undefined
  const text = bytes.toString('utf8', 0, end)
  try {
    const fields: unknown = JSON.parse(text)
    if (!isFields(fields) || fields['v'] !== VERSION) return undefined
    return { fields, text, proof: Buffer.from(bytes.toString('latin1', end + 1), 'base64url') }
  } catch {
    return undefined
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A text field of bounded length, or undefined. */
export function textOf(fields: Fields, name: string, longest = 200): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value.length > 0 && value.length <= longest ? value : undefined
}

/** A whole number from 0, or undefined. */
export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** A term, as two fields beside each other; undefined when one is missing. */
export function termOf(fields: Fields, name: string): Term | undefined {
  const counter = numberOf(fields, name)
  const node = textOf(fields, `${name}Node`)
  return counter === undefined || node === undefined ? undefined : { counter, node }
}

/** The fields of a term; none for none. */
export const termFields = (name: string, term: Term | undefined): Fields =>
  term === undefined ? {} : { [name]: term.counter, [`${name}Node`]: term.node }

const packet = (text: string, proof: Buffer): Buffer => Buffer.from(`${text}\n${proof.toString('base64url')}`)

/** A packet without a proof, no shorter than its answer will be. */
export function openPacket(fields: Fields): Buffer {
  const text = JSON.stringify({ v: VERSION, ...fields, fill: '' })
  const fill = Math.max(0, HELLO_BYTES - text.length - 1)
  return packet(JSON.stringify({ v: VERSION, ...fields, fill: 'x'.repeat(fill) }), Buffer.alloc(0))
}

const macOf = (text: string, key: string): Buffer =>
  createHmac('sha256', key).update(REQUEST).update(text).digest()

export function requestPacket(fields: Fields, key: string): Buffer {
  const text = JSON.stringify({ v: VERSION, ...fields })
  return packet(text, macOf(text, key))
}

export function provesRequest({ text, proof }: Packet, key: string): boolean {
  const expected = macOf(text, key)
  return proof.length === expected.length && timingSafeEqual(proof, expected)
}

export function answerPacket(fields: Fields, key: KeyObject): Buffer {
  const text = JSON.stringify({ v: VERSION, ...fields })
  return packet(text, sign(null, Buffer.from(ANSWER + text), key))
}

export const provesAnswer = ({ text, proof }: Packet, key: KeyObject): boolean =>
  proof.length === 64 && verify(null, Buffer.from(ANSWER + text), key, proof)

/** A raw public key as it travels: 32 bytes in base64url. */
export const exportKey = (key: KeyObject): string => {
  const { x } = key.export({ format: 'jwk' })
  return x ?? ''
}

/** @returns undefined when the text is no such key */
export function importKey(curve: 'Ed25519' | 'X25519', text: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: curve, x: text }, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Seals a text for the witness. @returns fields of a packet */
export function seal(text: string, to: KeyObject, nonce: string): { from: string; sealed: string } {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const from = exportKey(publicKey)
  const cipher = createCipheriv('aes-256-gcm', sealKey(privateKey, to, from), Buffer.alloc(12))
  cipher.setAAD(Buffer.from(nonce))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return { from, sealed: sealed.toString('base64url') }
}

/** @returns undefined when it was not sealed for this key, or changed on the way */
export function unseal(from: string, sealed: string, key: KeyObject, nonce: string): string | undefined {
  const sender = importKey('X25519', from)
  const bytes = Buffer.from(sealed, 'base64url')
  if (sender === undefined || bytes.length < 16) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealKey(key, sender, from), Buffer.alloc(12))
    decipher.setAAD(Buffer.from(nonce))
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

/** Serves one packet only, since the sender's key is made for it: so the nonce of the cipher may be all zero. */
function sealKey(privateKey: KeyObject, publicKey: KeyObject, from: string): Buffer {
  const secret = diffieHellman({ privateKey, publicKey })
  return Buffer.from(hkdfSync('sha256', secret, from, SEAL, 32))
}
