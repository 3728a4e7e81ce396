/**
 * What an appliance leaves behind when it starts anew within its process, as after a change of its own file: nothing.
 * Counted are things and not bytes: memory goes up and down with the garbage collector, a listener or a socket does not.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const RESTARTS = 4
const ENDS_WITHIN_MS = 150_000

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'restarts-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test.each([
  ['alone', ''],
  [
    'as a member of a pair',
    "pair: { listen: '127.0.0.1:0', advertise: ['127.0.0.1:18883'], vip: { driver: none } }\n",
  ],
])('%s: starting anew leaves nothing behind', { timeout: ENDS_WITHIN_MS }, async (_how, more) => {
  const file = join(directory, 'twinline.yaml')
  writeFileSync(
    file,
    `node: box-a
data: ${join(directory, 'data')}
http: { listen: '127.0.0.1:0' }
lines: [{ id: gsm0, kind: gsm, port: 'sim://gsm?network=20', reports: false }]
${more}`,
  )
  const child = join(import.meta.dirname, 'restarts-child.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [child, file, String(RESTARTS)], {
    cwd: directory,
    timeout: ENDS_WITHIN_MS,
  })
  expect(JSON.parse(stdout)).toEqual([])
})
