/**
 * Pulls the plug for as long as asked: npm run soak:crash -- [--kills 100] [--lines 4] [--rounds 10] [--tcp]
 * Prints one account a round; ends with 1 at the first round that lost or hid something.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crashAgainAndAgain } from './crash.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    lines: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '1' },
    tcp: { type: 'boolean', default: false },
  },
})
const lines = Number(values.lines)
for (let round = 1; round <= Number(values.rounds); round++) {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-soak-'))
  const plan = { directory, kills: Number(values.kills), lines, pty: !values.tcp, random: Math.random }
  const account = await crashAgainAndAgain(plan)
  process.stdout.write(`${JSON.stringify({ round, ...account })}\n`)
  const { lost, unflagged, unfinished, violations, duplicated } = account
  if (lost + unflagged + unfinished + violations > 0 || duplicated > plan.kills * lines) {
    process.stderr.write(`round ${round} failed; its files are in ${directory}\n`)
    process.exit(1)
  }
  rmSync(directory, { recursive: true, force: true })
}
