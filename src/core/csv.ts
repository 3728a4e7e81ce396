/**
 * Comma separated values into records: RFC 4180, with what spreadsheets make of it besides: a byte order mark, line ends
 * of every kind, and a semicolon or a tab where the decimal sign is a comma. Pure.
 */

export interface CsvRecord {
  /** Where it begins, from 1. */
  line: number
  fields: string[]
}

export type Csv = { records: CsvRecord[] } | { line: number; problem: string }

/** The first of these that the first line has outside of quotes. */
const separators = [';', '\t', ','] as const

/** @param most records that are read; one more is a problem. Empty lines are no records. */
export function parseCsv(text: string, most: number): Csv {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const separator = separatorOf(source)
  const records: CsvRecord[] = []
  let line = 1
  let at = 0
  while (at < source.length) {
    const begin = line
    const fields: string[] = []
    let more = true
    while (more) {
      const field = source[at] === '"' ? quotedField(source, at) : plainField(source, at, separator)
      if (field === undefined) return { line: begin, problem: 'a quote is opened and never closed' }
      line += field.lines
      fields.push(field.value)
      at = field.end
      const next = source[at]
      more = next === separator
      if (!more && next !== undefined && next !== '\n' && next !== '\r')
        return {
          line,
          problem: 'after a closing quote there is more; a quote within quotes is written twice',
        }
      at += next === '\r' && source[at + 1] === '\n' ? 2 : 1
    }
    line += 1
    if (fields.length === 1 && fields[0]?.trim() === '') continue
    if (records.length === most) return { line: begin, problem: `there are more than ${most} lines` }
    records.push({ line: begin, fields })
  }
  return { records }
}

function separatorOf(source: string): string {
  const [first = ''] = source.replace(/"(?:[^"]|"")*"/g, '').split(/\r\n|\r|\n/, 1)
  return separators.find((one) => first.includes(one)) ?? ','
}

interface Field {
  value: string
  /** Where the next character is. */
  end: number
  /** Line ends in it. */
  lines: number
}

function quotedField(source: string, begin: number): Field | undefined {
  let value = ''
  let at = begin + 1
  for (;;) {
    const close = source.indexOf('"', at)
    if (close < 0) return undefined
    value += source.slice(at, close)
    at = close + 1
    if (source[at] !== '"') break
    value += '"'
    at += 1
  }
  return { value, end: at, lines: value.match(/\r\n|\r|\n/g)?.length ?? 0 }
}

function plainField(source: string, begin: number, separator: string): Field {
  let end = begin
  while (end < source.length && source[end] !== separator && source[end] !== '\n' && source[end] !== '\r')
    end += 1
  return { value: source.slice(begin, end), end, lines: 0 }
}
