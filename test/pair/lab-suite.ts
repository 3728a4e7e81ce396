/** What every fault test shares: a laboratory for a suite, and what must hold after whatever happened. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { brokenPromises, type Fault, type LabSetting, type TrialReport } from '../lab/contract.ts'
import { enterLab, type Lab } from '../lab/enter.ts'

export const labNeeds = ['network-namespaces', 'nft', 'arping', 'socat'] as const

/** Beside other suites on a small machine; a fault with its repair takes three to fifteen seconds. */
export const TRIAL_MS = 120_000
const OPEN_MS = 120_000

export interface LabSuite {
  lab(): Lab
  trial(fault: Fault, watchMs?: number): Promise<TrialReport>
}

/** A laboratory that is opened before the tests of a suite and gone after them. */
export function labSuite(setting: Partial<LabSetting>): LabSuite {
  let lab: Lab | undefined
  const directory = mkdtempSync(join(tmpdir(), 'twinline-lab-'))
  beforeAll(async () => {
    lab = await enterLab()
    const usual: LabSetting = {
      directory,
      system: 'twinline',
      members: ['a', 'b'],
      profile: 'normal',
      witness: false,
      driver: 'iproute2',
    }
    await lab.ask({ kind: 'open', setting: { ...usual, ...setting } }, OPEN_MS)
  }, OPEN_MS)
  afterAll(async () => {
    await lab?.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const opened = () => {
    if (!lab) throw new Error('the laboratory did not open')
    return lab
  }
  return {
    lab: opened,
    trial: (fault, watchMs) =>
      opened().ask({ kind: 'trial', fault, ...(watchMs === undefined ? {} : { watchMs }) }, TRIAL_MS),
  }
}

/** @param witness whether the pair has one: without it both serve while they cannot hear each other */
export function expectKept(report: TrialReport, witness = false): void {
  expect(brokenPromises(report, { witness }), JSON.stringify(report)).toEqual([])
}
