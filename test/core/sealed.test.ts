/** Streams under a passphrase: what went in comes out, and nothing can be changed, cut, reordered or added unseen. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CodedError } from '#core/errors.ts'
import { seal, unseal } from '#core/sealed.ts'

const passphrase = 'correct horse battery'
const HEADER = 18 + 16 + 3
/** Length, content and tag of a whole piece. */
const PIECE = 4 + 65_536 + 16

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
async function whole(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}
const sealed = (content: Buffer, size = 10_000) => whole(seal(passphrase, inPieces(content, size)))
const codeOf = async (bytes: Buffer, words = passphrase): Promise<string> => {
  try {
    await whole(unseal(words, inPieces(bytes, 7_777)))
    return 'opened'
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error)
  }
}

describe('a sealed stream', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 300_000])('%i bytes come back', async (length) => {
    const content = randomBytes(length)
    for (const size of [1_000, 200_000]) {
      const bytes = await sealed(content, size)
      expect((await whole(unseal(passphrase, inPieces(bytes, size)))).equals(content)).toBe(true)
    }
  })

  test('two of the same content differ from the first byte of it on', async () => {
    const content = Buffer.from('the same')
    const [one, other] = [await sealed(content), await sealed(content)]
    expect(one.subarray(0, 18).equals(other.subarray(0, 18))).toBe(true)
    expect(one.subarray(HEADER).equals(other.subarray(HEADER))).toBe(false)
  })

  test('another passphrase, no such stream, another version', async () => {
    const bytes = await sealed(randomBytes(100))
    expect(await codeOf(bytes, 'wrong horse battery')).toBe('sealed-passphrase')
    expect(await codeOf(Buffer.from('PK\u0003\u0004 something else altogether, long enough'))).toBe(
      'sealed-foreign',
    )
    expect(await codeOf(Buffer.alloc(0))).toBe('sealed-foreign')
    const costly = Buffer.from(bytes)
    costly[34] = 30
    expect(await codeOf(costly)).toBe('sealed-foreign')
  })

  test('the passphrase is the same however an umlaut was typed', async () => {
    const bytes = await whole(seal('gr\u00fcner Kasten', inPieces(Buffer.from('x'), 1)))
    expect(await codeOf(bytes, 'gru\u0308ner Kasten')).toBe('opened')
  })

  test('changed, cut off, reordered or longer: it is damaged', async () => {
    const bytes = await sealed(randomBytes(200_000))
    const flipped = (at: number) => {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ 1
      return copy
    }
    expect(await codeOf(bytes)).toBe('opened')
    for (const at of [HEADER + PIECE, HEADER + PIECE + 100, bytes.length - 1])
      expect(await codeOf(flipped(at)), `byte ${at}`).toBe('sealed-damaged')
    // Cut between two pieces: each piece that is left is right, and the last one is missing.
    expect(await codeOf(bytes.subarray(0, HEADER + 2 * PIECE))).toBe('sealed-damaged')
    expect(await codeOf(bytes.subarray(0, bytes.length - 1))).toBe('sealed-damaged')
    expect(await codeOf(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('sealed-damaged')
    const reordered = Buffer.concat([
      bytes.subarray(0, HEADER + PIECE),
      bytes.subarray(HEADER + 2 * PIECE, HEADER + 3 * PIECE),
      bytes.subarray(HEADER + PIECE, HEADER + 2 * PIECE),
      bytes.subarray(HEADER + 3 * PIECE),
    ])
    expect(await codeOf(reordered)).toBe('sealed-damaged')
  })
})
