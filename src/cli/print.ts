/** Output for people (tables) and for programs (JSON), on stdout. */

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** Control characters of a foreign text must not move anybody's cursor. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '·')

/** Columns as wide as their widest cell; columns of numbers are aligned to the right. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const cells = [headings, ...rows].map((row) => row.map((cell) => printable(String(cell))))
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? '')].length)))
  for (const row of cells) {
    const line = row.map((cell, column) => {
      const gap = ' '.repeat((widths[column] ?? 0) - [...cell].length)
      return rows.some((each) => typeof each[column] === 'number') ? gap + cell : cell + gap
    })
    process.stdout.write(`${line.join('  ').trimEnd()}\n`)
  }
}

/** A time as people here read it, to the second. @param text ISO 8601 */
export const localTime = (text: string): string => {
  const date = new Date(text)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
