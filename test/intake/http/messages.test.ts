/** Messages over a real socket: accepted, replayed, looked up, cancelled. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Appliance, startAppliance } from './stand-ins.ts'

let appliance: Appliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.stop())

const post = (body: unknown, key?: string) =>
  appliance.call('POST', '/api/v1/messages', body, key === undefined ? {} : { 'idempotency-key': key })

test('an accepted message answers 202 with one delivery a recipient', async () => {
  const answer = await post({ to: ['+491701', '+491702'], text: 'pump failed' })
  expect(answer.status).toBe(202)
  const id = answer.json.id
  expect(answer.json).toEqual({
    id,
    replicated: false,
    deliveries: [
      { id: `${id}.0`, to: '+491701', channel: 'sms', state: 'queued', parts: 1 },
      { id: `${id}.1`, to: '+491702', channel: 'sms', state: 'queued', parts: 1 },
    ],
  })
})

test('every field reaches dispatch, spans in ms, with who asked', async () => {
  const body = {
    to: ['112'],
    text: 'ä',
    channel: 'sms',
    priority: 0,
    validity: '30m',
    onUnknown: 'hold',
    tag: 'roof',
    flash: true,
  }
  expect((await post(body)).status).toBe(202)
  expect(appliance.dispatch.requests.at(-1)).toEqual({ ...body, validity: 1_800_000, source: 'http:test' })
})

test('the same key and body get the first answer, in whatever order and spacing the JSON is', async () => {
  const first = await post('{"to":["+49170"],"text":"a","priority":1}', 'k1')
  const again = await post('{ "priority": 1,\n "text": "a", "to": ["+49170"] }', 'k1')
  expect(first.headers.get('idempotent-replay')).toBeNull()
  expect(again.status).toBe(202)
  expect(again.headers.get('idempotent-replay')).toBe('true')
  expect(again.json).toEqual(first.json)
})

test('a replay after the message moved on still says queued', async () => {
  const first = await post({ to: ['+49170'], text: 'moves on' }, 'k2')
  await appliance.call('DELETE', `/api/v1/messages/${first.json.id}`)
  expect((await post({ to: ['+49170'], text: 'moves on' }, 'k2')).json).toEqual(first.json)
})

test('the same key with any other body is 409', async () => {
  const body = { to: ['+49170'], text: 'a' }
  await post(body, 'k3')
  for (const other of [
    { ...body, text: 'b' },
    { ...body, to: ['+49171'] },
    { ...body, flash: true },
  ]) {
    const answer = await post(other, 'k3')
    expect(answer.status).toBe(409)
    expect(answer.json).toMatchObject({ code: 'key-reused', field: 'Idempotency-Key' })
  }
})

test('one key fifty times at once makes one message', async () => {
  const before = appliance.views.size
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => post({ to: ['+49170'], text: 'once' }, 'k50')),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
  expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(1)
  expect(answers.filter(({ headers }) => headers.get('idempotent-replay') === null)).toHaveLength(1)
  expect(appliance.views.size).toBe(before + 1)
})

test('a message is looked up with its fields and one timeline of all deliveries', async () => {
  const sent = await post({ to: ['+491', '+492'], text: 'look', tag: 't', validity: '24h' })
  const cancelled = await appliance.call('DELETE', `/api/v1/messages/${sent.json.id}`)
  expect(cancelled.status).toBe(200)
  const found = await appliance.call('GET', `/api/v1/messages/${sent.json.id}`)
  expect(found.json).toEqual(cancelled.json)
  expect(found.json).toMatchObject({
    id: sent.json.id,
    replicated: false,
    text: 'look',
    tag: 't',
    validity: '1d',
    priority: 2,
    onUnknown: 'resend',
    flash: false,
    source: 'http:test',
    deliveries: [
      {
        to: '+491',
        state: 'cancelled',
        reason: { code: 'cancelled' },
        attempts: 0,
        possibleDuplicate: false,
      },
      { to: '+492', state: 'cancelled' },
    ],
  })
  const timeline = found.json.timeline ?? []
  expect(timeline.map(({ delivery, event }) => `${delivery.slice(-1)} ${event}`)).toEqual([
    '0 accept',
    '1 accept',
    '0 cancel',
    '1 cancel',
  ])
  expect(timeline.every(({ at }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at))).toBe(true)
})

test('a delivery that waits says for which lines, why and until when', async () => {
  const { id } = (await post({ to: ['+491', '+492'], text: 'waits' })).json
  const reason = { code: 'muted', text: 'The line is muted' }
  const waiting = [
    { line: 'gsm0', reason, until: 1_700_000_000_000 },
    { line: 'gsm1', reason: { code: 'disabled', text: 'The line was switched off' } },
  ]
  appliance.dispatch.waiting = () => new Map([[`${id}.0`, waiting]])
  const found = await appliance.call('GET', `/api/v1/messages/${id}`)
  appliance.dispatch.waiting = () => new Map()
  expect(found.json).toMatchObject({
    deliveries: [
      { waiting: [{ ...waiting[0], until: '2023-11-14T22:13:20.000Z' }, waiting[1]] },
      { to: '+492' },
    ],
  })
  expect(found.text.match(/"waiting"/g)).toHaveLength(1)
})

test('what came too late or never existed says so', async () => {
  const sent = await post({ to: ['+491'], text: 'x' })
  const path = `/api/v1/messages/${sent.json.id}`
  await appliance.call('DELETE', path)
  expect(await appliance.call('DELETE', path)).toMatchObject({ status: 409, json: { code: 'too-late' } })
  expect(await appliance.call('POST', `${path}/retry`)).toMatchObject({ status: 200 })
  for (const [method, end] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/retry'],
  ] as const) {
    const answer = await appliance.call(method, `/api/v1/messages/none${end}`)
    expect(answer).toMatchObject({ status: 404, json: { code: 'message-unknown' } })
  }
})

test('a list passes its filters on and says where the next page begins', async () => {
  const answer = await appliance.call(
    'GET',
    '/api/v1/messages?limit=2&state=queued&to=%2B491&tag=roof&search=a&after=m',
  )
  expect(answer.status).toBe(200)
  expect(answer.json.items).toHaveLength(2)
  expect(answer.json.next).toEqual(expect.any(String))
  expect(appliance.queries.at(-1)).toEqual({
    limit: 2,
    state: 'queued',
    to: '+491',
    tag: 'roof',
    search: 'a',
    after: 'm',
  })
  await appliance.call('GET', '/api/v1/messages')
  expect(appliance.queries.at(-1)).toEqual({ limit: 50 })
})

test('a full disk is 507, and the next message is taken', async () => {
  appliance.dispatch.answer = { result: 'full' }
  expect(await post({ to: ['+491'], text: 'x' })).toMatchObject({ status: 507, json: { code: 'disk-full' } })
  appliance.dispatch.answer = undefined
  expect((await post({ to: ['+491'], text: 'x' })).status).toBe(202)
})

test('our own fault is 500 without a word of what went wrong inside, which is logged', async () => {
  appliance.dispatch.answer = new Error('secret detail')
  const answer = await post({ to: ['+491'], text: 'x' })
  appliance.dispatch.answer = undefined
  expect(answer).toMatchObject({ status: 500, json: { code: 'internal' } })
  expect(answer.text).not.toContain('secret')
  expect(appliance.errors.at(-1)).toContain('secret detail')
})
