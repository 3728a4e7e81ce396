/**
 * A table of contacts before it is taken in: the lines of the file beside what the appliance says about them, so that
 * somebody finds the slip in a file of thousands. The appliance reads the table; here its lines are only shown. Pure.
 */

export interface TableProblem {
  /** Of the file, from 1. */
  line: number
  text: string
}

export interface MarkedLine {
  line: number
  /** As it stands in the file, shortened. */
  text: string
  problems: string[]
}

/** Bytes that the appliance takes. */
export const TABLE_LIMIT = 4_000_000
const SHOWN = 200
const LONGEST = 160

/** The lines that something is wrong with, in order, and how many more there are. */
export function markedLines(
  table: string,
  problems: readonly TableProblem[],
): { lines: MarkedLine[]; more: number } {
  const byLine = Map.groupBy(problems, ({ line }) => line)
  const numbers = [...byLine.keys()].sort((a, b) => a - b)
  const texts = table.split(/\r\n|\n|\r/)
  const lines = numbers.slice(0, SHOWN).map((line) => ({
    line,
    text: short(texts[line - 1] ?? ''),
    problems: (byLine.get(line) ?? []).map(({ text }) => text),
  }))
  return { lines, more: numbers.length - lines.length }
}

/** The first lines of a table, for a look at whether it is the right file. */
export const firstLines = (table: string, count = 5): string[] =>
  table
    .split(/\r\n|\n|\r/)
    .slice(0, count)
    .map(short)
    .filter((line) => line !== '')

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text)
