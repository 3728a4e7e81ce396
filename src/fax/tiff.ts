/**
 * Bilevel TIFF as fax programs exchange it: reads Group 3 (one and two dimensions), Group 4, PackBits and uncompressed
 * strips in either byte and bit order, of a fax's width those of LZW and Deflate, too, and writes pages of Group 4. Pure.
 * TIFF 6.0 (Adobe, 1992), sections 2, 3, 9 to 11; TIFF/F, RFC 2306. No length and no offset of a file is trusted: what
 * does not fit the file is a problem.
 */
import { type BitOrder, reverseBits } from './coding/bits.ts'
import { type Decoded, decode } from './coding/decode.ts'
import { type Bitmap, blankBitmap, LARGEST_WIDTH, strideOf } from './coding/rows.ts'
import { type GeneralCoding, generalCodings, startsLzw, unpacked } from './tiff-strips.ts'

export interface TiffPage {
  width: number
  height: number
  /** Dots an inch; absent where the file does not say. */
  across?: number
  down?: number
  compression: 2 | 3 | 4 | GeneralCoding
  /** Group 3: rows may be coded against the row before. */
  twoDimensional: boolean
  bitOrder: BitOrder
  /** The bits of black dots are 0. */
  inverted: boolean
  rowsPerStrip: number
  /** Places and lengths in the file, checked. */
  strips: readonly { at: number; length: number }[]
}

export type TiffPages =
  | { result: 'pages'; pages: TiffPage[] }
  | { result: 'broken'; text: string }
  /** A proper TIFF with something that is not read here. */
  | { result: 'unsupported'; text: string }

export interface TiffLimits {
  pages: number
  /** Rows of a page. */
  rows: number
}

/** A page as writeTiff() takes it. */
export interface CodedPage {
  width: number
  rows: number
  /** Rows an inch. */
  resolution: 98 | 196
  /** ITU-T T.6 with its most significant bit first. */
  data: Uint8Array
}

/** Tags of TIFF 6.0 and, where it says so, RFC 2306. */
const tag = {
  subfile: 254,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripLengths: 279,
  across: 282,
  down: 283,
  t4Options: 292,
  t6Options: 293,
  unit: 296,
  pageNumber: 297,
  predictor: 317,
  tileWidth: 322,
} as const

const SHORT = 3
const LONG = 4
const RATIONAL = 5
/** Bytes of a value of each type that is read. */
const SIZES: Readonly<Record<number, number>> = { [SHORT]: 2, [LONG]: 4, [RATIONAL]: 8 }
/** Pages of this width may be fax pages, which go out row for row. */
const FAX_WIDTH = 1728
const UNIT_INCH = 2
const UNIT_CENTIMETRE = 3
const MOST_STRIPS = 65_536
/** Of one page, 25 MB: Letter at 1,200 dots an inch has 135 million. */
const MOST_DOTS = 200_000_000

class Broken extends Error {}
class Unsupported extends Error {}

/** Reads the directories of all pages; no picture is decoded yet. */
export function readTiff(bytes: Uint8Array, limits: TiffLimits): TiffPages {
  try {
    return { result: 'pages', pages: directories(bytes, limits, page) }
  } catch (error) {
    if (error instanceof Broken) return { result: 'broken', text: error.message }
    if (error instanceof Unsupported) return { result: 'unsupported', text: error.message }
    throw error
  }
}

/**
 * How large the pages are of a TIFF that is unsupported here, for whoever hands it to another program.
 * @returns undefined where it is broken
 */
export function measureTiff(
  bytes: Uint8Array,
  limits: TiffLimits,
): { width: number; height: number }[] | undefined {
  try {
    return directories(bytes, limits, (directory) => {
      const [width, height] = [directory.one(tag.width), directory.one(tag.height)]
      if (width < 1 || height < 1 || height > limits.rows) throw new Broken('a page has no sound size')
      return { width, height }
    })
  } catch (error) {
    if (error instanceof Broken) return undefined
    throw error
  }
}

function directories<P>(
  bytes: Uint8Array,
  limits: TiffLimits,
  pageOf: (directory: Directory, limits: TiffLimits) => P,
): P[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8) throw new Broken('it is shorter than the head of a TIFF')
  const little = bytes[0] === 0x49
  if (view.getUint16(2, little) !== 42) throw new Broken('it does not begin as a TIFF does')
  const pages: P[] = []
  const seen = new Set<number>()
  for (let at = view.getUint32(4, little); at !== 0; ) {
    if (seen.has(at)) throw new Broken('its list of pages runs in a circle')
    seen.add(at)
    if (pages.length >= limits.pages) throw new Broken(`it has more than ${limits.pages} pages`)
    const directory = new Directory(view, little, at)
    pages.push(pageOf(directory, limits))
    at = directory.next
  }
  if (pages.length === 0) throw new Broken('it has no page')
  return pages
}

function page(directory: Directory, limits: TiffLimits): TiffPage {
  const width = directory.one(tag.width)
  const height = directory.one(tag.height)
  if (width < 1 || width > LARGEST_WIDTH) throw new Broken(`a page says that it is ${width} dots wide`)
  if (height < 1 || height > limits.rows) throw new Broken(`a page says that it is ${height} rows long`)
  if (width * height > MOST_DOTS) throw new Broken(`a page says that it has ${width} by ${height} dots`)
  const compression = directory.one(tag.compression, 1)
  if (!isKnown(compression) || (isForAnything(compression) && width !== FAX_WIDTH))
    throw new Unsupported(`its compression ${compression} is not one of black and white pages`)
  if (directory.one(tag.predictor, 1) !== 1) throw new Unsupported('its bits are differences')
  if (directory.has(tag.tileWidth)) throw new Unsupported('it is made of tiles')
  const photometric = directory.one(tag.photometric, 0)
  if (directory.one(tag.bits, 1) !== 1 || directory.one(tag.samples, 1) !== 1 || photometric > 1) {
    throw new Unsupported('it has colours or shades of grey')
  }
  const rowsPerStrip = Math.min(height, directory.one(tag.rowsPerStrip, height))
  if (rowsPerStrip < 1) throw new Broken('a page says that its strips have no rows')
  const offsets = directory.all(tag.stripOffsets)
  const lengths = directory.all(tag.stripLengths)
  if (offsets.length !== Math.ceil(height / rowsPerStrip) || lengths.length !== offsets.length) {
    throw new Broken('the strips of a page do not add up to its rows')
  }
  const strips = offsets.map((at, index) => ({ at, length: lengths[index] ?? 0 }))
  if (strips.some(({ at, length }) => at + length > directory.fileLength)) {
    throw new Broken('a page says that it lies beyond the end of the file')
  }
  const bitOrder = directory.one(tag.fillOrder, 1) === 2 ? 'lsb' : 'msb'
  // Before TIFF 5 LZW was written the other way round.
  if (compression === 5 && !strips.every(({ at }) => startsLzw(directory.byte(at), bitOrder)))
    throw new Unsupported('its LZW is of an old kind')
  const perInch = directory.one(tag.unit, UNIT_INCH) === UNIT_CENTIMETRE ? 2.54 : 1
  const across = directory.ratio(tag.across) * perInch
  const down = directory.ratio(tag.down) * perInch
  return {
    width,
    height,
    ...(across > 0 ? { across } : {}),
    ...(down > 0 ? { down } : {}),
    compression,
    twoDimensional: (directory.one(tag.t4Options, 0) & 1) === 1,
    bitOrder,
    inverted: photometric === 1,
    rowsPerStrip,
    strips,
  }
}

const isKnown = (compression: number): compression is TiffPage['compression'] =>
  [2, 3, 4, ...generalCodings].includes(compression)

/** Compressions for pictures of every kind: of them only what may be fax pages is read here. */
const isForAnything = (compression: number): boolean => [5, 8, 32946].includes(compression)

class Directory {
  readonly #view: DataView
  readonly #little: boolean
  /** Place of each tag's entry. */
  readonly #entries = new Map<number, number>()
  /** Place of the next directory, 0 after the last. */
  readonly next: number

  constructor(view: DataView, little: boolean, at: number) {
    this.#view = view
    this.#little = little
    const count = this.#short(at)
    for (let index = 0; index < count; index += 1) {
      const entry = at + 2 + index * 12
      this.#entries.set(this.#short(entry), entry)
    }
    this.next = this.#long(at + 2 + count * 12)
  }

  get fileLength(): number {
    return this.#view.byteLength
  }

  has(name: number): boolean {
    return this.#entries.has(name)
  }

  /** The only value of a tag. */
  one(name: number, otherwise?: number): number {
    if (!this.has(name)) {
      if (otherwise === undefined) throw new Broken(`tag ${name} is missing`)
      return otherwise
    }
    return this.all(name)[0] ?? 0
  }

  all(name: number): number[] {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new Broken(`tag ${name} is missing`)
    const type = this.#short(entry + 2)
    const count = this.#long(entry + 4)
    const size = SIZES[type]
    if (size === undefined || type === RATIONAL)
      throw new Broken(`tag ${name} is of a type that it cannot have`)
    if (count < 1 || count > MOST_STRIPS) throw new Broken(`tag ${name} says that it has ${count} values`)
    const at = count * size <= 4 ? entry + 8 : this.#long(entry + 8)
    return Array.from({ length: count }, (_, index) =>
      type === SHORT ? this.#short(at + index * 2) : this.#long(at + index * 4),
    )
  }

  byte(at: number): number {
    this.#inside(at, 1)
    return this.#view.getUint8(at)
  }

  /** A fraction, or 0 where there is none. */
  ratio(name: number): number {
    const entry = this.#entries.get(name)
    if (entry === undefined || this.#short(entry + 2) !== RATIONAL) return 0
    const at = this.#long(entry + 8)
    const below = this.#long(at + 4)
    return below === 0 ? 0 : this.#long(at) / below
  }

  #short(at: number): number {
    this.#inside(at, 2)
    return this.#view.getUint16(at, this.#little)
  }

  #long(at: number): number {
    this.#inside(at, 4)
    return this.#view.getUint32(at, this.#little)
  }

  #inside(at: number, size: number): void {
    if (at + size > this.#view.byteLength) throw new Broken('it points beyond the end of the file')
  }
}

/** Decodes one page; rows that the file promises and does not hold are white, and counted as bad and as missing. */
export function tiffBitmap(bytes: Uint8Array, page: TiffPage): Decoded & { missing: number } {
  const bitmap = blankBitmap(page.width, page.height)
  const stride = strideOf(page.width)
  let badRows = 0
  let missing = 0
  page.strips.forEach(({ at, length }, index) => {
    const first = index * page.rowsPerStrip
    const rows = Math.min(page.rowsPerStrip, page.height - first)
    const strip = stripRows(bytes.subarray(at, at + length), page, rows)
    bitmap.data.set(strip.bitmap.data, first * stride)
    badRows += strip.badRows + rows - strip.bitmap.height
    missing += rows - strip.bitmap.height
  })
  if (page.inverted) invert(bitmap)
  return { bitmap, badRows, missing, ended: true }
}

function stripRows(bytes: Uint8Array, page: TiffPage, rows: number): Decoded {
  const { width, compression, bitOrder } = page
  if (compression !== 2 && compression !== 3 && compression !== 4) {
    const stride = strideOf(width)
    const ordered = bitOrder === 'msb' ? bytes : reverseBits(bytes)
    // Some programs fill the last strip up to the length of the others.
    const plain = unpacked(compression, ordered, page.rowsPerStrip * stride)
    const height = Math.min(rows, Math.floor(plain.length / stride))
    return { bitmap: { width, height, data: plain.slice(0, height * stride) }, badRows: 0, ended: true }
  }
  const coding = compression === 4 ? 'MMR' : page.twoDimensional && compression === 3 ? 'MR' : 'MH'
  return decode(coding, bytes, { width, bitOrder, mostRows: rows, bare: compression === 2 })
}

/** The bits behind the last dot of a row stay 0. */
function invert({ width, data }: Bitmap): void {
  const stride = strideOf(width)
  const last = (0xff00 >> (((width - 1) & 7) + 1)) & 0xff
  for (let index = 0; index < data.length; index += 1) {
    data[index] = ~(data[index] ?? 0) & (index % stride === stride - 1 ? last : 0xff)
  }
}

/** Pages at 204 dots an inch, one strip each, Group 4 (RFC 2306, 3 and 4.1). */
export function writeTiff(pages: readonly CodedPage[]): Uint8Array {
  const entries = 16
  const directory = 2 + entries * 12 + 4 + 16
  const length = pages.reduce((sum, { data }) => sum + directory + even(data.length), 8)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x4949)
  view.setUint16(2, 42, true)
  view.setUint32(4, 8, true)
  let at = 8
  pages.forEach(({ width, rows, resolution, data }, index) => {
    const ratios = at + 2 + entries * 12 + 4
    const strip = at + directory
    const values: [number, number, number, number][] = [
      [tag.subfile, LONG, 1, 2],
      [tag.width, LONG, 1, width],
      [tag.height, LONG, 1, rows],
      [tag.bits, SHORT, 1, 1],
      [tag.compression, SHORT, 1, 4],
      [tag.photometric, SHORT, 1, 0],
      [tag.fillOrder, SHORT, 1, 1],
      [tag.stripOffsets, LONG, 1, strip],
      [tag.samples, SHORT, 1, 1],
      [tag.rowsPerStrip, LONG, 1, rows],
      [tag.stripLengths, LONG, 1, data.length],
      [tag.across, RATIONAL, 1, ratios],
      [tag.down, RATIONAL, 1, ratios + 8],
      [tag.t6Options, LONG, 1, 0],
      [tag.unit, SHORT, 1, UNIT_INCH],
      // Two of 16 bits: the page from 0, and how many there are.
      [tag.pageNumber, SHORT, 2, index + pages.length * 65_536],
    ]
    view.setUint16(at, entries, true)
    values.forEach(([name, type, count, value], n) => {
      const entry = at + 2 + n * 12
      view.setUint16(entry, name, true)
      view.setUint16(entry + 2, type, true)
      view.setUint32(entry + 4, count, true)
      view.setUint32(entry + 8, value, true)
    })
    const next = strip + even(data.length)
    view.setUint32(at + 2 + entries * 12, index + 1 < pages.length ? next : 0, true)
    for (const [n, ratio] of [204, resolution].entries()) {
      view.setUint32(ratios + n * 8, ratio, true)
      view.setUint32(ratios + n * 8 + 4, 1, true)
    }
    bytes.set(data, strip)
    at = next
  })
  return bytes
}

/** Directories begin at even places (TIFF 6.0, section 2). */
const even = (length: number): number => length + (length & 1)
