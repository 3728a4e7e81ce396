/** The documents of an appliance over real files, a real store and a real Ghostscript, and the files that people send. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { Bitmap } from '#fax/coding/rows.ts'
import type { Taken } from '#fax/documents/contract.ts'
import { createFaxDocuments } from '#fax/documents/documents.ts'
import type { RenderPeers } from '#fax/documents/elsewhere.ts'
import type { GhostscriptLimits } from '#fax/documents/ghostscript.ts'
import { readTiff, type TiffPage, tiffBitmap } from '#fax/tiff.ts'
import type { DocumentReference } from '#messages/message.ts'
import { type DocumentPeers, DocumentStore, noPeers } from '#store/documents.ts'
import { openStore } from '#store/sqlite.ts'

export interface RigOptions {
  maxPages?: number
  maxSize?: number
  peers?: DocumentPeers
  ghostscript?: GhostscriptLimits
  reserve?: number
  paper?: 'a4' | 'letter' | 'legal'
  lines?: boolean
  others?: readonly string[]
  renderers?: RenderPeers
}

export type Rig = Awaited<ReturnType<typeof openRig>>

export async function openRig(options: RigOptions = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'fax-documents-'))
  const documents = await DocumentStore.open({ directory, reserve: () => options.reserve ?? 0 })
  const store = await openStore({ directory, node: 'a' })
  const fax = createFaxDocuments({
    documents,
    peers: options.peers ?? noPeers,
    store,
    limits: {
      maxPages: options.maxPages ?? 20,
      maxSize: options.maxSize ?? 5_000_000,
      paper: options.paper ?? 'a4',
    },
    node: 'a',
    lines: options.lines ?? true,
    others: () => options.others ?? [],
    renderers: options.renderers,
    clock: systemClock(0),
    log: silent,
    ...(options.ghostscript === undefined ? {} : { ghostscript: options.ghostscript }),
  })
  return {
    directory,
    documents,
    store,
    fax,
    take: (bytes: Uint8Array, name = 'file') => fax.take(pieces(bytes), name),
    async close() {
      fax.stop()
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}

export async function* pieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export function taken(result: Taken): DocumentReference {
  if (result.result !== 'taken') throw new Error(`${result.code}: ${result.text}`)
  return result.document
}

/** PostScript, as Ghostscript makes a PDF of it. */
export function pdfOf(program: string, ...more: string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'pdf-'))
  const [from, to] = [join(directory, 'a.ps'), join(directory, 'a.pdf')]
  writeFileSync(from, `%!PS\n${program}`)
  execFileSync('gs', [
    '-q',
    '-dSAFER',
    '-dBATCH',
    '-dNOPAUSE',
    '-sDEVICE=pdfwrite',
    ...more,
    `-sOutputFile=${to}`,
    from,
  ])
  const bytes = readFileSync(to)
  rmSync(directory, { recursive: true })
  return bytes
}

export const pagesPdf = (pages: number): Buffer =>
  pdfOf(
    `/Courier findfont 20 scalefont setfont 1 1 ${pages} { 72 700 moveto 10 string cvs show showpage } for`,
  )

/** A PNG of rows of bytes as they stand in the file. */
export function pngOf(
  width: number,
  depth: number,
  colour: number,
  rows: readonly Uint8Array[],
  extra: readonly [string, Uint8Array][] = [],
): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(rows.length, 4)
  head.set([depth, colour, 0, 0, 0], 8)
  const data = Buffer.concat(rows.map((row) => Buffer.concat([Buffer.from([0]), row])))
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', head),
    ...extra.map(([type, bytes]) => pngChunk(type, bytes)),
    pngChunk('IDAT', deflateSync(data)),
    pngChunk('IEND', new Uint8Array()),
  ])
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(named.length + 8)
  out.writeUInt32BE(data.length, 0)
  out.set(named, 4)
  out.writeUInt32BE(crc32(named), out.length - 4)
  return out
}

/** The same picture in the seven passes of Adam7 (PNG, 8.2), 8 bits of grey a dot. */
export function adam7(width: number, rows: readonly Uint8Array[]): Buffer {
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const
  const lines = passes.flatMap(([x0, y0, dx, dy]) =>
    rows
      .filter((_, y) => y >= y0 && (y - y0) % dy === 0)
      .map((row) => [0, ...row.filter((_, x) => x >= x0 && (x - x0) % dx === 0)]),
  )
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(rows.length, 4)
  head.set([8, 0, 0, 0, 1], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', head),
    pngChunk('IDAT', deflateSync(Buffer.from(lines.filter((line) => line.length > 1).flat()))),
    pngChunk('IEND', new Uint8Array()),
  ])
}

/** A TIFF of A4's shape in shades of grey, its upper half black, compressed by LZW. */
export function greyTiff(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'tiff-'))
  const file = join(directory, 'grey.tif')
  execFileSync('gs', [
    '-q',
    '-dSAFER',
    '-dBATCH',
    '-dNOPAUSE',
    '-sDEVICE=tiffgray',
    '-sCompression=lzw',
    '-r30',
    '-g248x351',
    `-sOutputFile=${file}`,
    '-c',
    '0 421 595 421 rectfill showpage',
  ])
  const bytes = readFileSync(file)
  rmSync(directory, { recursive: true })
  return bytes
}

/** A JPEG of A4's shape, as Ghostscript writes it. */
export function upperHalfBlack(): Buffer {
  return execFileSync('gs', [
    '-q',
    '-dSAFER',
    '-dBATCH',
    '-dNOPAUSE',
    '-sDEVICE=jpeggray',
    '-r30',
    '-g248x351',
    '-sOutputFile=-',
    '-c',
    '0 421 595 421 rectfill showpage',
  ])
}

export function pagesIn(file: string): { page: TiffPage; bitmap: Bitmap }[] {
  const bytes = readFileSync(file)
  const read = readTiff(bytes, { pages: 1_000, rows: 20_000 })
  if (read.result !== 'pages') throw new Error(read.text)
  return read.pages.map((page) => ({ page, bitmap: tiffBitmap(bytes, page).bitmap }))
}

/** How many of the dots of some rows are black, 0 to 1. */
export function blackness({ data, width, height }: Bitmap, from = 0, to = height): number {
  const stride = (width + 7) >> 3
  let dots = 0
  for (const byte of data.subarray(from * stride, to * stride))
    for (let b = byte; b > 0; b &= b - 1) dots += 1
  return dots / (width * (to - from))
}
