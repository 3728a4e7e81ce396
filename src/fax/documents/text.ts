/**
 * Plain text into pages: 80 columns and 60 lines of Courier, long lines wrapped at a blank, form feeds obeyed. Pure.
 * The pages become a PDF whose Courier is Ghostscript's own.
 */
import { isUtf8 } from 'node:buffer'
import { glyphName } from './glyphs.table.ts'
import { finishPages, type PageSize, PdfWriter } from './pdf.ts'

const COLUMNS = 80
const TAB = 8
const MARGIN = 54
/** Courier is six tenths of its size wide. */
const WIDE = 0.6
/** Between two lines, of the size. */
const LEADING = 1.15
/** Codes of a font beyond ASCII: as many different characters of other scripts a text may have. */
const FIRST_CODE = 128
const MOST_OTHERS = 128

/** UTF-16 where its first bytes say so, UTF-8, or what Windows calls Western; undefined where it is no text. */
export function readText(bytes: Uint8Array): string | undefined {
  const coding = utf16(bytes) ?? (isUtf8(bytes) ? 'utf-8' : 'windows-1252')
  const text = new TextDecoder(coding).decode(bytes)
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 127 || (code < 32 && (code < 9 || code > 13))) return undefined
  }
  return text
}

/** Editors of Windows begin such a file with U+FEFF (RFC 2781, 3.2). */
export function utf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined
}

/** @param lines how many fit on a page */
export function paginate(text: string, lines: number): string[][] {
  const pages: string[][] = []
  for (const section of text
    .normalize('NFC')
    .replace(/\r\n?|[\u0085\u2028\u2029\v]/g, '\n')
    .split(/\f\n?/)) {
    const wrapped = section.replace(/\n$/, '').split('\n').flatMap(wrap)
    for (let from = 0; from < wrapped.length; from += lines) pages.push(wrapped.slice(from, from + lines))
  }
  // A form feed at the end is no page.
  while (pages.length > 1 && pages.at(-1)?.every((line) => line.trim() === '')) pages.pop()
  return pages
}

/** @returns how many lines a page of this size has */
export const linesOf = (paper: PageSize): number =>
  Math.floor((paper.height - 2 * MARGIN) / (sizeOf(paper) * LEADING))

const sizeOf = (paper: PageSize): number => (paper.width - 2 * MARGIN) / (COLUMNS * WIDE)

/** Looks at each character a bounded number of times: a text may be one line of millions. */
function wrap(line: string): string[] {
  const characters = expand(line)
  const lines: string[] = []
  let from = 0
  while (characters.length - from > COLUMNS) {
    let end = from + COLUMNS
    while (end > from && characters[end] !== ' ') end -= 1
    const broken = end > from
    if (!broken) end = from + COLUMNS
    lines.push(characters.slice(from, end).join(''))
    from = broken ? end + 1 : end
  }
  lines.push(characters.slice(from).join(''))
  return lines
}

function expand(line: string): string[] {
  const characters = [...line]
  if (!line.includes('\t')) return characters
  const out: string[] = []
  for (const character of characters) {
    if (character !== '\t') out.push(character)
    else for (let blanks = TAB - (out.length % TAB); blanks > 0; blanks -= 1) out.push(' ')
  }
  return out
}

/** The pages of a text on paper of a size. */
export function textPdf(pages: readonly (readonly string[])[], paper: PageSize): Buffer {
  const pdf = new PdfWriter()
  const codes = new Codes()
  const size = sizeOf(paper)
  const made = pages.map((lines) => {
    const shown = lines.map((line) => `(${codes.encode(line)}) '`).join('\n')
    const top = paper.height - MARGIN
    return `BT /F ${size.toFixed(3)} Tf ${(size * LEADING).toFixed(3)} TL ${MARGIN} ${top.toFixed(2)} Td\n${shown}\nET`
  })
  const font = pdf.object(codes.font())
  return finishPages(
    pdf,
    made.map((content) => ({ size: paper, content, resources: `/Font <</F ${font} 0 R>>` })),
  )
}

/** Gives each character beyond ASCII a code of the font. */
export class Codes {
  readonly #codes = new Map<string, number>()
  readonly #glyphs: string[] = []

  /** As the inside of a PDF string (7.3.4.2). */
  encode(text: string): string {
    let out = ''
    for (const character of text) {
      const code = this.#codeOf(character)
      out +=
        code > 126 || code < 32 || '()\\'.includes(String.fromCharCode(code))
          ? `\\${code.toString(8).padStart(3, '0')}`
          : String.fromCharCode(code)
    }
    return out
  }

  /** The font with the codes that were given until now. */
  font(): string {
    const differences =
      this.#glyphs.length === 0
        ? ''
        : ` /Differences [${FIRST_CODE} ${this.#glyphs.map((name) => `/${name}`).join(' ')}]`
    return `<</Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding <</Type /Encoding /BaseEncoding /WinAnsiEncoding${differences}>>>>`
  }

  #codeOf(character: string): number {
    const plain = character.codePointAt(0) ?? 0
    if (plain < 127) return Math.max(plain, 32)
    const known = this.#codes.get(character)
    if (known !== undefined) return known
    const name = glyphName(character)
    if (name === undefined || this.#glyphs.length >= MOST_OTHERS) return 0x3f
    const code = FIRST_CODE + this.#glyphs.length
    this.#glyphs.push(name)
    this.#codes.set(character, code)
    return code
  }
}
