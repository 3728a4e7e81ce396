/**
 * Goal: one job with many recipients that is killed (SIGKILL) at 30 % goes on after the next start, and everybody gets it;
 * only what a line had in hand at that moment may come twice, and is flagged. `npm run bench:intake -- --only job` does
 * the same with 53,000. The modems live in this process and go on living, as real ones do.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, serveTcp } from '#simulator/serve.ts'
import { byNumber, runJob } from '../bench/intake/job.ts'

const LINES = 4
const RECIPIENTS = 800

const network = new SimulatedNetwork()
const modems: SimulatedModem[] = []
const served: Served[] = []
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'job-'))
  for (let line = 0; line < LINES; line++) {
    const options = parseModemOptions({ network: '1-4', prompt: '0', reports: 'none' }, line)
    if (isProblem(options)) throw new Error(options.problem)
    const modem = new SimulatedModem(options, undefined, network, `line${line}`)
    modems.push(modem)
    served.push(await serveTcp(modem))
  }
})

afterAll(async () => {
  for (const modem of modems) modem.stop()
  for (const one of served) await one.stop()
  await rm(directory, { recursive: true, force: true })
})

test('everybody gets it, once but for what was in hand', async () => {
  const account = await runJob({
    directory,
    ports: served.map(({ address }) => address),
    recipients: RECIPIENTS,
    count: async () => network.totals.delivered,
    received: async () => byNumber(network.submissions),
    withinMs: 60_000,
  })
  expect(account).toMatchObject({ missing: 0, unflagged: 0 })
  expect(account.atKill).toBeGreaterThanOrEqual(0.3 * RECIPIENTS)
  expect(account.atKill).toBeLessThan(RECIPIENTS)
  expect(account.twice).toBeLessThanOrEqual(LINES)
  expect(network.violations).toEqual([])
}, 120_000)
