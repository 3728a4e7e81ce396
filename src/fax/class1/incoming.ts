/**
 * The page that is coming in: what was heard of it, how good it is, and its hand-over to the gateway.
 */

import { type Decoded, decode, MOST_ROWS } from '../coding/decode.ts'
import { encode } from '../coding/encode.ts'
import { FAX_WIDTH } from '../coding/rows.ts'
import type { CallInEvents } from '../contract.ts'
import type { Choice } from '../t30/capabilities.ts'
import { Block } from '../t30/ecm.ts'

/** Where RTC is looked for: the last octets, since carriers trail off with zeros. */
const TAIL = 256
/** Octets of a page in partial pages; without error correction the carrier has a limit of its own. */
const MOST_OCTETS = 16 * 1024 * 1024

export class IncomingPages {
  readonly #events: CallInEvents
  #block = new Block()
  /** Octets of the partial pages that are complete. */
  #closed: Uint8Array[] = []
  /** A page without error correction. */
  #heard: Uint8Array | undefined
  #decoded: Decoded | undefined
  /** The same in T.6, for the gateway. */
  #coded: Uint8Array | undefined
  /** Its sender has left frames out for good (EOR). */
  #holes = false
  #kept = 0
  /** The page kept last, in T.6. */
  #last: Uint8Array | undefined
  #keeping: Promise<boolean> | undefined

  constructor(events: CallInEvents) {
    this.#events = events
  }

  /** DCS came: with error correction a page begins anew. */
  begin(choice: Choice): void {
    if (choice.ecm) this.#clear()
  }

  /** @returns whether the mark that the page, or the partial page, is over came with it */
  take(data: Uint8Array, choice: Choice): boolean {
    this.#decoded = undefined
    this.#coded = undefined
    if (choice.ecm) return this.#block.take(data, choice.frameSize)
    this.#heard = data
    return hasReturn(data)
  }

  missing(frames: number): number[] {
    return this.#block.missing(frames)
  }

  /** @returns whether there is room for more of this page */
  closeBlock(): boolean {
    this.#holes ||= this.missing(0).length > 0
    this.#closed.push(...this.#block.data(true))
    this.#block = new Block()
    const [frame] = this.#closed
    return this.#closed.length * (frame?.length ?? 0) < MOST_OCTETS
  }

  judge(choice: Choice): { rows: number; badRows: number } {
    const { bitmap, badRows } = this.#decode(choice)
    return { rows: bitmap.height, badRows }
  }

  /** What was heard, decoded once. */
  #decode(choice: Choice): Decoded {
    if (this.#decoded) return this.#decoded
    const data = choice.ecm
      ? Buffer.concat([...this.#closed, ...this.#block.data(true)])
      : (this.#heard ?? new Uint8Array(0))
    this.#decoded = decode(choice.coding, data, { width: FAX_WIDTH, bitOrder: 'lsb' })
    return this.#decoded
  }

  /** Does beforehand, while the modem waits for the post-page message, what answering that will need at once. */
  prepare(choice: Choice | undefined): void {
    if (!choice || this.#decoded) return
    if (choice.ecm ? this.#block.whole : this.#heard !== undefined) this.#inT6(choice)
  }

  #inT6(choice: Choice): Uint8Array {
    this.#coded ??= encode('MMR', this.#decode(choice).bitmap)
    return this.#coded
  }

  /**
   * Hands the page over; asked again it goes on waiting for the same hand-over.
   * @returns whether it is kept; undefined when there is nothing to keep
   */
  keep(choice: Choice, complete: boolean): Promise<boolean> | undefined {
    if (this.#keeping !== undefined) return this.#keeping
    const { rows, badRows } = this.judge(choice)
    if (rows === 0) return undefined
    const page = {
      number: this.#kept,
      width: FAX_WIDTH,
      rows,
      resolution: choice.resolution,
      data: this.#inT6(choice),
      badRows,
      // What came beyond is not here; nor is what follows a row of T.6 that is none.
      complete: complete && !this.#holes && rows < MOST_ROWS && !(badRows > 0 && choice.coding === 'MMR'),
    }
    this.#keeping = this.#events.page(page).then(
      () => true,
      () => false,
    )
    return this.#keeping
  }

  /** Whether it is the page kept last, dot for dot; then it is forgotten. */
  known(choice: Choice): boolean {
    if (!this.#last || Buffer.compare(this.#last, this.#inT6(choice)) !== 0) return false
    this.#clear()
    return true
  }

  /** The page is kept, and what comes now belongs to another one. */
  done(): void {
    this.#kept += 1
    this.#last = this.#coded
    this.#keeping = undefined
    this.#clear()
  }

  #clear(): void {
    this.#holes = false
    this.#block = new Block()
    this.#closed = []
    this.#heard = undefined
    this.#decoded = undefined
    this.#coded = undefined
  }
}

/** Three ends of line in a row (RTC has six, T.4, 4.1.4 and 4.2.5), each with its tag bit where rows are coded in two dimensions. */
function hasReturn(data: Uint8Array): boolean {
  let bits = ''
  for (const byte of data.subarray(-TAIL)) {
    for (let bit = 0; bit < 8; bit++) bits += (byte >> bit) & 1
  }
  return /(0{11}1){3}|(0{11}11){3}/.test(bits)
}
