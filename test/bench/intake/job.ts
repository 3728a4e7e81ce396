/**
 * One job with 53,000 recipients: how long until it is accepted, what memory it takes, and, killed (SIGKILL) when 30 %
 * have gone out, whether every recipient gets it. A delivery that a line had in hand at that moment may come twice and is
 * then flagged; everybody else gets it once. Its deliveries are counted at the simulated network.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type RunningAppliance, startAppliance, until } from '../../system/appliance.ts'
import type { Bench } from '../bench.ts'
import { usage } from '../measure.ts'
import { startModems } from '../modems.ts'

export interface JobPlan {
  directory: string
  ports: readonly string[]
  recipients: number
  /** How many messages the phones got so far. */
  count(): Promise<number>
  /** What they got, by number. */
  received(): Promise<ReadonlyMap<string, number>>
  withinMs: number
}

export interface JobAccount {
  acceptedS: number
  /** Of the appliance, until the kill and after it. */
  peakMB: number
  /** How many had gone out when it was killed. */
  atKill: number
  missing: number
  twice: number
  /** Of those, the ones that are not flagged: must be 0. */
  unflagged: number
  sentS: number
}

const numberOf = (n: number) => `+4915${String(10_000_000 + n)}`

export async function runJob({
  directory,
  ports,
  recipients,
  count,
  received,
  withinMs,
}: JobPlan): Promise<JobAccount> {
  const start = async () => {
    const box = await startAppliance({ directory: join(directory, 'box'), ports })
    await box.ready(ports.length)
    return box
  }
  let peakMB = 0
  const sample = (box: RunningAppliance) => {
    peakMB = Math.max(peakMB, usage([box.pid]).rss / 1e6)
  }
  let box = await start()
  try {
    const to = Array.from({ length: recipients }, (_, n) => numberOf(n))
    const begun = performance.now()
    const accepting = box.call('POST', '/api/v1/messages', { to, text: 'The dam is full.', validity: '1d' })
    const sampling = new AbortController()
    const samples = (async () => {
      while (!sampling.signal.aborted) {
        sample(box)
        await pause(50)
      }
    })()
    const answer = await accepting
    const acceptedS = (performance.now() - begun) / 1_000
    if (answer.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer.body)}`)
    await until(async () => (await count()) >= 0.3 * recipients, '30 % sent', withinMs)
    await box.kill('SIGKILL')
    const atKill = await count()
    box = await start()
    await until(
      async () => {
        if ((await count()) < recipients) return false
        const { body } = await box.call('GET', '/api/v1/messages?limit=1&state=queued')
        return Array.isArray(body['items']) && body['items'].length === 0
      },
      'everybody has it and nothing is queued',
      withinMs,
    )
    const sentS = (performance.now() - begun) / 1_000
    sampling.abort()
    await samples
    const got = await received()
    const id = String(answer.body['id'])
    const flagged = new Set<string>()
    for (let from = 0; from < recipients; from += 1_000) {
      const { body } = await box.call('GET', `/api/v1/messages/${id}?from=${from}`)
      for (const delivery of Array.isArray(body['deliveries']) ? body['deliveries'] : [])
        if (delivery.possibleDuplicate === true) flagged.add(String(delivery.to))
    }
    const twice = [...got].filter(([, count]) => count > 1).map(([number]) => number)
    return {
      acceptedS,
      peakMB,
      atKill,
      missing: to.filter((number) => !got.has(number)).length,
      twice: twice.length,
      unflagged: twice.filter((number) => !flagged.has(number)).length,
      sentS,
    }
  } catch (error) {
    throw new Error(`${error}\n${box.log().slice(-4_000)}`, { cause: error })
  } finally {
    await box.kill('SIGKILL')
  }
}

const RECIPIENTS = 53_000
const LINES = 8

export async function largeJob(bench: Bench): Promise<void> {
  const directory = bench.directory()
  const modems = await startModems(join(directory, 'modems'), LINES, {
    network: '0',
    prompt: '0',
    reports: 'none',
  })
  try {
    const account = await runJob({
      directory,
      ports: modems.ports.map((port) => `serial://${port}?baud=115200`),
      recipients: RECIPIENTS,
      withinMs: 900_000,
      count: modems.count,
      received: async () => byNumber((await modems.record()).record),
    })
    bench.print({
      figure: 'one job with 53,000 recipients, killed at 30 %',
      value: { ...account },
      unit: 's, MB, recipients',
      under: { recipients: RECIPIENTS, lines: LINES },
      reach: 'accepted <= 10 s, <= 200 MB, missing 0, unflagged 0',
    })
  } finally {
    await modems.stop()
  }
}

/** What the network delivered, by number. */
export function byNumber(record: readonly { to: string; delivered: boolean }[]): Map<string, number> {
  const got = new Map<string, number>()
  for (const { to, delivered } of record) if (delivered) got.set(to, (got.get(to) ?? 0) + 1)
  return got
}
