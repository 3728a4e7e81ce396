/** Events to a real HTTP server: signed, answered, refused, hung. */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { callWebhook } from '#notify/webhook.ts'
import { type HookSink, startHookSink } from './sinks.ts'

let sink: HookSink
beforeEach(async () => {
  sink = await startHookSink()
})
afterEach(() => sink.stop())

const NOW = 1_700_000_000_123
const call = (more: Partial<Parameters<typeof callWebhook>[0]> = {}) =>
  callWebhook({ url: sink.url, id: 'e.0', body: { text: 'größer 😀' }, now: NOW, timeout: 2_000, ...more })

test('the receiver can check who it is from', async () => {
  expect(await call({ secret: 'key' })).toEqual({ result: 'taken' })
  const headers = sink.calls[0]?.headers
  const text = sink.calls[0]?.text ?? ''
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-twinline-event': 'e.0' })
  const hmac = createHmac('sha256', 'key').update(`1700000000.${text}`).digest('hex')
  expect(headers?.['x-twinline-signature']).toBe(`t=1700000000,v1=${hmac}`)
  expect(JSON.parse(text)).toEqual({ text: 'größer 😀' })
})

test('without a secret nothing is signed', async () => {
  await call()
  expect(sink.calls[0]?.headers).not.toHaveProperty('x-twinline-signature')
})

test.each([
  [500, false],
  [429, false],
  [404, false],
  [302, false],
  [400, true],
  [413, true],
  [422, true],
])('%i is a refusal; for good: %s', async (status, permanent) => {
  sink.script = [status]
  expect(await call()).toMatchObject({ result: 'failed', permanent, reason: { code: 'webhook-refused' } })
  expect(sink.calls).toHaveLength(1)
})

test('one that hangs is given up in time', async () => {
  sink.script = ['hang']
  expect(await call({ timeout: 100 })).toMatchObject({
    permanent: false,
    reason: { code: 'webhook-timeout' },
  })
})

test('one that is away', async () => {
  await sink.stop()
  expect(await call()).toMatchObject({ permanent: false, reason: { code: 'webhook-failed' } })
  sink = await startHookSink()
})
