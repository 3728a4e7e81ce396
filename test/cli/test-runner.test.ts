/** What `npm test` says about a suite that lacks something: run here on one small suite, in a world without socat. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

async function npmTest(environment: Record<string, string>): Promise<{ code: unknown; out: string }> {
  const programs = mkdtempSync(join(tmpdir(), 'twinline-'))
  const which = join(programs, 'which')
  writeFileSync(which, '#!/bin/sh\ntest "$1" != socat\n')
  chmodSync(which, 0o755)
  const { CI: _, VITEST: __, ...inherited } = process.env
  const child = spawn(process.execPath, ['.ci/test.mjs', 'test/notify/systemd.test.ts'], {
    env: { ...inherited, ...environment, PATH: `${programs}:${process.env['PATH']}` },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const closed = once(child, 'close')
  const out = await text(child.stdout)
  return { code: (await closed)[0], out }
}

test('a suite without its program is listed with the command that installs it, and fails in CI', async () => {
  const here = await npmTest({})
  expect(here.code).toBe(0)
  expect(here.out).toContain(
    'test/notify/systemd.test.ts > under systemd\n    needs socat: apt-get install socat',
  )
  expect(here.out.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed, 2 skipped')

  const ci = await npmTest({ CI: 'true' })
  expect(ci.code).toBe(1)
  expect(ci.out).toContain('[not run: needs socat: apt-get install socat] under systemd')
  expect(ci.out.trimEnd().split('\n').at(-1)).toBe('1 passed, 1 failed, 0 skipped')
})
