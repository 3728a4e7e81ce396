/**
 * Reads PNG into shades of grey on white paper, row by row, so that a picture costs its grey dots and not its colours.
 * PNG (W3C, third edition): 5 data stream, 7 colour types, 8 interlacing, 9 filters. The decompressed size is known from
 * the head and is a bound: what holds more is cut off. Check sums are not looked at; a picture may be damaged.
 */
import { createInflate } from 'node:zlib'

export interface PngHead {
  width: number
  height: number
  depth: number
  /** 0 grey, 2 colours, 3 palette, 4 grey with alpha, 6 colours with alpha. */
  colour: number
  interlaced: boolean
  /** Dots an inch, where it says so. */
  perInch?: number
}

interface Picture extends PngHead {
  palette: Uint8Array
  alphas: Uint8Array
  data: Uint8Array[]
}

/** A channel count by colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const DEPTHS = [1, 2, 4, 8, 16]
const SIGNATURE_BYTES = 8
/** Of Adam7: where each pass begins and how far its dots are apart. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/** @returns undefined where the file is no sound PNG */
export const pngHead = (bytes: Uint8Array): PngHead | undefined => chunks(bytes)

function chunks(bytes: Uint8Array): Picture | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let picture: Picture | undefined
  for (let at = SIGNATURE_BYTES; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const type = view.getUint32(at + 4)
    const data = bytes.subarray(at + 8, at + 8 + length)
    if (data.length < length) break
    if (picture === undefined) {
      if (type !== 0x49484452 || length < 13) return undefined
      picture = headOf(view, at + 8)
      if (!picture) return undefined
    } else if (type === 0x504c5445) picture.palette = data
    else if (type === 0x74524e53) picture.alphas = data
    else if (type === 0x49444154) picture.data.push(data)
    else if (type === 0x70485973 && length >= 9 && data[8] === 1) {
      picture.perInch = view.getUint32(at + 8) * 0.0254
    } else if (type === 0x49454e44) break
    at += 12 + length
  }
  return picture?.data.length === 0 ? undefined : picture
}

function headOf(view: DataView, at: number): Picture | undefined {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)]
  const [depth, colour, interlace] = [view.getUint8(at + 8), view.getUint8(at + 9), view.getUint8(at + 12)]
  const sound =
    width > 0 && height > 0 && DEPTHS.includes(depth) && CHANNELS[colour] !== undefined && interlace <= 1
  if (!sound) return undefined
  return {
    width,
    height,
    depth,
    colour,
    interlaced: interlace === 1,
    palette: empty,
    alphas: empty,
    data: [],
  }
}

const empty = new Uint8Array()

/** @returns a byte a dot, 255 is white, or undefined where it cannot be read; missing rows are white */
export async function pngGrey(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const picture = chunks(bytes)
  if (!picture) return undefined
  const grey = new Uint8Array(picture.width * picture.height).fill(255)
  const passes = picture.interlaced ? PASSES : ([[0, 0, 1, 1]] as const)
  const rows = passes.flatMap(([x, y, across, down]) => {
    const width = Math.ceil((picture.width - x) / across)
    const height = Math.ceil((picture.height - y) / down)
    return width < 1 || height < 1 ? [] : [{ x, y, across, down, width, height }]
  })
  const reader = new RowReader(picture, grey, rows)
  const inflate = createInflate()
  inflate.on('error', () => {})
  for (const chunk of picture.data) inflate.write(chunk)
  inflate.end()
  try {
    for await (const chunk of inflate) if (!reader.take(chunk)) break
  } catch {
    // What came until here stays: a picture that was cut off is still worth sending, if anything of it came at all.
  }
  inflate.destroy()
  return reader.any ? grey : undefined
}

interface Pass {
  x: number
  y: number
  across: number
  down: number
  width: number
  height: number
}

/** Puts rows together out of pieces, takes their filters off, and paints them. */
class RowReader {
  any = false
  readonly #picture: Picture
  readonly #grey: Uint8Array
  readonly #passes: readonly Pass[]
  readonly #step: number
  #pass = 0
  #row = 0
  #before: Uint8Array
  #current: Uint8Array
  /** Bytes of the current row; its filter comes first. */
  #held = -1
  #filter = 0

  constructor(picture: Picture, grey: Uint8Array, passes: readonly Pass[]) {
    this.#picture = picture
    this.#grey = grey
    this.#passes = passes
    this.#step = Math.max(1, (this.#bits() + 7) >> 3)
    this.#before = this.#blank()
    this.#current = this.#blank()
  }

  /** @returns false when the picture is whole */
  take(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#pass >= this.#passes.length) return false
      if (this.#held < 0) {
        this.#filter = chunk[at] ?? 0
        this.#held = 0
        at += 1
        continue
      }
      const piece = chunk.subarray(at, at + this.#current.length - this.#held)
      this.#current.set(piece, this.#held)
      this.#held += piece.length
      at += piece.length
      if (this.#held === this.#current.length) this.#finishRow()
    }
    return this.#pass < this.#passes.length
  }

  #bits(): number {
    return (CHANNELS[this.#picture.colour] ?? 1) * this.#picture.depth
  }

  #blank(): Uint8Array {
    const width = this.#passes[this.#pass]?.width ?? 0
    return new Uint8Array((width * this.#bits() + 7) >> 3)
  }

  #finishRow(): void {
    unfilter(this.#filter, this.#current, this.#before, this.#step)
    const pass = this.#passes[this.#pass]
    if (pass) this.#paint(pass)
    this.any = true
    this.#held = -1
    ;[this.#before, this.#current] = [this.#current, this.#before]
    this.#row += 1
    if (pass && this.#row < pass.height) return
    this.#row = 0
    this.#pass += 1
    this.#before = this.#blank()
    this.#current = this.#blank()
  }

  #paint({ x, y, across, down, width }: Pass): void {
    const to = (y + this.#row * down) * this.#picture.width + x
    for (let dot = 0; dot < width; dot += 1) this.#grey[to + dot * across] = this.#shade(dot)
  }

  /** Of one dot, on white. */
  #shade(dot: number): number {
    const { colour, alphas, palette, depth } = this.#picture
    const channels = CHANNELS[colour] ?? 1
    if (colour === 3) {
      const index = this.#sample(dot)
      const at = index * 3
      return over(
        luminance(palette[at] ?? 0, palette[at + 1] ?? 0, palette[at + 2] ?? 0),
        alphas[index] ?? 255,
      )
    }
    const most = 2 ** Math.min(depth, 8) - 1
    const sample = (channel: number) => (this.#sample(dot * channels + channel) * 255) / most
    const shade = channels < 3 ? sample(0) : luminance(sample(0), sample(1), sample(2))
    return over(shade, channels === 2 ? sample(1) : channels === 4 ? sample(3) : 255)
  }

  /** The upper eight bits of a sample, at most. */
  #sample(index: number): number {
    const { depth } = this.#picture
    if (depth === 8) return this.#current[index] ?? 0
    if (depth === 16) return this.#current[index * 2] ?? 0
    const bit = index * depth
    return ((this.#current[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & (2 ** depth - 1)
  }
}

const luminance = (red: number, green: number, blue: number): number =>
  0.299 * red + 0.587 * green + 0.114 * blue
const over = (shade: number, alpha: number): number => Math.round(255 - ((255 - shade) * alpha) / 255)

/** 9.2: each byte was written as the difference to what its neighbours say. */
function unfilter(filter: number, row: Uint8Array, before: Uint8Array, step: number): void {
  for (let index = 0; index < row.length; index += 1) {
    const left = index < step ? 0 : (row[index - step] ?? 0)
    const up = before[index] ?? 0
    const corner = index < step ? 0 : (before[index - step] ?? 0)
    const guess =
      filter === 1
        ? left
        : filter === 2
          ? up
          : filter === 3
            ? (left + up) >> 1
            : filter === 4
              ? paeth(left, up, corner)
              : 0
    row[index] = (row[index] ?? 0) + guess
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}
