/** Tokens, scopes, and what is open to everybody. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { createToken } from '#intake/http/tokens.ts'
import { type Scope, scopes } from '#messages/operation.ts'
import { type Answer, type Appliance, answerOf, startAppliance } from './stand-ins.ts'

let appliance: Appliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.stop())

async function as(authorization: string | undefined, method: string, path: string): Promise<Answer> {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
  return answerOf(await fetch(appliance.base + path, { method, headers }))
}

const routes: [method: string, path: string, scope: Scope][] = [
  ['POST', '/messages', 'send'],
  ['GET', '/messages', 'read'],
  ['GET', '/messages/x', 'read'],
  ['DELETE', '/messages/x', 'send'],
  ['POST', '/messages/x/retry', 'send'],
  ['GET', '/lines', 'read'],
  ['GET', '/lines/gsm0', 'read'],
  ['POST', '/lines/gsm0/restart', 'operate'],
  ['GET', '/inbox', 'read'],
  ['GET', '/totals', 'read'],
  ['GET', '/status', 'read'],
  ['GET', '/tokens', 'admin'],
  ['POST', '/tokens', 'admin'],
  ['DELETE', '/tokens/x', 'admin'],
  ['GET', '/home', 'read'],
  ['PUT', '/appliance', 'admin'],
  ['GET', '/users', 'admin'],
  ['POST', '/users', 'admin'],
  ['PATCH', '/users/x', 'admin'],
  ['DELETE', '/users/x', 'admin'],
  ['GET', '/pair', 'read'],
  ['POST', '/pair/invite', 'admin'],
  ['POST', '/pair/join', 'admin'],
  ['POST', '/pair/takeover', 'operate'],
  ['POST', '/pair/handover', 'operate'],
  ['POST', '/pair/remove', 'admin'],
  ['POST', '/pair/drill', 'operate'],
  ['POST', '/pair/recover', 'admin'],
]

test.each(routes)('%s %s wants the scope %s and no other', async (method, path, scope) => {
  // Who may administrate may operate too.
  const others = scopes.filter((other) => other !== scope && !(scope === 'operate' && other === 'admin'))
  const refused = await as(await appliance.bearer(...others), method, `/api/v1${path}`)
  expect(refused).toMatchObject({ status: 403, json: { code: 'scope-missing' } })
  expect(refused.json.detail).toContain(scope)
  const answered = await as(await appliance.bearer(scope), method, `/api/v1${path}`)
  expect([200, 400, 404]).toContain(answered.status)

  const nobody = await as(undefined, method, `/api/v1${path}`)
  expect(nobody).toMatchObject({ status: 401, json: { code: 'token-missing' } })
  expect(nobody.headers.get('www-authenticate')).toMatch(/^Bearer/)
})

test('a token that may administrate may operate, as it could before there was that scope', async () => {
  const admin = await appliance.bearer('admin')
  expect((await as(admin, 'POST', '/api/v1/lines/gsm0/restart')).status).toBe(200)
})

test('every answer says which member it came from, and where that one is', async () => {
  for (const path of ['/', '/healthz', '/api/v1/status', '/nothing'])
    expect((await as(undefined, 'GET', path)).headers.get('twinline-member')).toBe('alpha 127.0.0.1')
})

test.each(['Bearer wrong', 'bearer  tl_x', `Bearer ${'x'.repeat(8000)}`])(
  'an unknown token is 401: %.20s',
  async (header) => {
    expect(await as(header, 'GET', '/api/v1/status')).toMatchObject({
      status: 401,
      json: { code: 'token-unknown' },
    })
  },
)

test.each(['Basic YTpi', 'Bearer', 'Bearer a b', ''])(
  'what is no bearer token is 401: %s',
  async (header) => {
    expect(await as(header, 'GET', '/api/v1/status')).toMatchObject({
      status: 401,
      json: { code: 'token-missing' },
    })
  },
)

test('a stranger is answered before his body is read', async () => {
  const answer = await fetch(`${appliance.base}/api/v1/messages`, {
    method: 'POST',
    body: 'x'.repeat(1_000_000),
  })
  expect(answer.status).toBe(401)
})

test('a token is made, listed without itself, used and revoked', async () => {
  const made = await appliance.call('POST', '/api/v1/tokens', { name: 'nagios' })
  expect(made).toMatchObject({ status: 201, json: { name: 'nagios', scopes: ['send', 'read'] } })
  expect(made.json.token).toMatch(/^tl_[A-Za-z0-9_-]{32,}$/)
  const bearer = `Bearer ${made.json.token}`
  expect((await as(bearer, 'GET', '/api/v1/status')).status).toBe(200)
  expect(appliance.touched).toContain(made.json.id)

  const list = await appliance.call('GET', '/api/v1/tokens')
  expect(list.json.items).toContainEqual({
    id: made.json.id,
    name: 'nagios',
    scopes: ['send', 'read'],
    createdAt: expect.stringMatching(/Z$/),
    createdBy: 'http:test',
  })
  expect(list.text).not.toContain(made.json.token)
  expect(list.text).not.toContain('hash')

  expect((await appliance.call('DELETE', `/api/v1/tokens/${made.json.id}`)).status).toBe(204)
  expect((await as(bearer, 'GET', '/api/v1/status')).status).toBe(401)
  expect((await appliance.call('DELETE', `/api/v1/tokens/${made.json.id}`)).status).toBe(404)
})

test('a token made behind the back of the server works at once', async () => {
  const { token } = await createToken(appliance.store, systemClock(0), {
    name: 'other process',
    scopes: ['read'],
  })
  expect((await as(`Bearer ${token}`, 'GET', '/api/v1/status')).status).toBe(200)
})

test.each([
  ['no name', { scopes: ['read'] }, 'name'],
  ['a name with a line break', { name: 'a\nb' }, 'name'],
  ['no scope', { name: 'a', scopes: [] }, 'scopes'],
  ['an unknown scope', { name: 'a', scopes: ['root'] }, 'scopes[0]'],
  ['a scope twice', { name: 'a', scopes: ['read', 'read'] }, 'scopes'],
])('a token with %s is 400', async (_what, body, field) => {
  expect(await appliance.call('POST', '/api/v1/tokens', body)).toMatchObject({ status: 400, json: { field } })
})

test('health, readiness, role and figures need no token', async () => {
  expect(await as(undefined, 'GET', '/healthz')).toMatchObject({ status: 200, text: 'OK\n' })
  expect(await as(undefined, 'GET', '/readyz')).toMatchObject({ status: 200, json: { ready: true } })
  expect(await as(undefined, 'GET', '/role')).toMatchObject({ status: 200, text: 'ACTIVE' })
  expect(await as(undefined, 'GET', '/metrics')).toMatchObject({ status: 200 })
  appliance.role = 'STANDBY'
  appliance.readiness = { ready: false, reason: 'no line is ready' }
  expect(await as(undefined, 'GET', '/readyz')).toMatchObject({ status: 503, json: appliance.readiness })
  expect(await as(undefined, 'GET', '/role')).toMatchObject({ status: 503, text: 'STANDBY' })
  appliance.role = 'ACTIVE'
  appliance.readiness = { ready: true }
})
