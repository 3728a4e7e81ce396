/**
 * The figures of fax lines, with SpanDSP at the other end: one JSON line a row, with the machine that it ran on, and a
 * table at the end (on stderr).
 *
 *   npm run bench:fax -- [--only pages,call] [--speed 20] [--parallel 2] [--directory DIR]
 *
 * What is compared in seconds runs in real time, whatever --speed says.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { machine, printRow, type Row, round } from '../measure.ts'
import { type FaxBench, faxFigures } from './rows.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    speed: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '2' },
    directory: { type: 'string', default: '.' },
  },
})

const only = values.only === '' ? Object.keys(faxFigures) : values.only.split(',')
const unknown = only.filter((name) => !(name in faxFigures))
if (unknown.length > 0)
  throw new Error(`unknown: ${unknown.join(', ')}; known: ${Object.keys(faxFigures).join(', ')}`)

const base = mkdtempSync(join(resolve(values.directory), 'twinline-bench-'))
const on = machine(base)
const rows: Row[] = []
const bench: FaxBench = {
  speed: Number(values.speed),
  parallel: Number(values.parallel),
  directory: (name) => mkdtempSync(join(base, `${name}-`)),
  print(row) {
    const full = { subject: 'twinline', ...row }
    rows.push(full)
    printRow(full, on)
  },
}
try {
  for (const name of only) {
    process.stderr.write(`${name} …\n`)
    try {
      await faxFigures[name]?.(bench)
    } catch (error) {
      process.exitCode = 1
      process.stderr.write(`${JSON.stringify({ failed: name, because: String(error) })}\n`)
    }
  }
} finally {
  rmSync(base, { recursive: true, force: true })
}

const word = (value: Row['value']) =>
  typeof value === 'number'
    ? String(round(value))
    : Object.entries(value)
        .map(([name, number]) => `${name} ${round(number)}`)
        .join(', ')
const table = rows.map(({ figure, subject, value, unit, reach }) => [
  figure,
  subject,
  `${word(value)} ${unit}`,
  reach ?? '',
])
const widths = [0, 1, 2].map((column) => Math.max(0, ...table.map((cells) => cells[column]?.length ?? 0)))
for (const cells of table)
  process.stderr.write(`${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ')}\n`)
