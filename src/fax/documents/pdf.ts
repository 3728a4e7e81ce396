/**
 * Writes the small PDFs that Ghostscript is given in the place of pictures and texts: a page is a content stream, an
 * image perhaps. Pure. ISO 32000-1 (PDF 1.7): 7.3 objects, 7.5 file structure.
 */
import { Buffer } from 'node:buffer'

export class PdfWriter {
  readonly #chunks: Buffer[] = []
  readonly #places: number[] = []
  #length = 0

  constructor() {
    this.#add('%PDF-1.4\n')
  }

  /** Takes the next number; the object is written later. */
  reserve(): number {
    this.#places.push(0)
    return this.#places.length
  }

  object(body: string, number = this.reserve()): number {
    this.#places[number - 1] = this.#length
    this.#add(`${number} 0 obj\n${body}\nendobj\n`)
    return number
  }

  /** @param entries of its dictionary, without Length */
  stream(entries: string, data: Uint8Array | string): number {
    const number = this.reserve()
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    this.#places[number - 1] = this.#length
    this.#add(`${number} 0 obj\n<<${entries} /Length ${bytes.length}>>\nstream\n`)
    this.#add(bytes)
    this.#add('\nendstream\nendobj\n')
    return number
  }

  /** @param root number of the catalog */
  finish(root: number): Buffer {
    const at = this.#length
    const rows = this.#places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`)
    const size = this.#places.length + 1
    this.#add(`xref\n0 ${size}\n0000000000 65535 f \n${rows.join('')}`)
    this.#add(`trailer\n<</Size ${size} /Root ${root} 0 R>>\nstartxref\n${at}\n%%EOF\n`)
    return Buffer.concat(this.#chunks)
  }

  #add(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data)
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }
}

/** Points, 72 to the inch. */
export interface PageSize {
  width: number
  height: number
}

/** A4 and the American sizes (ISO 216; ANSI/ASME Y14.1). */
export const papers = {
  a4: { width: 595, height: 842 },
  letter: { width: 612, height: 792 },
  legal: { width: 612, height: 1008 },
} as const satisfies Record<string, PageSize>

export interface PdfPage {
  size: PageSize
  content: string
  /** Of the resource dictionary. */
  resources: string
}

/** The pages and the catalog over what is in the writer already. */
export function finishPages(pdf: PdfWriter, pages: readonly PdfPage[]): Buffer {
  const tree = pdf.reserve()
  const kids = pages.map(({ size, content, resources }) => {
    const stream = pdf.stream('', content)
    return pdf.object(
      `<</Type /Page /Parent ${tree} 0 R /MediaBox [0 0 ${size.width.toFixed(2)} ${size.height.toFixed(2)}] ` +
        `/Resources <<${resources}>> /Contents ${stream} 0 R>>`,
    )
  })
  pdf.object(
    `<</Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}]>>`,
    tree,
  )
  return pdf.finish(pdf.object(`<</Type /Catalog /Pages ${tree} 0 R>>`))
}

/** A picture: what an image XObject says of itself (8.9.5), and its bytes. */
export interface PdfImage {
  width: number
  height: number
  /** ColorSpace, BitsPerComponent, Filter … */
  entries: string
  data: Uint8Array
  /** Printed so large, in points. */
  size: PageSize
  /** Quarter turns clockwise. */
  turns?: number
}

/** Each picture fills a page of its own size, which is then fitted to the paper like any other. */
export function imagesPdf(images: readonly PdfImage[]): Buffer {
  const pdf = new PdfWriter()
  const pages = images.map(({ width, height, entries, data, size, turns = 0 }): PdfPage => {
    const image = pdf.stream(
      `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} ${entries}`,
      data,
    )
    const sideways = turns % 2 === 1
    const page = sideways ? { width: size.height, height: size.width } : size
    const [w, h] = [page.width.toFixed(2), page.height.toFixed(2)]
    // The unit square of the picture onto the page, turned about its middle.
    const matrix = [
      `${w} 0 0 ${h} 0 0`,
      `0 -${h} ${w} 0 0 ${h}`,
      `-${w} 0 0 -${h} ${w} ${h}`,
      `0 ${h} -${w} 0 ${w} 0`,
    ]
    return {
      size: page,
      content: `q ${matrix[turns % 4]} cm /I Do Q`,
      resources: `/XObject <</I ${image} 0 R>>`,
    }
  })
  return finishPages(pdf, pages)
}
