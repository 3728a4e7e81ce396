/**
 * 28,000 alerts in 60 s for one recipient with a budget of 100 parts an hour, 28 of them with priority 0: what the phone
 * got, how long priority 0 took, and whether the digests account for all the others.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../system/appliance.ts'
import { type Bench, startRig } from '../bench.ts'
import { quantiles, usage } from '../measure.ts'

const ALERTS = 28_000
const SPAN_S = 60
const BUDGET = 100
const URGENT_EACH = 1_000
const CONNECTIONS = 16
const TO = '+491701234567'

export async function stormKept(bench: Bench): Promise<void> {
  const rig = await startRig(bench, {
    lines: 4,
    networkMs: 20,
    more: `storm: { budgets: { recipient: ${BUDGET}/1h }, group: { after: 1000, window: 20s } }\n`,
  })
  try {
    const { address, call } = rig.appliance
    const url = `${address}/api/v1/messages`
    const headers = { authorization: `Bearer ${rig.token}`, 'content-type': 'application/json' }
    const begun = performance.now()
    const urgentMs: number[] = []
    let next = 0
    let peakMB = 0
    async function client(): Promise<void> {
      while (next < ALERTS) {
        const n = next++
        const due = begun + (n * SPAN_S * 1_000) / ALERTS
        if (performance.now() < due) await pause(due - performance.now())
        const urgent = n % URGENT_EACH === 500
        const text = `${urgent ? 'urgent' : 'alert'} ${n}: link down on port ${n % 48}`
        const sentAt = performance.now()
        const answer = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify({ to: [TO], text, validity: '1d', priority: urgent ? 0 : 2 }),
        })
        const { id } = (await answer.json()) as { id: string }
        if (answer.status !== 202) throw new Error(`${answer.status} for alert ${n}`)
        if (!urgent) continue
        await until(
          async () => deliveryState(await call('GET', `/api/v1/messages/${id}`)) === 'sent',
          'urgent sent',
        )
        urgentMs.push(performance.now() - sentAt)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, client))
    const acceptedS = (performance.now() - begun) / 1_000
    peakMB = usage([rig.appliance.pid]).rss / 1e6
    await until(
      async () => {
        const { body } = await call('GET', '/api/v1/status')
        const queue = body['queue'] as { queued: number; submitting: number }
        return queue.queued + queue.submitting === 0
      },
      'nothing queued',
      120_000,
    )
    await pause(25_000)
    const { record } = await rig.modems.record()
    const texts = record.filter(({ delivered }) => delivered).map(({ text }) => text)
    const digests = texts.filter((text) => text.includes('held back by the storm guard'))
    const told = digests.reduce((sum, text) => sum + Number(/^and (\d+) more/.exec(text)?.[1]), 0)
    const { body } = await call('GET', '/api/v1/storm')
    const pending = (body['pending'] as { count: number }[]).reduce((sum, { count }) => sum + count, 0)
    const urgent = texts.filter((text) => text.startsWith('urgent')).length
    const ordinary = texts.length - digests.length - urgent
    bench.print({
      figure: '28,000 alerts in 60 s, budget 100',
      value: {
        acceptedS,
        urgent,
        ordinary,
        digests: digests.length,
        told,
        pending,
        unaccounted: ALERTS - urgent - ordinary - told - pending,
        urgentP50: quantiles(urgentMs).p50,
        urgentMax: quantiles(urgentMs).max,
        rssMB: peakMB,
      },
      unit: 's, messages, ms, MB',
      under: { alerts: ALERTS, seconds: SPAN_S, budget: BUDGET, lines: 4 },
      reach: `urgent ${ALERTS / URGENT_EACH}, ordinary + first digest <= ${BUDGET}, unaccounted 0`,
    })
  } finally {
    await rig.stop()
  }
}

function deliveryState({ body }: { body: Record<string, unknown> }): string {
  const [first] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
  return String(first?.state)
}
