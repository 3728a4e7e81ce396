/**
 * DLE shielding of data between us and a fax modem (ITU-T T.31, 8.3.3 and T.32, 6.3): in both directions DLE is doubled
 * and DLE ETX ends the data. Towards us Class 2.0 may write two DLE as DLE SUB. Pitfall 3 of docs/fax.md is obeyed here, for HDLC frames too.
 */
export const DLE = 0x10
export const ETX = 0x03
const SUB = 0x1a

/** Doubles every DLE. The end mark is not added. */
export function shield(data: Uint8Array): Uint8Array {
  let extra = 0
  for (const byte of data) if (byte === DLE) extra++
  if (extra === 0) return data
  const shielded = new Uint8Array(data.length + extra)
  let at = 0
  for (const byte of data) {
    shielded[at++] = byte
    if (byte === DLE) shielded[at++] = DLE
  }
  return shielded
}

/** What came out of one chunk; `used` bytes of it belong to the data, the rest follows the end mark. */
export interface Unshielded {
  data: Uint8Array
  ended: boolean
  used: number
}

/** Takes the shielding off again, however the bytes are cut into chunks. */
export class Unshielder {
  #afterDle = false

  take(chunk: Uint8Array): Unshielded {
    // DLE SUB held over from the chunk before makes one byte more than came.
    const data = new Uint8Array(chunk.length + 1)
    let length = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (!this.#afterDle) {
        if (byte === DLE) this.#afterDle = true
        else data[length++] = byte
        continue
      }
      this.#afterDle = false
      if (byte === ETX) return { data: data.subarray(0, length), ended: true, used: at + 1 }
      if (byte === DLE) data[length++] = DLE
      else if (byte === SUB) {
        data[length++] = DLE
        data[length++] = DLE
      }
      // Any other pair carries no data and is left out, as T.31 asks.
    }
    return { data: data.subarray(0, length), ended: false, used: chunk.length }
  }
}
