/**
 * A stream under a passphrase: the key by scrypt (RFC 7914), the content in pieces under AES-256-GCM (NIST SP 800-38D),
 * numbered and the last one marked, so that nothing can be changed, reordered or cut off unseen. Any length passes
 * through in a few pieces of memory.
 *
 *   "TWINLINE-SEALED-1\n" · salt (16) · log2 N (1) · r (1) · p (1)
 *   then for each piece: length (4, highest bit: the last one) · ciphertext · tag (16)
 *
 * The nonce is the piece's number, which never comes twice under one key because every stream has a salt of its own.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { CodedError } from './errors.ts'

const MAGIC = Buffer.from('TWINLINE-SEALED-1\n')
const SALT = 16
const HEADER = MAGIC.length + SALT + 3
const TAG = 16
const PIECE = 65_536
const LAST = 0x8000_0000
/** 32 MiB and a few tenths of a second on a small box: what a guess costs. */
const COST = { logN: 15, r: 8, p: 1 } as const
const MEMORY = 256 * COST.r * 2 ** COST.logN

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

const nonceOf = (piece: number): Buffer => {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(piece), 4)
  return nonce
}

/** The bytes of a source, in buffers of whatever size, sealed. */
export async function* seal(passphrase: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(HEADER)
  MAGIC.copy(header)
  randomBytes(SALT).copy(header, MAGIC.length)
  header.set([COST.logN, COST.r, COST.p], MAGIC.length + SALT)
  const key = await keyOf(passphrase, header)
  yield header
  let number = 0
  const piece = (content: Buffer, last: boolean): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(last ? content.length + LAST : content.length)
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number++))
    cipher.setAAD(Buffer.concat([header, length]))
    const sealed = Buffer.concat([cipher.update(content), cipher.final()])
    return Buffer.concat([length, sealed, cipher.getAuthTag()])
  }
  let waiting = Buffer.alloc(0)
  for await (const bytes of source) {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length > PIECE) {
      yield piece(waiting.subarray(0, PIECE), false)
      waiting = waiting.subarray(PIECE)
    }
  }
  yield piece(waiting, true)
}

/**
 * The reverse. Whatever it has yielded so far is worth nothing before it ends without an error.
 * @throws CodedError `sealed-foreign` (no such stream), `sealed-passphrase` (wrong one), `sealed-damaged`
 */
export async function* unseal(passphrase: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const bytes = new Taker(source)
  const header = await bytes.take(HEADER)
  if (header === undefined || !header.subarray(0, MAGIC.length).equals(MAGIC))
    throw new CodedError('sealed-foreign', 'this is no backup of an appliance')
  const key = await keyOf(passphrase, header)
  for (let number = 0; ; number += 1) {
    const length = await bytes.take(4)
    const word = length?.readUInt32BE() ?? 0
    const size = word % LAST
    const sealed = length === undefined || size > PIECE ? undefined : await bytes.take(size)
    const tag = sealed === undefined ? undefined : await bytes.take(TAG)
    if (length === undefined || sealed === undefined || tag === undefined) throw damaged('it ends too early')
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number))
    decipher.setAAD(Buffer.concat([header, length]))
    decipher.setAuthTag(tag)
    let content: Buffer
    try {
      content = Buffer.concat([decipher.update(sealed), decipher.final()])
    } catch {
      if (number > 0) throw damaged('a part of it was changed')
      const text = 'the passphrase is not the one of this backup, or its beginning was changed'
      throw new CodedError('sealed-passphrase', text)
    }
    yield content
    if (word >= LAST) {
      if ((await bytes.take(1)) !== undefined) throw damaged('something stands after its end')
      return
    }
  }
}

const damaged = (how: string) => new CodedError('sealed-damaged', `the backup is damaged: ${how}`)

function keyOf(passphrase: string, header: Buffer): Promise<Buffer> {
  const [logN = 0, r = 0, p = 0] = header.subarray(MAGIC.length + SALT)
  // A made-up header must not cost more memory than a real one.
  if (logN > COST.logN || r > COST.r || p > COST.p || logN < 10 || r < 1 || p < 1)
    throw new CodedError('sealed-foreign', 'this backup was made by another version of the program')
  const salt = header.subarray(MAGIC.length, MAGIC.length + SALT)
  return derive(passphrase.normalize('NFC'), salt, 32, { N: 2 ** logN, r, p, maxmem: MEMORY })
}

/** Exact numbers of bytes from buffers of any size. */
export class Taker {
  readonly #source: AsyncIterator<Uint8Array>
  #waiting: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** @returns undefined when fewer are left */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#waiting.length < count) {
      const next = await this.#source.next()
      if (next.done) return undefined
      this.#waiting = Buffer.concat([this.#waiting, next.value])
    }
    const taken = this.#waiting.subarray(0, count)
    this.#waiting = this.#waiting.subarray(count)
    return taken
  }

  /** The next up to `most` bytes, whatever is there. @returns undefined at the end */
  async some(most: number): Promise<Buffer | undefined> {
    if (this.#waiting.length === 0) {
      const next = await this.#source.next()
      if (next.done) return undefined
      this.#waiting = Buffer.from(next.value)
    }
    return this.take(Math.min(most, this.#waiting.length))
  }
}
