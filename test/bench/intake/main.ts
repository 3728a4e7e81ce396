/**
 * The figures of the ways in, one JSON line a row, with the machine that it ran on.
 *
 *   npm run bench:intake -- [--only mail] [--seconds 20] [--directory DIR]
 */
import { parseArgs } from 'node:util'
import { openBench } from '../bench.ts'
import { intakeFigures } from './rows.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    directory: { type: 'string', default: '.' },
  },
})

const only = values.only === '' ? Object.keys(intakeFigures) : values.only.split(',')
const unknown = only.filter((name) => !(name in intakeFigures))
if (unknown.length > 0)
  throw new Error(`unknown: ${unknown.join(', ')}; known: ${Object.keys(intakeFigures).join(', ')}`)
const bench = openBench({ directory: values.directory, seconds: Number(values.seconds), ports: [] })
try {
  for (const name of only) {
    process.stderr.write(`${name} …\n`)
    try {
      await intakeFigures[name]?.(bench)
    } catch (error) {
      process.exitCode = 1
      process.stderr.write(`${JSON.stringify({ failed: name, because: String(error) })}\n`)
    }
  }
} finally {
  bench.end()
}
