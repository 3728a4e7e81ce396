/**
 * Makes of a document what the next step takes: pages, where it is a TIFF of fax pages already, and otherwise a PDF for
 * Ghostscript. Run in a process of its own (document-process.ts).
 */
import { deflateSync } from 'node:zlib'
import { encode } from '../coding/encode.ts'
import { type CodedPage, readTiff, tiffBitmap, writeTiff } from '../tiff.ts'
import type { Paper } from './contract.ts'
import type { DocumentType } from './detect.ts'
import { MOST_ROWS, nativeResolution } from './inspect.ts'
import { jpegHead } from './jpeg.ts'
import { imagesPdf, type PageSize, type PdfImage, papers } from './pdf.ts'
import { pngGrey, pngHead } from './png.ts'
import { linesOf, paginate, readText, textPdf } from './text.ts'

export type Prepared =
  | { result: 'pages'; data: Uint8Array; pages: number; resolution: 98 | 196 }
  | { result: 'pdf'; data: Uint8Array }
  /** A TIFF that a program of libtiff has to read. */
  | { result: 'foreign' }
  | { result: 'broken'; text: string }

const POINTS = 72
/** Where a picture does not say how large it is printed, it fills a sheet of about this width. */
const SHEET_INCHES = 8.27
/** The pages were counted when the document was taken. */
const MOST_PAGES = 100_000

export async function prepare(bytes: Uint8Array, type: DocumentType, paper: Paper): Promise<Prepared> {
  switch (type) {
    case 'pdf':
      return { result: 'pdf', data: bytes }
    case 'tiff':
      return prepareTiff(bytes)
    case 'png': {
      const head = pngHead(bytes)
      const grey = await pngGrey(bytes)
      if (!head || !grey) return { result: 'broken', text: 'the picture cannot be read' }
      return pictures([
        {
          ...head,
          entries: '/ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode',
          data: deflateSync(grey, { level: 1 }),
          size: printed(head.width, head.height, head.perInch),
        },
      ])
    }
    case 'jpeg': {
      const head = jpegHead(bytes)
      if (!head) return { result: 'broken', text: 'the picture cannot be read' }
      const space = { 1: 'DeviceGray', 3: 'DeviceRGB', 4: 'DeviceCMYK' }[head.components]
      const inverted = head.components === 4 && head.adobe ? ' /Decode [1 0 1 0 1 0 1 0]' : ''
      return pictures([
        {
          ...head,
          entries: `/ColorSpace /${space} /BitsPerComponent 8 /Filter /DCTDecode${inverted}`,
          data: bytes,
          size: printed(head.width, head.height, head.perInch),
        },
      ])
    }
    case 'text': {
      const sheet = papers[paper]
      return { result: 'pdf', data: textPdf(paginate(readText(bytes) ?? '', linesOf(sheet)), sheet) }
    }
  }
}

const pictures = (images: readonly PdfImage[]): Prepared => ({ result: 'pdf', data: imagesPdf(images) })

/** What a picture says of its size is believed where it makes a sheet of a size that there is. */
function printed(width: number, height: number, perInch = 0): PageSize {
  const wide = width / perInch
  const inches = perInch > 0 && wide > 1 && wide < 50 ? wide : SHEET_INCHES
  return { width: inches * POINTS, height: (inches * POINTS * height) / width }
}

function prepareTiff(bytes: Uint8Array): Prepared {
  const read = readTiff(bytes, { pages: MOST_PAGES, rows: MOST_ROWS })
  if (read.result === 'unsupported') return { result: 'foreign' }
  if (read.result === 'broken') return { result: 'broken', text: read.text }
  const resolutions = read.pages.flatMap((page) => nativeResolution(page) ?? [])
  const [first] = resolutions
  if (first !== undefined && resolutions.length === read.pages.length) {
    const pages = read.pages.map((page, index): CodedPage => {
      const { bitmap } = tiffBitmap(bytes, page)
      const resolution = resolutions[index] ?? first
      return { width: bitmap.width, rows: bitmap.height, resolution, data: encode('MMR', bitmap) }
    })
    return { result: 'pages', data: writeTiff(pages), pages: pages.length, resolution: first }
  }
  return pictures(
    read.pages.map((page): PdfImage => {
      const { bitmap } = tiffBitmap(bytes, page)
      const across = page.across ?? page.width / SHEET_INCHES
      return {
        width: page.width,
        height: page.height,
        entries: `/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /CCITTFaxDecode /DecodeParms <</K -1 /Columns ${page.width} /Rows ${page.height}>>`,
        data: encode('MMR', bitmap),
        size: {
          width: (page.width / across) * POINTS,
          height: (page.height / (page.down ?? across)) * POINTS,
        },
      }
    }),
  )
}
