/** Lines, inbox, totals and status over HTTP. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Appliance, startAppliance } from './stand-ins.ts'

let appliance: Appliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.stop())

const line = {
  id: 'gsm0',
  kind: 'gsm',
  channel: 'sms',
  state: 'ready',
  busy: false,
  port: 'sim://gsm',
  signal: -71,
  lastSuccess: '2023-11-14T22:13:20.000Z',
  recoveries: 2,
  node: 'alpha',
}

test('lines, all and one', async () => {
  expect((await appliance.call('GET', '/api/v1/lines')).json).toEqual({ items: [line] })
  expect((await appliance.call('GET', '/api/v1/lines/gsm0')).json).toEqual(line)
})

test.each([
  ['restart', 'ready'],
  ['disable', 'disabled'],
  ['enable', 'ready'],
])('%s does that and answers with the line as it is then', async (action, state) => {
  const answer = await appliance.call('POST', `/api/v1/lines/gsm0/${action}`)
  expect(answer).toMatchObject({ status: 200, json: { id: 'gsm0', state } })
  expect(appliance.dispatch.all[0]?.done.at(-1)).toBe(action)
})

test('muted, it says until when', async () => {
  await appliance.call('POST', '/api/v1/lines/gsm0/mute', { for: '1h' })
  const { json } = await appliance.call('GET', '/api/v1/lines/gsm0')
  expect(
    Math.abs(Date.parse(String((json as { muted?: string }).muted)) - Date.now() - 3_600_000),
  ).toBeLessThan(60_000)
  await appliance.call('POST', '/api/v1/lines/gsm0/unmute')
  expect((await appliance.call('GET', '/api/v1/lines/gsm0')).json).toEqual(line)
})

test('lines of a member that is not there', async () => {
  expect(await appliance.call('GET', '/api/v1/lines?node=beta')).toMatchObject({
    status: 404,
    json: { code: 'member-unknown', field: 'node' },
  })
  expect((await appliance.call('GET', '/api/v1/lines?node=*')).json).toEqual({ items: [line] })
})

test('an unknown line or action is named with what there is', async () => {
  for (const [method, path] of [
    ['GET', 'gsm9'],
    ['POST', 'gsm9/restart'],
  ] as const) {
    const answer = await appliance.call(method, `/api/v1/lines/${path}`)
    expect(answer).toMatchObject({
      status: 404,
      json: { code: 'line-unknown', field: 'id', allowed: ['gsm0'] },
    })
  }
  expect(await appliance.call('POST', '/api/v1/lines/gsm0/explode')).toMatchObject({
    status: 400,
    json: { field: 'action', allowed: ['restart', 'disable', 'enable', 'unmute'] },
  })
})

test('the inbox shows what came, with times as text', async () => {
  const entry = { id: 'i', node: 'alpha', line: 'gsm0', from: '+49', text: 'ok', complete: true, revision: 0 }
  appliance.inbox.push({ ...entry, sentAt: 0, at: 1000, parts: { total: 1, received: 1 } })
  expect((await appliance.call('GET', '/api/v1/inbox')).json).toEqual({
    items: [
      {
        ...entry,
        kind: 'sms',
        sentAt: '1970-01-01T00:00:00.000Z',
        at: '1970-01-01T00:00:01.000Z',
        parts: { total: 1, received: 1 },
      },
    ],
  })
})

test('totals by line and hour and all together, since a time or a span', async () => {
  const row = { node: 'alpha', line: 'gsm0', sent: 5, delivered: 4, failed: 1, unknown: 0, received: 2 }
  appliance.totals.push({ ...row, hour: 0 }, { ...row, hour: 3_600_000 })
  const { json } = await appliance.call('GET', '/api/v1/totals?since=1970-01-01T00:00:00Z')
  expect(json).toMatchObject({
    since: '1970-01-01T00:00:00.000Z',
    items: [{ ...row, hour: '1970-01-01T00:00:00.000Z' }, { hour: '1970-01-01T01:00:00.000Z' }],
    total: { sent: 10, delivered: 8, failed: 2, unknown: 0, received: 4 },
  })
  await appliance.call('GET', '/api/v1/totals?since=24h')
  expect(Math.abs(Date.now() - 86_400_000 - (appliance.since.at(-1) ?? 0))).toBeLessThan(60_000)
  await appliance.call('GET', '/api/v1/totals')
  expect(appliance.since.at(-1)).toBe(0)
})

test('totals of the days of the appliance, up to a time', async () => {
  const row = { node: 'alpha', line: 'gsm9', sent: 1, delivered: 1, failed: 0, unknown: 0, received: 0 }
  const noon = new Date(2026, 10, 20, 12).getTime()
  for (const hours of [0, 1, 12, 13]) appliance.totals.push({ ...row, hour: noon + hours * 3_600_000 })
  const { json } = await appliance.call(
    'GET',
    `/api/v1/totals?since=2026-11-01T00:00:00Z&step=day&until=${new Date(noon + 13 * 3_600_000).toISOString()}`,
  )
  const own = (json['items'] as { line: string }[]).filter((item) => item.line === 'gsm9')
  expect(own).toEqual([
    { ...row, hour: new Date(2026, 10, 20).toISOString(), sent: 2, delivered: 2 },
    { ...row, hour: new Date(2026, 10, 21).toISOString() },
  ])
})

test('status is everything at a glance', async () => {
  appliance.readiness = { ready: false, reason: 'no line is ready' }
  const { json } = await appliance.call('GET', '/api/v1/status')
  expect(json).toEqual({
    node: 'alpha',
    role: 'ACTIVE',
    version: '9.9.9',
    at: expect.stringMatching(/Z$/),
    ready: false,
    reason: 'no line is ready',
    queue: { queued: 3, submitting: 1, awaitingReport: 2, unknown: 0 },
    lines: [line],
  })
})
