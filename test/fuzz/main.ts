/**
 * Feeds every way in with what nobody means, for a bounded time, repeatably. Exit code 1 when something was found: an
 * exception that nobody caught, an event loop that stood still for over a second, or what the target itself finds wrong.
 *
 *   npm run fuzz -- [--seconds 30] [--seed N] [--only mail]
 *
 * One JSON line a target on stdout; the seconds are shared out evenly.
 */
import { parseArgs } from 'node:util'
import type { FuzzTarget } from './target.ts'
import { fuzzTargets } from './targets.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string', default: '' },
  },
})
const HANG_MS = 1_000
const BEAT_MS = 50
const MOST_TOLD = 20

const only = values.only === '' ? undefined : values.only.split(',')
const targets = fuzzTargets.filter(({ name }) => only === undefined || only.includes(name))
const seed = Number(values.seed)
const seconds = Number(values.seconds)
if (targets.length === 0 || !Number.isInteger(seed) || !(seconds > 0)) {
  process.stderr.write(
    `known: ${fuzzTargets.map(({ name }) => name).join(', ')}; seed and seconds are numbers\n`,
  )
  process.exit(2)
}

async function fuzz({ name, run }: FuzzTarget, share: number): Promise<boolean> {
  const told: string[] = []
  let findings = 0
  const found = (what: string) => {
    findings += 1
    if (told.length < MOST_TOLD) told.push(what.slice(0, 500))
  }
  const crash = (error: unknown) => found(`uncaught: ${error instanceof Error ? error.stack : String(error)}`)
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  let beat = { wall: performance.now(), cpu: process.cpuUsage() }
  const heart = setInterval(() => {
    const wall = performance.now()
    const { user, system } = process.cpuUsage(beat.cpu)
    // A machine that gave the process no time is no fault of the process.
    if (wall - beat.wall > HANG_MS && (user + system) / 1_000 > HANG_MS / 2)
      found(`the event loop stood still for ${Math.round(wall - beat.wall)} ms`)
    beat = { wall, cpu: process.cpuUsage() }
  }, BEAT_MS)
  const started = performance.now()
  let cases = 0
  try {
    cases = await run({ seed, until: started + share * 1_000, found })
  } catch (error) {
    crash(error)
  }
  clearInterval(heart)
  process.off('uncaughtException', crash)
  process.off('unhandledRejection', crash)
  const took = Math.round((performance.now() - started) / 100) / 10
  process.stdout.write(`${JSON.stringify({ target: name, seed, seconds: took, cases, findings, told })}\n`)
  return findings === 0 && cases > 0
}

let clean = true
for (const target of targets) clean = (await fuzz(target, seconds / targets.length)) && clean
process.exitCode = clean ? 0 : 1
