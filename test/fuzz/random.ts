/** What fuzzing does with bytes, by a chance that can be repeated. */
import { Chance } from '#simulator/chance.ts'

export class Random extends Chance {
  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000
  }

  one<T>(of: readonly [T, ...T[]]): T {
    return of[this.below(of.length)] ?? of[0]
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  /** The same with a few bits, bytes or stretches of it changed, lost or said twice. */
  spoiled(bytes: Buffer): Buffer {
    let out = Buffer.from(bytes)
    for (let times = 1 + this.below(4); times > 0; times -= 1) {
      const at = this.below(out.length + 1)
      const end = Math.min(out.length, at + this.below(40))
      switch (this.below(5)) {
        case 0:
          if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << this.below(8))
          break
        case 1:
          out = Buffer.concat([out.subarray(0, at), out.subarray(end)])
          break
        case 2:
          out = Buffer.concat([out.subarray(0, at), this.bytes(this.below(12)), out.subarray(at)])
          break
        case 3:
          out = Buffer.concat([out.subarray(0, end), out.subarray(at, end), out.subarray(end)])
          break
        default:
          out = Buffer.concat([
            out.subarray(0, at),
            Buffer.alloc(this.below(3_000), out[at] ?? 65),
            out.subarray(at),
          ])
      }
    }
    return out
  }

  /** The same in pieces of any length. */
  *pieces(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      const length = this.happens(0.2) ? 1 + this.below(8) : 1 + this.below(bytes.length)
      yield bytes.subarray(at, at + length)
      at += length
    }
  }
}
