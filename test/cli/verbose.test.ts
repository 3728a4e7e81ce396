/** `run --verbose`: whatever `log.level` says, each step of the synchronisation between two boxes can be followed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { start, twinline } from './program.ts'

async function box(node: string, directory: string) {
  const file = join(directory, `${node}.yaml`)
  writeFileSync(
    file,
    `node: ${node}
data: ${node}
lines: [{ id: gsm0, kind: gsm, port: "sim://gsm" }]
log: { level: error }
pair: { listen: "127.0.0.1:0", logListen: "127.0.0.1:0", vip: { driver: none } }
`,
  )
  const program = start(['run', '--verbose', '--config', file])
  onTestFinished(() => {
    program.child.kill('SIGKILL')
  })
  await program.printed('"msg":"started"')
  return { file, program }
}

test('says what goes to the other member and what it acknowledges', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-verbose-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const [a, b] = await Promise.all([box('box-a', directory), box('box-b', directory)])
  const code = await twinline(['pair', 'invite', '--config', a.file])
  expect(code.code, code.stderr).toBe(0)
  const joined = await twinline(['pair', 'join', code.stdout.trim(), '--config', b.file])
  expect(joined.code, joined.stderr).toBe(0)
  await a.program.printed('replication: the member is current')
  await a.program.printed('replication: acknowledged')
  await b.program.printed('replication: everything that the member holds is here')
})
