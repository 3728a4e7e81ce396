/**
 * Texts on links whose payloads are bounded: what is longer goes in numbered frames and is put together at the other
 * end. One accepted message may have 60,000 recipients, and its entry is one text.
 *
 * A text that fits goes as it is (it begins with `{`); a frame begins with `F`, then transfer, index and count as 32
 * bit numbers. The frames of one transfer come in order; a frame that is missing ends its transfer, and whoever needs
 * the text sends it again.
 */
import { Buffer } from 'node:buffer'

const FRAME_BYTES = 131_072
const HEAD_BYTES = 13
const MARK = 0x46

/** Bytes of the largest payload, for LinksOptions.largest. */
export const LARGEST_PAYLOAD = FRAME_BYTES + HEAD_BYTES

/** Of one member, and of one text: what is beyond is dropped. */
const HELD_BYTES = 96 * 1_048_576
const HELD_TRANSFERS = 8

/** @param transfer a number that the sender uses for no other text at the time */
export function split(text: string, transfer: number): Buffer[] {
  const bytes = Buffer.from(text)
  if (bytes.length <= LARGEST_PAYLOAD) return [bytes]
  const count = Math.ceil(bytes.length / FRAME_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const head = Buffer.alloc(HEAD_BYTES)
    head.writeUInt8(MARK, 0)
    head.writeUInt32BE(transfer, 1)
    head.writeUInt32BE(index, 5)
    head.writeUInt32BE(count, 9)
    return Buffer.concat([head, bytes.subarray(index * FRAME_BYTES, (index + 1) * FRAME_BYTES)])
  })
}

/** Puts together what one member sends. */
export class Assembly {
  readonly #transfers = new Map<number, { count: number; parts: Buffer[] }>()
  #held = 0

  /** @returns the text that this payload is or completes */
  take(payload: Buffer): string | undefined {
    if (payload[0] !== MARK) return payload.toString()
    if (payload.length < HEAD_BYTES) return undefined
    const transfer = payload.readUInt32BE(1)
    const index = payload.readUInt32BE(5)
    const count = payload.readUInt32BE(9)
    if (index === 0) this.#begin(transfer, count)
    const under = this.#transfers.get(transfer)
    if (!under) return undefined
    if (under.parts.length !== index || under.count !== count || this.#held + payload.length > HELD_BYTES) {
      this.#end(transfer)
      return undefined
    }
    // A copy of its own: the payload may be a view of a larger buffer of the connection.
    under.parts.push(Buffer.from(payload.subarray(HEAD_BYTES)))
    this.#held += payload.length - HEAD_BYTES
    if (under.parts.length < count) return undefined
    this.#end(transfer)
    return Buffer.concat(under.parts).toString()
  }

  /** The connection has ended: what is incomplete stays so. */
  clear(): void {
    this.#transfers.clear()
    this.#held = 0
  }

  #begin(transfer: number, count: number): void {
    this.#end(transfer)
    const [oldest] = this.#transfers.keys()
    if (this.#transfers.size >= HELD_TRANSFERS && oldest !== undefined) this.#end(oldest)
    if (count > 0) this.#transfers.set(transfer, { count, parts: [] })
  }

  #end(transfer: number): void {
    const under = this.#transfers.get(transfer)
    if (!under) return
    this.#held -= under.parts.reduce((sum, { length }) => sum + length, 0)
    this.#transfers.delete(transfer)
  }
}
