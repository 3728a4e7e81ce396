/**
 * Pages for fax tests, and their comparison row by row. Written and read with libtiff's programs, not with our own codec:
 * suites that use this need `libtiff-tools`.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const WIDTH = 1728
const ROW_BYTES = WIDTH / 8

export interface ChartOptions {
  pages?: number
  rows?: number
  /** Rows an inch. */
  resolution?: 98 | 196
  /** As tiffcp names it: g4, g3:1d, g3:2d, g3:1d:fill, none. */
  compression?: string
  /** The share of each row that holds something, 0 to 1; a page of 0.6 and 2200 rows has about 30 KB in MH. */
  density?: number
  /** Every second page has the other resolution. */
  mixed?: boolean
}

/** One page: lines of blocks that look like text, no two pages and hardly two rows alike. */
function drawn(page: number, rows: number, density: number): Buffer {
  const bits = Buffer.alloc(ROW_BYTES * rows)
  let state = 0x2545f491 ^ (page * 0x9e3779b1)
  const random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
  const line = Buffer.alloc(ROW_BYTES)
  for (let row = 0; row < rows; row++) {
    const within = row % 30
    if (within >= 18) continue
    if (within % 3 === 0) {
      for (let at = 12; at < ROW_BYTES - 12; at++)
        line[at] = random() < density / 3 ? ([0x3c, 0xf0, 0x18, 0x7e][at % 4] ?? 0) : 0
    }
    line.copy(bits, row * ROW_BYTES)
    // The row's number in its margin: rows that changed places are seen.
    bits.writeUInt16BE(row & 0x3ff, row * ROW_BYTES + 4)
  }
  return bits
}

/** A little-endian TIFF of uncompressed bilevel pages, 0 is white. */
function tiffOf(pages: readonly Buffer[], resolution: (page: number) => number): Buffer {
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])]
  let at = 8
  pages.forEach((bits, page) => {
    const entries: [tag: number, type: 3 | 4 | 5, value: number][] = [
      [256, 4, WIDTH],
      [257, 4, bits.length / ROW_BYTES],
      [258, 3, 1],
      [259, 3, 1],
      [262, 3, 0],
      [273, 4, 0],
      [277, 3, 1],
      [278, 4, bits.length / ROW_BYTES],
      [279, 4, bits.length],
      [282, 5, 204],
      [283, 5, resolution(page)],
      [296, 3, 2],
      [297, 3, page | (pages.length << 16)],
    ]
    const size = 2 + entries.length * 12 + 4
    const directory = Buffer.alloc(size + 16)
    directory.writeUInt16LE(entries.length, 0)
    let rational = size
    entries.forEach(([tag, type, value], n) => {
      const field = 2 + n * 12
      directory.writeUInt16LE(tag, field)
      directory.writeUInt16LE(type, field + 2)
      directory.writeUInt32LE(tag === 297 ? 2 : 1, field + 4)
      if (type === 5) {
        directory.writeUInt32LE(at + rational, field + 8)
        directory.writeUInt32LE(value, rational)
        directory.writeUInt32LE(1, rational + 4)
        rational += 8
      } else {
        directory.writeUInt32LE(tag === 273 ? at + directory.length : value, field + 8)
      }
    })
    const next = at + directory.length + bits.length
    directory.writeUInt32LE(page === pages.length - 1 ? 0 : next, size - 4)
    parts.push(directory, bits)
    at = next
  })
  return Buffer.concat(parts)
}

/** Writes a file of test pages. @returns its path */
export function chart(file: string, options: ChartOptions = {}): string {
  const {
    pages = 1,
    rows = 2200,
    resolution = 196,
    compression = 'g4',
    density = 0.6,
    mixed = false,
  } = options
  const resolutionOf = (page: number) => (mixed && page % 2 === 1 ? 294 - resolution : resolution)
  const plain = `${file}.plain`
  writeFileSync(
    plain,
    tiffOf(
      Array.from({ length: pages }, (_, page) => drawn(page, rows, density)),
      resolutionOf,
    ),
  )
  // Most programs read one strip a page, least significant bit first, as it goes over the line.
  execFileSync('tiffcp', ['-c', compression, '-f', 'lsb2msb', '-r', String(rows), plain, file])
  rmSync(plain)
  return file
}

export interface Page {
  width: number
  /** Bits, most significant first, 1 is black; `width / 8` bytes a row. */
  bits: Buffer
}

/** The pages of any bilevel TIFF, unpacked by libtiff. */
export function pagesOf(file: string): Page[] {
  const directory = mkdtempSync(join(tmpdir(), 'pages-'))
  try {
    const plain = join(directory, 'plain.tif')
    execFileSync('tiffcp', ['-c', 'none', '-f', 'msb2lsb', '-L', file, plain], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    return unpacked(readFileSync(plain))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function unpacked(data: Buffer): Page[] {
  const pages: Page[] = []
  for (let at = data.readUInt32LE(4); at !== 0; ) {
    const count = data.readUInt16LE(at)
    const fields = new Map<number, number[]>()
    for (let n = 0; n < count; n++) {
      const field = at + 2 + n * 12
      const short = data.readUInt16LE(field + 2) === 3
      const values = data.readUInt32LE(field + 4)
      const bytes = values * (short ? 2 : 4)
      const from = bytes <= 4 ? field + 8 : data.readUInt32LE(field + 8)
      if (![3, 4].includes(data.readUInt16LE(field + 2))) continue
      fields.set(
        data.readUInt16LE(field),
        Array.from({ length: values }, (_, i) =>
          short ? data.readUInt16LE(from + i * 2) : data.readUInt32LE(from + i * 4),
        ),
      )
    }
    const one = (tag: number) => fields.get(tag)?.[0] ?? 0
    const lengths = fields.get(279) ?? []
    const bits = Buffer.concat(
      (fields.get(273) ?? []).map((from, n) => data.subarray(from, from + (lengths[n] ?? 0))),
    )
    if (one(262) === 1) for (let i = 0; i < bits.length; i++) bits[i] = ~(bits[i] ?? 0) & 0xff
    pages.push({ width: one(256), bits })
    at = data.readUInt32LE(at + 2 + count * 12)
  }
  return pages
}

/** The page from its first row with something on it, and at most so many rows. */
function fromInk({ width, bits }: Page, most = Number.POSITIVE_INFINITY): Page {
  const bytes = Math.ceil(width / 8)
  const first = bits.findIndex((byte) => byte !== 0)
  const start = first - (first % bytes)
  return { width, bits: bits.subarray(start, Math.min(bits.length, start + most * bytes)) }
}

/**
 * How received pages differ from those sent, in words; empty when they are alike row for row. At most 10.
 * @param rows `framed`: the sending program puts rows of its own above and below, and those are not compared
 */
export function differences(sent: string, received: string, rows: 'all' | 'framed' = 'all'): string[] {
  const [before, after] = [pagesOf(sent), pagesOf(received)]
  if (before.length !== after.length) return [`${after.length} pages instead of ${before.length}`]
  return before
    .flatMap((page, n) => {
      const came = after[n]
      if (rows === 'all' || !came) return pageDifferences(page, came, n)
      const inked = fromInk(page)
      return pageDifferences(inked, fromInk(came, inked.bits.length / Math.ceil(page.width / 8)), n)
    })
    .slice(0, 10)
}

function pageDifferences(sent: Page, received: Page | undefined, page: number): string[] {
  if (!received || received.width !== sent.width)
    return [`page ${page}: ${received?.width} dots wide, not ${sent.width}`]
  const bytes = Math.ceil(sent.width / 8)
  const [rows, came] = [sent.bits.length / bytes, received.bits.length / bytes]
  const wrong = rows === came ? [] : [`page ${page}: ${came} rows instead of ${rows}`]
  for (let row = 0; row < Math.min(rows, came) && wrong.length < 10; row++) {
    const [from, to] = [row * bytes, (row + 1) * bytes]
    if (!sent.bits.subarray(from, to).equals(received.bits.subarray(from, to)))
      wrong.push(`page ${page}: row ${row}`)
  }
  return wrong
}
