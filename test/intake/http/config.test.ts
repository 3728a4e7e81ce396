/** The replicated configuration over HTTP, on one appliance and on two of which one is active. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { createSettings, type Settings } from '#config/settings.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { type ForwardedRequest, NotForwarded } from '#intake/http/forward.ts'
import { ModelLog } from '../../config/model-log.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

const nowhere = { http: { listen: { host: '127.0.0.1', port: 0 } } }

const fileOf = (node: string) => `
node: ${node}
lines: [{ id: gsm0, kind: gsm, port: "sim://gsm" }]
validity: 1h
pair: { listen: "127.0.0.1:0" }
`

let log: ModelLog
let settings: Settings
let standbyLog: ModelLog
let standby: Appliance
let active: Appliance
let sent: ForwardedRequest[]
/** What the standby takes for the active one. */
let known: { node: string } | undefined
let link: (request: ForwardedRequest) => Promise<{ status: number; body?: unknown }>
/** Whether the active one takes itself for it. */
let steady: boolean

const nothingToFetch = () => Promise.reject(new Error('there are no files in these tests'))

const open = async (node: string, store: ModelLog) =>
  createSettings({
    config: parseConfig(fileOf(node), '/x.yaml'),
    store,
    clock: systemClock(0),
    log: silent,
  })

beforeAll(async () => {
  log = new ModelLog('box-a')
  standbyLog = new ModelLog('box-b')
  settings = await open('box-a', log)
  active = await startAppliance(nowhere, {
    settings,
    forward: {
      active: () => (steady ? 'self' : { node: 'box-c' }),
      send: () => Promise.reject(new Error('a second hop')),
      fetch: nothingToFetch,
    },
  })
  standby = await startAppliance(nowhere, {
    settings: await open('box-b', standbyLog),
    forward: {
      active: () => known,
      send: (node, request) => {
        expect(node).toBe('box-a')
        sent.push(request)
        return link(request)
      },
      fetch: nothingToFetch,
    },
  })
})
beforeEach(() => {
  sent = []
  known = { node: 'box-a' }
  steady = true
  // As the members' link has it: JSON.
  link = (request) => active.execute(JSON.parse(JSON.stringify(request)))
})
afterAll(() => Promise.all([active.stop(), standby.stop()]))

test('values come with their source, and change in the name of whoever changes them', async () => {
  const before = await active.call('GET', '/api/v1/config')
  expect(before.json.items?.find(({ path }) => path === 'validity')).toEqual({
    path: 'validity',
    value: '1h',
    source: 'file',
  })
  const changed = await active.call('PATCH', '/api/v1/config', { validity: '120m', 'log.level': 'warn' })
  expect(changed.status).toBe(200)
  const { revision } = JSON.parse(changed.text)
  expect(revision).toMatchObject({
    author: 'http:test',
    changes: [
      { path: 'validity', before: '1h', after: '2h' },
      { path: 'log.level', before: 'info', after: 'warn' },
    ],
  })
  expect(settings.current().validity).toBe(7_200_000)
  const after = await active.call('GET', '/api/v1/config')
  expect(after.json.items?.find(({ path }) => path === 'validity')).toEqual({
    path: 'validity',
    value: '2h',
    source: 'revision',
    revision: revision.id,
    author: 'http:test',
    at: revision.at,
  })
  expect((await active.call('PATCH', '/api/v1/config', { validity: '2h' })).text).toBe('{}')
  await active.call('PATCH', '/api/v1/config', { validity: null })
  expect(settings.current().validity).toBe(3_600_000)
  const restored = await active.call('POST', '/api/v1/config/restore', {
    revision: revision.id,
    path: 'validity',
  })
  expect(restored.status).toBe(200)
  expect(settings.current().validity).toBe(7_200_000)
})

test('the history comes newest first, in pages', async () => {
  const whole = await active.call('GET', '/api/v1/config/history')
  const ids = settings.history().map(({ id }) => id)
  expect(whole.json.items?.map(({ id }) => id)).toEqual(ids.toReversed())
  expect(whole.json.items?.[0]).toMatchObject({ node: 'box-a', author: 'http:test', base: ids.at(-2) })
  const first = await active.call('GET', '/api/v1/config/history?limit=2')
  expect(first.json.next).toBe(ids.at(-2))
  const rest = await active.call('GET', `/api/v1/config/history?after=${first.json.next}`)
  expect([...(first.json.items ?? []), ...(rest.json.items ?? [])].map(({ id }) => id)).toEqual(
    ids.toReversed(),
  )
  expect(rest.json.next).toBeUndefined()
  expect((await active.call('GET', '/api/v1/config/history?after=nothing')).json.items).toEqual([])
})

test.each([
  [{ validity: '1y' }, 'setting-invalid', 'validity', /"1y" is not allowed here; write a span/],
  [{ routes: [{ match: 1 }] }, 'setting-invalid', 'routes[0].lines', /is missing/],
  [{ 'retention.queue': {} }, 'setting-invalid', 'retention.queue', /must be a text/],
  [{ node: 'x' }, 'setting-unknown', 'node', /allowed: routes, validity/],
  [{}, 'wrong-format', undefined, /the body/],
])('%j is refused', async (body, code, field, detail) => {
  const answer = await active.call('PATCH', '/api/v1/config', body)
  expect(answer).toMatchObject({ status: 400, json: { code } })
  expect(answer.json.field).toBe(field)
  expect(answer.json.detail).toMatch(detail)
})

test.each([
  ['GET', '/config', 'admin', 403],
  ['GET', '/config', 'read', 200],
  ['PATCH', '/config', 'read', 403],
  ['PATCH', '/config', 'send', 403],
  ['POST', '/config/restore', 'read', 403],
  ['POST', '/config/dismiss', 'read', 403],
] as const)('%s %s with the scope %s: %i', async (method, path, scope, status) => {
  for (const appliance of [active, standby]) {
    const authorization = await appliance.bearer(scope)
    const body = method === 'GET' ? undefined : { validity: '5h', revision: 'x' }
    expect((await appliance.call(method, `/api/v1${path}`, body, { authorization })).status).toBe(status)
  }
  expect(sent).toEqual([])
})

test('what members changed apart is listed and dismissed', async () => {
  const other = new ModelLog('box-b')
  await (await open('box-b', other)).set([{ path: 'reserve', value: '40MB' }], 'bob')
  await active.call('PATCH', '/api/v1/config', { reserve: '20MB' })
  log.merge(other)
  await settings.refresh()
  const { items = [] } = (await active.call('GET', '/api/v1/config/conflicts')).json
  expect(items).toEqual([
    expect.objectContaining({ path: 'reserve', value: '40MB', holds: '20MB', author: 'bob', node: 'box-b' }),
  ])
  const body = { revision: items[0]?.['revision'], path: 'reserve' }
  expect((await active.call('POST', '/api/v1/config/dismiss', { ...body, path: 'validity' })).json.code).toBe(
    'conflict-unknown',
  )
  // Over the standby, as an answer without a body.
  const answer = await standby.call('POST', '/api/v1/config/dismiss', body)
  expect(answer).toMatchObject({ status: 204, text: '' })
  expect((await active.call('GET', '/api/v1/config/conflicts')).json.items).toEqual([])
  expect((await active.call('POST', '/api/v1/config/restore', { revision: 'x' })).json.code).toBe(
    'revision-unknown',
  )
})

test('a standby sends a change to the active, once, in its caller’s name; what is refused there is refused here', async () => {
  const authorization = `Bearer ${(await standby.tokens.create({ name: 'ada', scopes: ['admin'] })).token}`
  const answer = await standby.call('PATCH', '/api/v1/config?', { validity: '7h' }, { authorization })
  expect(answer).toMatchObject({ status: 200 })
  expect(JSON.parse(answer.text).revision).toMatchObject({ author: 'http:ada' })
  expect(settings.history().at(-1)).toMatchObject({ author: 'http:ada', origin: 'box-a' })
  expect(await standbyLog.revisions()).toEqual([])
  expect(sent).toEqual([
    { method: 'PATCH', path: '/api/v1/config?', author: 'http:ada', body: { validity: '7h' } },
  ])
  const refused = await standby.call('PATCH', '/api/v1/config', { validity: 'x' })
  expect(refused).toMatchObject({ status: 400, json: { code: 'setting-invalid', field: 'validity' } })
  expect(refused.headers.get('content-type')).toMatch('application/problem+json')
  // What is wrong in itself goes nowhere, and what only reads stays here.
  sent = []
  expect((await standby.call('PATCH', '/api/v1/config', [])).status).toBe(400)
  expect((await standby.call('GET', '/api/v1/config')).status).toBe(200)
  expect(sent).toEqual([])
})

test('what is to be cancelled or sent again is a matter of whoever transmits', async () => {
  const { json } = await active.call('POST', '/api/v1/messages', { to: ['+491701'], text: 'x' })
  expect((await standby.call('DELETE', `/api/v1/messages/${json.id}`)).json.id).toBe(json.id)
  expect((await standby.call('POST', `/api/v1/messages/${json.id}/retry`)).status).toBe(200)
  expect((await standby.call('DELETE', '/api/v1/messages/none')).status).toBe(404)
  expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `DELETE /api/v1/messages/${json.id}`,
    `POST /api/v1/messages/${json.id}/retry`,
    'DELETE /api/v1/messages/none',
  ])
})

test('without an active member, or a way to it, the answer says so', async () => {
  const change = () => standby.call('PATCH', '/api/v1/config', { validity: '9h' })
  known = undefined
  expect(await change()).toMatchObject({ status: 503, json: { code: 'no-active' } })
  known = { node: 'box-a' }
  link = () => Promise.reject(new NotForwarded('no path is open'))
  expect(await change()).toMatchObject({ status: 503, json: { code: 'active-unreachable' } })
  link = () => Promise.reject(new Error('the connection broke'))
  expect(await change()).toMatchObject({ status: 504, json: { code: 'forward-unanswered' } })
  expect(settings.current().validity).not.toBe(9 * 3_600_000)
})

test('a forwarded request goes one hop only', async () => {
  steady = false
  expect(await standby.call('PATCH', '/api/v1/config', { validity: '9h' })).toMatchObject({
    status: 503,
    json: { code: 'forwarded-once' },
  })
})

test.each([
  ['GET', '/api/v1/config', 403],
  ['POST', '/api/v1/tokens', 403],
  ['POST', '/api/v1/messages', 403],
  ['TRACE', '/api/v1/config', 403],
  ['PATCH', '/nothing', 403],
])('a member cannot have %s %s done', async (method, path, status) => {
  const answer = await active.execute({ method, path, author: 'mallory', body: { validity: '1m' } })
  expect(answer).toMatchObject({ status, body: { code: 'not-forwardable' } })
})

test('no header makes a stranger a member, and none of it stays with the next request', async () => {
  await active.execute({ method: 'PATCH', path: '/api/v1/config', author: 'x', body: { validity: '3h' } })
  const response = await fetch(`${active.base}/api/v1/config`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"validity":"4h"}',
  })
  expect(response.status).toBe(401)
})

test('every route is described', async () => {
  const { paths } = JSON.parse((await active.call('GET', '/openapi.json')).text)
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/api/v1/config',
      '/api/v1/config/history',
      '/api/v1/config/conflicts',
      '/api/v1/config/restore',
      '/api/v1/config/dismiss',
    ]),
  )
  expect(active.errors).toEqual([])
})
