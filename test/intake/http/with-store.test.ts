/** The intake on the real store and the real acceptance: keys, tokens and lists as they are on an appliance. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noStorm } from '#config/storm.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { createDispatch, type RunningDispatch } from '#dispatch/dispatch.ts'
import { noReplicas, soleOwner } from '#dispatch/ownership.ts'
import { type HttpIntake, startHttp } from '#intake/http/server.ts'
import { createMetrics } from '#notify/metrics.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { type Answer, answerOf, StandInLine } from './stand-ins.ts'

let data: string
let store: Store & OperationLog
let http: HttpIntake
let dispatch: RunningDispatch
let headers: Record<string, string>

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'http-'))
  store = await openStore({ directory: data, node: 'alpha', reserve: 1 })
  const clock = systemClock(store.lastLogged)
  const line = new StandInLine('gsm0')
  // Never free: everything that is accepted stays in the queue.
  line.free = () => false
  dispatch = createDispatch({
    config: {
      node: 'alpha',
      lines: [
        {
          id: 'gsm0',
          kind: 'gsm',
          port: { scheme: 'tcp', host: 'none', port: 1 },
          reports: true,
          concatenation: 8,
          disabled: false,
        },
      ],
      routes: [{ match: '*', lines: ['gsm0'], cost: 1 }],
      validity: 86_400_000,
      contacts: [],
      groups: [],
      sources: [],
      storm: noStorm(),
    },
    store,
    clock,
    log: silent,
    ownership: soleOwner('alpha'),
    replicas: noReplicas,
    lines: [line],
  })
  const common = { store, clock, node: 'alpha', version: '1', role: () => 'ACTIVE' as const }
  http = await startHttp({
    ...common,
    config: { data, http: { listen: { host: '127.0.0.1', port: 0 } } },
    dispatch,
    log: silent,
    metrics: createMetrics({ ...common, lines: dispatch.lines }),
    ready: () => ({ ready: true }),
  })
  const { token } = await http.tokens.create({ name: 'nagios', scopes: ['send', 'read'] })
  headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
})
afterAll(async () => {
  await http.stop()
  await dispatch.loop.stop()
  await store.close()
  await rm(data, { recursive: true })
})

async function call(method: string, path: string, body?: object, key?: string): Promise<Answer> {
  return answerOf(
    await fetch(`${http.addresses[0]}/api/v1${path}`, {
      method,
      headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
}

test('one key fifty times at once is one message on disk', async () => {
  const body = { to: ['+491701234567'], text: 'once', tag: 'fifty' }
  const answers = await Promise.all(Array.from({ length: 50 }, () => call('POST', '/messages', body, 'key')))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(answers.filter(({ headers }) => headers.get('idempotent-replay') === null)).toHaveLength(1)
  expect((await call('GET', '/messages?tag=fifty')).json.items).toHaveLength(1)
  expect(await call('POST', '/messages', { ...body, text: 'other' }, 'key')).toMatchObject({
    status: 409,
    json: { code: 'key-reused' },
  })
})

test('a message is found, listed, cancelled once and queued again', async () => {
  const { json } = await call('POST', '/messages', { to: ['112', '+49170'], text: 'Öl 😀', tag: 'life' })
  const path = `/messages/${json.id}`
  expect(await call('GET', path)).toMatchObject({
    status: 200,
    json: {
      text: 'Öl 😀',
      source: 'http:nagios',
      deliveries: [{ to: '112', state: 'queued' }, { to: '+49170' }],
    },
  })
  expect((await call('GET', '/messages?to=%2B49170&state=queued')).json.items).toMatchObject([
    { id: json.id },
  ])
  expect(await call('DELETE', path)).toMatchObject({
    status: 200,
    json: { deliveries: [{ state: 'cancelled' }, {}] },
  })
  expect(await call('DELETE', path)).toMatchObject({ status: 409, json: { code: 'too-late' } })
  expect(await call('POST', `${path}/retry`)).toMatchObject({
    status: 200,
    json: { deliveries: [{ state: 'queued' }, {}] },
  })
  expect(await call('POST', `${path}/retry`)).toMatchObject({
    status: 409,
    json: { code: 'nothing-to-retry' },
  })
})

test('what acceptance refuses names the field', async () => {
  for (const [body, field, code] of [
    [{ to: ['+49170', 'Bob'], text: 'x' }, 'to[1]', 'invalid-recipient'],
    [{ to: ['1122'], text: 'ä'.repeat(40_000) }, 'text', 'text-too-long'],
    [{ to: ['1122'], text: 'x', validity: '1s' }, 'validity', 'invalid-validity'],
  ] as const) {
    expect(await call('POST', '/messages', body)).toMatchObject({ status: 400, json: { code, field } })
  }
})

test('pages follow one another without gap or overlap', async () => {
  for (let n = 0; n < 5; n++) await call('POST', '/messages', { to: ['112'], text: `${n}`, tag: 'pages' })
  const seen: unknown[] = []
  let after = ''
  do {
    const { json } = await call('GET', `/messages?tag=pages&limit=2${after}`)
    seen.push(...(json.items ?? []).map((item) => item['text']))
    after = json.next === undefined ? '' : `&after=${json.next}`
  } while (after !== '')
  expect(seen).toEqual(['4', '3', '2', '1', '0'])
})
