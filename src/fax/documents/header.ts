/**
 * The line above each page: sender, time, page n/m, in rows of its own on top of the page's, which stay as they are.
 * Ghostscript paints all lines of a call at once; here they are worded, and laid on the pages. Pure.
 */
import { encode } from '../coding/encode.ts'
import { type Bitmap, blankBitmap, rowOf, strideOf } from '../coding/rows.ts'
import { type CodedPage, readTiff, tiffBitmap, writeTiff } from '../tiff.ts'
import type { PageHeader } from './contract.ts'
import { finishPages, PdfWriter } from './pdf.ts'
import { Codes } from './text.ts'

/** Rows of the line at 98 and at 196 an inch: a sixth of an inch. */
export const headerRows = (resolution: 98 | 196): number => (resolution === 98 ? 16 : 32)

const WIDTH_POINTS = (1728 / 204) * 72
const HEIGHT_POINTS = (32 / 196) * 72
const SIZE = 9
/** Characters of Courier at that size between the margins. */
const COLUMNS = 100
const LARGEST = { pages: 100_000, rows: 30_000 }

/** The time is the appliance's own, as its clock on the wall would show it. */
export function headerText({ sender, at }: PageHeader, page: number, pages: number): string {
  const time = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const left = `${day} ${two(time.getHours())}:${two(time.getMinutes())}   ${sender.slice(0, 60)}`
  const right = `${page}/${pages}`
  return left.padEnd(COLUMNS - right.length) + right
}

/** A PDF with one small page a line. */
export function headerPdf(header: PageHeader, pages: number): Buffer {
  const pdf = new PdfWriter()
  const codes = new Codes()
  const contents = Array.from({ length: pages }, (_, index) => {
    const line = codes.encode(headerText(header, index + 1, pages))
    return `BT /F ${SIZE} Tf ${((WIDTH_POINTS - COLUMNS * SIZE * 0.6) / 2).toFixed(2)} 3 Td (${line}) Tj ET`
  })
  const font = pdf.object(codes.font())
  return finishPages(
    pdf,
    contents.map((content) => ({
      size: { width: WIDTH_POINTS, height: HEIGHT_POINTS },
      content,
      resources: `/Font <</F ${font} 0 R>>`,
    })),
  )
}

/**
 * Lays the lines on the pages.
 * @returns undefined where the two do not fit each other
 */
export function underHeaders(pages: Uint8Array, lines: Uint8Array): Uint8Array | undefined {
  const [below, above] = [readTiff(pages, LARGEST), readTiff(lines, LARGEST)]
  if (below.result !== 'pages' || above.result !== 'pages') return undefined
  if (below.pages.length !== above.pages.length) return undefined
  const made: CodedPage[] = []
  for (const [index, page] of below.pages.entries()) {
    const line = above.pages[index]
    if (line?.width !== page.width) return undefined
    const resolution = (page.down ?? 196) < 147 ? 98 : 196
    const head = stretched(tiffBitmap(lines, line).bitmap, headerRows(resolution))
    const body = tiffBitmap(pages, page).bitmap
    const whole = blankBitmap(page.width, head.height + body.height)
    whole.data.set(head.data)
    whole.data.set(body.data, head.height * strideOf(page.width))
    made.push({ width: whole.width, rows: whole.height, resolution, data: encode('MMR', whole) })
  }
  return writeTiff(made)
}

/** The lines are painted for the first page; the others may have rows of another height. */
function stretched(line: Bitmap, height: number): Bitmap {
  if (line.height === height) return line
  const bitmap = blankBitmap(line.width, height)
  for (let row = 0; row < height; row += 1) {
    rowOf(bitmap, row).set(rowOf(line, Math.floor((row * line.height) / height)))
  }
  return bitmap
}
