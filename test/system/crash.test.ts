/**
 * Goal: kill -9 loses nothing and hides nothing. Method: system/crash.ts, few kills here; `npm run soak:crash` does many.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { crashAgainAndAgain } from './crash.ts'

const KILLS = 8
const LINES = 4

async function run(pty: boolean) {
  const directory = await mkdtemp(join(tmpdir(), 'crash-'))
  try {
    return await crashAgainAndAgain({ directory, kills: KILLS, lines: LINES, pty, random: Math.random })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function check(account: Awaited<ReturnType<typeof run>>): void {
  expect(account.accepted).toBeGreaterThan(KILLS)
  expect(account).toMatchObject({ lost: 0, unflagged: 0, unfinished: 0, violations: 0 })
  expect(account.duplicated).toBeLessThanOrEqual(KILLS * LINES)
}

describeWith(['socat'], 'kill -9 over ptys', () => {
  it('loses nothing, and flags every copy', async () => check(await run(true)), 180_000)
})
