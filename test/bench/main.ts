/**
 * The figures of the main job, one JSON line a row, with the machine that it ran on.
 *
 *   npm run bench -- [--only throughput,accept] [--seconds 20] [--lines 1,4,16] [--directory DIR] [--peers]
 *                    [--port /dev/pts/7 --port …]
 *
 * --port drives somebody else's modems (one line each) instead of ours, for the figures that need no look inside them.
 * --peers runs smstools, gammu-smsd and Kannel on the same modems afterwards.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBench } from './bench.ts'
import { figures } from './figures.ts'
import { driveForeignModems } from './foreign.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    lines: { type: 'string', default: '1,4,16' },
    directory: { type: 'string', default: '.' },
    port: { type: 'string', multiple: true, default: [] },
    peers: { type: 'boolean', default: false },
  },
})

const bench = openBench({ directory: values.directory, seconds: Number(values.seconds), ports: values.port })
const only = values.only === '' ? undefined : new Set(values.only.split(','))
try {
  if (values.port.length > 0) await driveForeignModems(bench)
  else {
    const unknown = [...(only ?? [])].filter((name) => !(name in figures))
    if (unknown.length > 0)
      throw new Error(`unknown: ${unknown.join(', ')}; known: ${Object.keys(figures).join(', ')}`)
    for (const [name, measure] of Object.entries(figures)) {
      if (only && !only.has(name)) continue
      process.stderr.write(`${name} …\n`)
      try {
        await measure(bench, values.lines.split(',').map(Number))
      } catch (error) {
        process.exitCode = 1
        process.stderr.write(`${JSON.stringify({ failed: name, because: String(error) })}\n`)
      }
    }
  }
} finally {
  bench.end()
}
if (values.peers) {
  const peers = join(import.meta.dirname, 'peers', 'main.ts')
  const args = [peers, '--seconds', values.seconds, '--lines', values.lines, '--directory', values.directory]
  spawnSync(process.execPath, args, { stdio: 'inherit' })
}
