/** A disk that fills up to the last byte: answers instead of loss, and everything goes on once there is room. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith } from '../requirements.ts'

describeWith(['user-namespaces'], 'on a full disk', () => {
  test('the store answers full, loses nothing and recovers', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'store-full-'))
    const scenario = join(import.meta.dirname, 'full-disk-scenario.ts')
    const { stdout, stderr } = spawnSync('unshare', ['-rm', process.execPath, scenario, directory], {
      encoding: 'utf8',
      timeout: 25_000,
    })
    expect(stderr).toBe('')
    expect(stdout).toBe('ok\n')
    await rm(directory, { recursive: true })
  })
})
