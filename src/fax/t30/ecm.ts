/**
 * Partial pages of error correction (ITU-T T.30, Annex A, A.3 and A.4): up to 256 frames of 256 or 64 octets, numbered
 * from 0, each checked on its own, and sent again alone when it was damaged. Pure.
 */
import { frameBits, framesIn } from './hdlc.ts'
import type { Modulation } from './modulation.ts'

const FRAMES_A_BLOCK = 256
const ADDRESS = 0xff
const CONTROL = 0x03
/** Facsimile coded data, and return to control for partial page (A.3.6). */
const FCD = 0x06
const RCP = 0x86
const RCP_COUNT = 3
/**
 * Synchronization before the frames (A.3.1): 200 ms +-100 ms of flags, not fewer: a first frame that goes by unheard costs
 * seconds. After the last RCP at most 50 ms: as many as surely leave the modem before its carrier ends.
 */
const LEAD_MS = 200
const TRAIL_MS = 5

/** @returns the partial pages of a page, each as the octets of its frames; the last frame is filled up with zeros */
export function blocksOf(data: Uint8Array, frameSize: 64 | 256): Uint8Array[][] {
  const frames: Uint8Array[] = []
  for (let at = 0; at === 0 || at < data.length; at += frameSize) {
    const frame = new Uint8Array(frameSize)
    frame.set(data.subarray(at, at + frameSize))
    frames.push(frame)
  }
  const blocks: Uint8Array[][] = []
  for (let at = 0; at < frames.length; at += FRAMES_A_BLOCK)
    blocks.push(frames.slice(at, at + FRAMES_A_BLOCK))
  return blocks
}

/** What goes to the modem: flags, the frames, three RCP, flags. */
export function blockBits(
  block: readonly Uint8Array[],
  only: readonly number[] | undefined,
  { rate }: Modulation,
): Uint8Array {
  const numbers = only ?? block.map((_, number) => number)
  const coded = numbers.flatMap((number) => {
    const data = block[number]
    return data ? [Uint8Array.of(ADDRESS, CONTROL, FCD, number, ...data)] : []
  })
  const returns = Array.from({ length: RCP_COUNT }, () => Uint8Array.of(ADDRESS, CONTROL, RCP))
  const flags = (ms: number) => Math.ceil((ms * rate) / 8_000)
  return frameBits([...coded, ...returns], flags(LEAD_MS), flags(TRAIL_MS))
}

/** A partial page as it comes together at the receiver. */
export class Block {
  readonly #frames = new Map<number, Uint8Array>()
  #count = 0

  /** Adds the good frames of what a fast carrier brought. @returns whether RCP was among them */
  take(bytes: Uint8Array, frameSize: 64 | 256): boolean {
    let returned = false
    for (const frame of framesIn(bytes, frameSize + 6)) {
      const [address, , field, number] = frame
      if (address !== ADDRESS) continue
      if (field === RCP) returned = true
      if (field !== FCD || number === undefined || frame.length < 5) continue
      const data = new Uint8Array(frameSize)
      data.set(frame.subarray(4, 4 + frameSize))
      this.#frames.set(number, data)
    }
    return returned
  }

  /** Nothing is missing among the frames that are here; more may belong to it. */
  get whole(): boolean {
    return this.#frames.size > 0 && Math.max(...this.#frames.keys()) === this.#frames.size - 1
  }

  /**
   * @param frames how many the sender says there are. Some senders count all frames of the partial page, others those
   *   that they have just sent again; so the highest count that was said or seen holds.
   */
  missing(frames: number): number[] {
    this.#count = Math.max(this.#count, frames, ...[...this.#frames.keys()].map((number) => number + 1))
    return Array.from({ length: this.#count }, (_, number) => number).filter(
      (number) => !this.#frames.has(number),
    )
  }

  /** Its octets, as far as they follow one another; `all`: with holes left out, for a page that stays damaged. */
  data(all: boolean): Uint8Array[] {
    const numbers = [...this.#frames.keys()].sort((a, b) => a - b)
    const data: Uint8Array[] = []
    for (const number of numbers) {
      if (!all && number !== data.length) break
      data.push(this.#frames.get(number) ?? new Uint8Array(0))
    }
    return data
  }
}

/** PPS and EOR (A.4.3): page and partial page, each counted modulo 256, and the number of frames less one. */
export const buildPartial = (end: number, page: number, block: number, frames: number): Uint8Array =>
  Uint8Array.of(end, page & 0xff, block & 0xff, (frames - 1) & 0xff)

/** PPR (A.4.4): a bit for each frame, frame 0 first; 1 asks for it again. */
export function buildRequest(missing: readonly number[]): Uint8Array {
  const map = new Uint8Array(FRAMES_A_BLOCK / 8)
  for (const number of missing) map[number >> 3] = (map[number >> 3] ?? 0) | (1 << (number & 7))
  return map
}

export const readRequest = (fif: Uint8Array, frames: number): number[] =>
  Array.from({ length: frames }, (_, number) => number).filter(
    (number) => (((fif[number >> 3] ?? 0) >> (number & 7)) & 1) === 1,
  )
