/** The storm guard in a pair: what one member let through and held back counts for the one that takes over from it. */
import { expect, test } from 'vitest'
import { until } from '../system/appliance.ts'
import { modem, PATIENCE_MS, type PairBox, pairOf } from './boxes.ts'

const PHONE = '+491702222222'

async function outcome(box: PairBox, id: unknown): Promise<unknown> {
  const { body } = await box.ask('GET', `/messages/${id}`)
  const [delivery] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
  return { state: delivery?.['state'], reason: delivery?.['reason']?.['code'] }
}

test('after a takeover the budget is what it was, a repetition is one, and the digest tells of what both held back', {
  timeout: 180_000,
}, async () => {
  const [modemA, modemB] = [await modem('20'), await modem('20')]
  const more = `storm:
  dedupe: { window: 1h, text: true }
  group: { after: 10, window: 6s }
  budgets: { recipient: 3/1h }
`
  const line = (port: string) => `{ id: gsm0, kind: gsm, port: '${port}', reports: false }`
  const [a, b] = await pairOf(
    { lines: [line(modemA.address)], more },
    { lines: [line(modemB.address)], more },
  )
  await Promise.all([a.line('gsm0', 'ready'), b.line('gsm0', 'ready')])
  const send = async (box: PairBox, text: string) => {
    const { status, body } = await box.ask('POST', '/messages', { to: [PHONE], text })
    expect(status).toBe(202)
    return body['id']
  }
  const first = await send(a, 'one')
  const second = await send(a, 'two')
  const third = await send(a, 'three')
  await until(async () => modemA.texts().length === 2, 'two went out', PATIENCE_MS)
  await until(
    async () => JSON.stringify(await outcome(b, third)).includes('over-budget'),
    'the standby knows what was held back',
    PATIENCE_MS,
  )
  expect(await outcome(b, first)).toMatchObject({ state: 'sent' })
  expect(await outcome(b, second)).toMatchObject({ state: 'sent' })

  await a.kill()
  await b.is('active')
  const repeated = await send(b, 'one')
  const fourth = await send(b, 'four')
  const settled = async (id: unknown, code: string) =>
    until(async () => JSON.stringify(await outcome(b, id)).includes(code), code, PATIENCE_MS)
  await settled(repeated, 'repeated')
  await settled(fourth, 'over-budget')
  await until(() => modemB.texts().length === 1, 'the digest', PATIENCE_MS)
  // Repetitions are not counted: nobody misses what he has.
  expect(modemB.texts()).toEqual(['and 2 more messages held back by the storm guard. Latest: four'])
})
