/**
 * The pages of one call out, coded as the other end takes them, each only when it is its turn.
 */
import { encode } from '../coding/encode.ts'
import { type Bitmap, blankBitmap, rowOf } from '../coding/rows.ts'
import type { Choice, Resolution } from '../t30/capabilities.ts'
import { blocksOf } from '../t30/ecm.ts'
import { readTiff, type TiffPage, tiffBitmap } from '../tiff.ts'

const LIMITS = { pages: 1_000, rows: 16_384 }
/** Rows an inch from which a page counts as fine. */
const FINE = 150

export class OutgoingPages {
  readonly #bytes: Uint8Array
  readonly #pages: readonly TiffPage[]
  #coded: { key: string; data: Uint8Array } | undefined

  private constructor(bytes: Uint8Array, pages: readonly TiffPage[]) {
    this.#bytes = bytes
    this.#pages = pages
  }

  /** @returns a sentence when the file cannot be sent */
  static read(bytes: Uint8Array): OutgoingPages | string {
    const read = readTiff(bytes, LIMITS)
    if (read.result !== 'pages') return read.text
    return new OutgoingPages(bytes, read.pages)
  }

  get resolutions(): Resolution[] {
    return this.#pages.map(({ down }) => ((down ?? 196) >= FINE ? 196 : 98))
  }

  /** The whole page, the first bit on the line in the least significant bit (pitfall 9). */
  coded(page: number, choice: Choice): Uint8Array {
    const { coding, resolution, modulation, rowTime } = choice
    const bits = rowTime === 0 ? 0 : Math.ceil((modulation.rate * rowTime) / 1_000)
    const key = `${page} ${coding} ${resolution} ${bits}`
    if (this.#coded?.key !== key) {
      const data = encode(coding, this.#bitmap(page, resolution), {
        k: resolution === 196 ? 4 : 2,
        minimumBitsPerRow: bits,
        bitOrder: 'lsb',
      })
      this.#coded = { key, data }
    }
    return this.#coded.data
  }

  /** The partial pages of a page, as the octets of their frames. */
  blocks(page: number, choice: Choice): Uint8Array[][] {
    return blocksOf(this.coded(page, choice), choice.frameSize)
  }

  #bitmap(page: number, resolution: Resolution): Bitmap {
    const found = this.#pages[page]
    if (!found) return blankBitmap(1728, 1)
    const { bitmap } = tiffBitmap(this.#bytes, found)
    return resolution === 98 && this.resolutions[page] === 196 ? halved(bitmap) : bitmap
  }
}

/** For a machine that prints 98 rows an inch only: of two rows one, black where either is. */
function halved(bitmap: Bitmap): Bitmap {
  const half = blankBitmap(bitmap.width, Math.ceil(bitmap.height / 2))
  for (let row = 0; row < bitmap.height; row++) {
    const into = rowOf(half, row >> 1)
    rowOf(bitmap, row).forEach((byte, at) => {
      into[at] = (into[at] ?? 0) | byte
    })
  }
  return half
}
