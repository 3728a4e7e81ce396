/**
 * The bound on one MQTT packet, looked at before the packet is in memory: neither broker nor client has one for
 * MQTT 3.1.1, where a length field alone announces up to 256 MB (MQTT 3.1.1 section 2.2.3).
 */

/** Topic, packet identifier and fixed header beside the payload. */
const ROOM = 1024

export interface FrameBound {
  /** @returns false when the packet that has begun is longer than allowed: the connection must end */
  take(chunk: Buffer): boolean
}

/** @param largest bytes of the largest payload */
export function frameBound(largest: number): FrameBound {
  /** Bytes of the packet under way that are still to come. */
  let rest = 0
  let length = 0
  let digits = -1
  return {
    take(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (rest > 0) {
          const step = Math.min(rest, chunk.length - at)
          rest -= step
          at += step
          continue
        }
        const byte = chunk[at++] ?? 0
        if (digits < 0) {
          // The first byte is type and flags; the length follows in base 128, least significant digit first.
          digits = 0
          length = 0
          continue
        }
        length += (byte & 0x7f) * 128 ** digits++
        if (length > largest + ROOM || digits > 4) return false
        if (byte < 0x80) {
          rest = length
          digits = -1
        }
      }
      return true
    },
  }
}
