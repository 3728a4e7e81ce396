/** Bits into bytes and out of them, the first bit in the most significant place. Pure. */

/** Which end of a byte goes over the line first: `msb` as in files (TIFF FillOrder 1), `lsb` as modems want it. */
export type BitOrder = 'msb' | 'lsb'

/** Each byte with its bits the other way round. */
const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0
  for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) reversed |= 0x80 >> bit
  return reversed
})

/** A copy with the bits of each byte the other way round. */
export const reverseBits = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (byte) => REVERSED[byte] ?? 0)

export class BitWriter {
  #bytes = new Uint8Array(65_536)
  #length = 0
  #held = 0
  #bits = 0

  /** @param length of the code, at most 16 bits */
  put(code: number, length: number): void {
    this.#held = (this.#held << length) | code
    this.#bits += length
    while (this.#bits >= 8) {
      this.#bits -= 8
      this.#push((this.#held >> this.#bits) & 0xff)
    }
    this.#held &= 0xff
  }

  zeros(count: number): void {
    let left = count
    for (; left > 16; left -= 16) this.put(0, 16)
    this.put(0, left)
  }

  /** Bits written so far. */
  get position(): number {
    return this.#length * 8 + this.#bits
  }

  /** The bytes; the last one is filled up with zeros. */
  finish(order: BitOrder): Uint8Array {
    if (this.#bits > 0) this.put(0, 8 - this.#bits)
    const bytes = this.#bytes.slice(0, this.#length)
    return order === 'msb' ? bytes : reverseBits(bytes)
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length] = byte
    this.#length += 1
  }
}

export class BitReader {
  readonly #bytes: Uint8Array
  /** How many bits there are; what is read behind them is zeros. */
  readonly length: number
  position = 0

  constructor(bytes: Uint8Array, order: BitOrder) {
    this.#bytes = order === 'msb' ? bytes : reverseBits(bytes)
    this.length = bytes.length * 8
  }

  get atEnd(): boolean {
    return this.position >= this.length
  }

  /** @param count at most 16 */
  peek(count: number): number {
    const at = this.position >> 3
    const three =
      ((this.#bytes[at] ?? 0) << 16) | ((this.#bytes[at + 1] ?? 0) << 8) | (this.#bytes[at + 2] ?? 0)
    return (three >> (24 - (this.position & 7) - count)) & ((1 << count) - 1)
  }

  /** How many zeros come from here to the next one, or to the end. */
  countZeros(): number {
    let at = this.position
    while (at < this.length) {
      // A whole byte of zeros is passed at once: fill can be long.
      if ((at & 7) === 0 && this.#bytes[at >> 3] === 0) at += 8
      else if ((this.#bytes[at >> 3] ?? 0) & (0x80 >> (at & 7))) return at - this.position
      else at += 1
    }
    return this.length - this.position
  }
}
