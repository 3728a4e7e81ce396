/**
 * Faults at random for hours, each in a laboratory that the faults before it have already been through:
 *
 *   npm run soak:pair -- [--hours 8] [--seed 1] [--directory DIR]
 *
 * Ends with exit code 1 and the report at the first fault that breaks a promise. One line a trial on stdout.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { brokenPromises, type Fault, type LabSetting } from './contract.ts'
import { enterLab } from './enter.ts'

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    directory: { type: 'string', default: '.' },
  },
})

/** Mulberry32: small, and the same everywhere. */
let state = Number(values.seed)
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below
}

const usual: readonly Fault[] = [
  'kill-gateway',
  'kill-guard',
  'kill-all',
  'freeze-gateway',
  'freeze-all',
  'link-down',
  'mute',
  'partition',
  'one-way',
  'reboot-both',
  'stop',
  'handover',
  'takeover',
  'standby-killed',
]
/** A laboratory keeps its record in memory: after so many trials a fresh one is taken. */
const TRIALS_EACH = 40

const end = performance.now() + Number(values.hours) * 3_600_000
let total = 0
while (performance.now() < end) {
  const witness = random(2) === 1
  const profile = ['fast', 'normal'][random(2)] ?? 'normal'
  const directory = mkdtempSync(join(resolve(values.directory), 'soak-pair-'))
  const setting: LabSetting = {
    directory,
    system: 'twinline',
    members: ['a', 'b'],
    profile,
    witness,
    driver: 'iproute2',
  }
  const lab = await enterLab()
  try {
    await lab.ask({ kind: 'open', setting }, 180_000)
    const faults: readonly Fault[] = witness ? [...usual, 'witness-lost'] : usual
    for (let n = 0; n < TRIALS_EACH && performance.now() < end; n++) {
      const fault = faults[random(faults.length)] ?? 'kill-all'
      const report = await lab.ask({ kind: 'trial', fault, watchMs: 500 + random(5_000) }, 300_000)
      const broken = brokenPromises(report, setting)
      total++
      console.log(
        JSON.stringify({ trial: total, profile, witness, ...report, ...(broken.length ? { broken } : {}) }),
      )
      if (broken.length > 0) throw new Error(broken.join('; '))
    }
  } catch (error) {
    console.error(`after ${total} trials, data in ${directory}:`, error)
    process.exitCode = 1
    break
  } finally {
    await lab.close()
  }
  rmSync(directory, { recursive: true, force: true })
}
console.log(`${total} trials`)
