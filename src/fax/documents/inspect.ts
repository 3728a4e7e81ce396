/**
 * Looks at a document before it is taken: what it is, how many pages it has, whether it is what it says. Run in a
 * process of its own (document-process.ts), for a file can be made to take any time. PDF is Ghostscript's to look at.
 */
import type { Values } from '#core/errors.ts'
import { measureTiff, readTiff, type TiffPage, tiffBitmap } from '../tiff.ts'
import type { Paper } from './contract.ts'
import { type DocumentType, detect, HEAD_BYTES } from './detect.ts'
import { jpegHead } from './jpeg.ts'
import { papers } from './pdf.ts'
import { pngHead } from './png.ts'
import { linesOf, paginate, readText } from './text.ts'

export type Inspected =
  /** `pages` of a PDF is 0: they have not been counted. */
  | {
      result: 'document'
      type: DocumentType
      pages: number
      /** A TIFF that a program of libtiff has to read. */
      foreign?: true
      /** A TIFF of fax pages: it goes out as it is. */
      native?: true
    }
  | { result: 'refused'; code: string; text: string; values?: Values }

export interface InspectLimits {
  pages: number
  paper: Paper
}

/** Dots of a picture: A3 at 600 an inch has 70 million. */
export const MOST_DOTS = 80_000_000
/** Rows of a TIFF's page: 3.5 m of paper. */
export const MOST_ROWS = 28_000

export function inspect(bytes: Uint8Array, limits: InspectLimits): Inspected {
  if (bytes.length === 0) return refused('document-empty', 'The document is empty: it has no bytes.')
  const found = detect(bytes.subarray(0, HEAD_BYTES))
  if ('instead' in found) return notADocument(found.instead)
  const { type } = found
  switch (type) {
    case 'pdf':
      return { result: 'document', type, pages: 0 }
    case 'tiff':
      return inspectTiff(bytes, limits)
    case 'png':
    case 'jpeg': {
      const head = type === 'png' ? pngHead(bytes) : jpegHead(bytes)
      if (!head) return broken(`it is no ${type.toUpperCase()} that can be read`)
      if (head.width * head.height > MOST_DOTS) return tooManyDots(head)
      return { result: 'document', type, pages: 1 }
    }
    case 'text': {
      const text = readText(bytes)
      if (text === undefined) return notADocument('of a kind that is not known here')
      if (text.trim() === '') return refused('document-empty', 'The document is empty: it has no words.')
      return counted(type, paginate(text, linesOf(papers[limits.paper])).length, limits)
    }
  }
}

function inspectTiff(bytes: Uint8Array, limits: InspectLimits): Inspected {
  // One more than is taken, so that it can be told that there are more.
  const read = readTiff(bytes, { pages: limits.pages + 1, rows: MOST_ROWS })
  if (read.result === 'broken') {
    return / more than \d+ pages/.test(read.text) ? tooMany(limits) : broken(read.text)
  }
  if (read.result === 'unsupported') return inspectForeign(bytes, limits)
  const enough = counted('tiff', read.pages.length, limits)
  if (enough.result === 'refused') return enough
  for (const [index, page] of read.pages.entries()) {
    const { missing } = tiffBitmap(bytes, page)
    if (missing > 0) {
      return broken(
        `page ${index + 1} says that it has ${page.height} rows, and ${page.height - missing} of them are there`,
      )
    }
  }
  const native = read.pages.every((page) => nativeResolution(page) !== undefined)
  return native ? { ...enough, native } : enough
}

/** In colours, in tiles, or of a compression that is not read here. */
function inspectForeign(bytes: Uint8Array, limits: InspectLimits): Inspected {
  const pages = measureTiff(bytes, { pages: limits.pages + 1, rows: MOST_ROWS })
  if (!pages) return broken('its list of pages cannot be read')
  const large = pages.find(({ width, height }) => width * height > MOST_DOTS)
  if (large) return tooManyDots(large)
  const enough = counted('tiff', pages.length, limits)
  return enough.result === 'document' ? { ...enough, foreign: true } : enough
}

const tooManyDots = ({ width, height }: { width: number; height: number }): Inspected =>
  refused(
    'document-too-many-dots',
    `The picture says that it has ${width} by ${height} dots; at most ${MOST_DOTS / 1e6} million are taken. Send it smaller.`,
    { width, height, millions: MOST_DOTS / 1e6 },
  )

/** Rows an inch of a page that goes out as it is: 1728 dots wide at 204 an inch across and 98 or 196 down. */
export function nativeResolution({ width, across, down, height }: TiffPage): 98 | 196 | undefined {
  if (width !== 1728 || (across !== undefined && Math.abs(across - 204) > 5)) return undefined
  // Where nothing is said, a page is taken for A4: it has 1,143 rows at 98 an inch and 2,286 at 196.
  if (down === undefined) return height > 1_500 ? 196 : 98
  if (Math.abs(down - 98) <= 3) return 98
  return Math.abs(down - 196) <= 9 ? 196 : undefined
}

const counted = (type: DocumentType, pages: number, limits: InspectLimits): Inspected =>
  pages > limits.pages ? tooMany(limits, pages) : { result: 'document', type, pages }

export const tooMany = ({ pages: most }: Pick<InspectLimits, 'pages'>, pages?: number): Inspected =>
  refused(
    'document-too-many-pages',
    `The document has ${pages ?? `more than ${most}`} pages; at most ${most} are taken (documents.maxPages). Send it in parts.`,
    { most, ...(pages === undefined ? {} : { pages }) },
  )

export const broken = (what: string): Inspected =>
  refused('document-broken', `The document is damaged: ${what}. Make it anew and send it again.`)

const notADocument = (what: string): Inspected =>
  refused(
    'document-unsupported',
    `The document is ${what}; PDF, TIFF, PNG, JPEG and plain text are taken. Save it as a PDF.`,
  )

export const refused = (code: string, text: string, values?: Values): Inspected => ({
  result: 'refused',
  code,
  text,
  ...(values === undefined ? {} : { values }),
})
