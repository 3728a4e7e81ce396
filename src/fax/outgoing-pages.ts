/**
 * The pages of one call out, coded as the other end takes them. Coding takes long on a small machine, so a page is coded
 * while the modem is busy with the training or with the end of the page before, not when its turn has come.
 */
import { readFile } from 'node:fs/promises'
import { errorText } from '#core/errors.ts'
import { MOST_ROWS } from './coding/decode.ts'
import { encode } from './coding/encode.ts'
import { type Bitmap, blankBitmap, rowOf } from './coding/rows.ts'
import type { CallOut } from './contract.ts'
import type { Choice, Resolution } from './t30/capabilities.ts'
import { blockBits, blocksOf } from './t30/ecm.ts'
import { readTiff, type TiffPage, tiffBitmap } from './tiff.ts'

const LIMITS = { pages: 1_000, rows: MOST_ROWS }
/** The page being sent, and the one after it. */
const MOST_CODED = 2
/** Rows an inch from which a page counts as fine. */
const FINE = 150

interface Coded {
  data: Uint8Array
  blocks?: Uint8Array[][]
  /** The first partial page as it goes to the modem at this rate. */
  first?: { rate: number; bits: Uint8Array }
}

export interface Block {
  bits: Uint8Array
  /** How many frames the partial page has, and how many partial pages the page. */
  frames: number
  blocks: number
}

export class OutgoingPages {
  readonly #bytes: Uint8Array
  readonly #pages: readonly TiffPage[]
  readonly #coded = new Map<string, Coded>()

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

  /** Those of a call. @returns a sentence when there is nothing to send */
  static async of({ file, from }: CallOut): Promise<OutgoingPages | string> {
    try {
      const pages = OutgoingPages.read(await readFile(file))
      if (typeof pages === 'string' || from < pages.resolutions.length) return pages
      return 'the document has no page that is still to be sent'
    } catch (error) {
      return errorText(error)
    }
  }

  get resolutions(): Resolution[] {
    return this.#pages.map(({ down }) => ((down ?? 196) >= FINE ? 196 : 98))
  }

  /** The whole page, the first bit on the line in the least significant bit (pitfall 9). */
  coded(page: number, choice: Choice): Uint8Array {
    return this.#page(page, choice).data
  }

  /** One of the partial pages of a page, as it goes to the modem. `only`: those of its frames. */
  block(page: number, block: number, choice: Choice, only?: readonly number[]): Block {
    const coded = this.#page(page, choice)
    coded.blocks ??= blocksOf(coded.data, choice.frameSize)
    const frames = coded.blocks[block] ?? []
    const { rate } = choice.modulation
    if (only || coded.first?.rate !== rate || block > 0) {
      return {
        bits: blockBits(frames, only, choice.modulation),
        frames: frames.length,
        blocks: coded.blocks.length,
      }
    }
    return { bits: coded.first.bits, frames: frames.length, blocks: coded.blocks.length }
  }

  /** Does beforehand what sending this page will need at once. */
  prepare(page: number, choice: Choice): void {
    if (page >= this.#pages.length) return
    const coded = this.#page(page, choice)
    const { rate } = choice.modulation
    if (choice.ecm && coded.first?.rate !== rate)
      coded.first = { rate, bits: this.block(page, 0, choice).bits }
  }

  #page(page: number, choice: Choice): Coded {
    const { coding, resolution, modulation, rowTime } = choice
    const minimumBitsPerRow = rowTime === 0 ? 0 : Math.ceil((modulation.rate * rowTime) / 1_000)
    const key = `${page} ${coding} ${resolution} ${minimumBitsPerRow}`
    const known = this.#coded.get(key)
    if (known) return known
    const k = resolution === 196 ? 4 : 2
    const data = encode(coding, this.#bitmap(page, resolution), { k, minimumBitsPerRow, bitOrder: 'lsb' })
    const coded: Coded = { data }
    for (const old of [...this.#coded.keys()].slice(0, 1 - MOST_CODED)) this.#coded.delete(old)
    this.#coded.set(key, coded)
    return coded
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
