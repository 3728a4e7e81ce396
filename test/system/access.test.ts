/**
 * Who may do what, at every route of the interface and on both members of a real pair: the routes are read from the
 * appliance's own description, so that a new one is missing in the table below until somebody has decided who may use it.
 * A request that is let in goes no further than to a body of a kind that no route takes: nothing is done by it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joined, type PairRig, type RigBox, startPair } from '../panel/pair-rig.ts'
import { until } from './appliance.ts'

type Scope = 'read' | 'send' | 'operate' | 'admin'

/** What anybody may ask, and what lets somebody in. */
const open = [
  'GET /healthz',
  'GET /metrics',
  'GET /readyz',
  'GET /role',
  'DELETE /session',
  'GET /session',
  'POST /session',
  'POST /setup',
]

/** The scope that each route wants, below /api/v1. */
const wanted: Record<Scope, readonly string[]> = {
  read: [
    'GET /audit',
    'GET /audit/verify',
    'GET /config',
    'GET /config/conflicts',
    'GET /config/export',
    'GET /config/history',
    'GET /config/schema',
    'GET /contacts',
    'GET /events',
    'GET /groups',
    'GET /home',
    'GET /inbound/dead',
    'GET /inbound/stopped',
    'GET /inbox',
    'GET /inbox/{id}/actions',
    'GET /inbox/{id}/document',
    'GET /inbox/{id}/pages/{page}',
    'GET /ldap',
    'GET /lines',
    'GET /lines/{id}',
    'GET /messages',
    'GET /messages/counts',
    'GET /messages/{id}',
    'GET /messages/{id}/document',
    'GET /messages/{id}/pages',
    'GET /messages/{id}/pages/{page}',
    'GET /pair',
    'GET /pair/address',
    'GET /pair/drills',
    'GET /pair/failover',
    'GET /restore',
    'GET /status',
    'GET /storm',
    'GET /storm/folded',
    'GET /totals',
    'PATCH /session',
  ],
  send: [
    'DELETE /inbound/stopped/{number}',
    'DELETE /messages/{id}',
    'POST /inbound/dead/replay',
    'POST /inbound/dead/{id}/replay',
    'POST /messages',
    'POST /messages/{id}/retry',
    'PUT /inbound/stopped/{number}',
  ],
  operate: [
    'GET /lines/{id}/trace',
    'POST /lines/{id}/mute',
    'POST /lines/{id}/test',
    'POST /lines/{id}/{action}',
    'POST /messages/actions',
    'POST /messages/{id}/move',
    'POST /pair/drill',
    'POST /pair/handover',
    'POST /pair/takeover',
  ],
  admin: [
    'DELETE /contacts/{id}',
    'DELETE /groups/{id}',
    'DELETE /tokens/{id}',
    'DELETE /users/{name}',
    'GET /own-configuration',
    'GET /own-configuration/history',
    'GET /support',
    'GET /tokens',
    'GET /users',
    'PATCH /config',
    'PATCH /users/{name}',
    'POST /backup',
    'POST /config/apply',
    'POST /config/check',
    'POST /config/confirm',
    'POST /config/dismiss',
    'POST /config/restore',
    'POST /config/revert',
    'POST /contacts/import',
    'POST /ldap/import',
    'POST /modems/search',
    'POST /own-configuration/check',
    'POST /own-configuration/confirm',
    'POST /own-configuration/revert',
    'POST /pair/invite',
    'POST /pair/join',
    'POST /pair/recover',
    'POST /pair/remove',
    'POST /restart',
    'POST /restore',
    'POST /restore/release',
    'POST /tokens',
    'POST /users',
    'PUT /appliance',
    'PUT /contacts/{id}',
    'PUT /groups/{id}',
    'PUT /own-configuration',
  ],
}

const password = 'correct horse battery'
const people: Record<string, readonly Scope[]> = {
  viewer: ['read'],
  operator: ['read', 'send', 'operate'],
  admin: ['read', 'send', 'operate', 'admin'],
}
/** Tokens of one scope each. Who may administrate may operate, too. */
const tokens: Record<Scope, readonly Scope[]> = {
  read: ['read'],
  send: ['send'],
  operate: ['operate'],
  admin: ['admin', 'operate'],
}

interface Operation {
  method: string
  /** As the description has it. */
  path: string
  scope: Scope | undefined
  /** It may be about another member. */
  member: boolean
}

interface Told {
  status: number
  code: string
}

/** Does the same to all of them, so many at a time. */
async function atOnce<T>(most: number, all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let n = 0; n < all.length; n += most) await Promise.all(all.slice(n, n + most).map(work))
}

describe('who may do what', { timeout: 120_000 }, () => {
  let rig: PairRig
  let operations: Operation[]
  let described: string[]
  /** Headers by which each is known. */
  const known = new Map<string, Record<string, string>>()

  beforeAll(async () => {
    const fax = '{ id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }'
    rig = await startPair(95, [], () => [fax])
    await Promise.all([rig.a, rig.b].map((box) => box.running().ready(1)))
    await joined(rig)
    const { a, b } = rig
    const names = Object.keys(people)
    for (const role of names) {
      const user = { name: role, password, role }
      expect((await a.running().call('POST', '/api/v1/users', user)).status).toBe(201)
      known.set(role, { cookie: await cookieOf(a, role), origin: a.address })
    }
    for (const scope of Object.keys(tokens)) {
      const { body } = await a.running().call('POST', '/api/v1/tokens', { name: scope, scopes: [scope] })
      known.set(`token ${scope}`, { authorization: `Bearer ${String(body['token'])}` })
    }
    await until(async () => {
      const answers = await Promise.all([...known.keys()].map((who) => ask(b, 'GET', '/api/v1/home', who)))
      return answers.every(({ code }) => code !== 'session-over' && code !== 'token-unknown')
    }, 'the standby knows everybody')

    const { body } = await a.running().call('GET', '/openapi.json')
    const paths = body['paths'] as Record<string, Record<string, { parameters?: { name: string }[] }>>
    const scopes = new Map(
      (Object.entries(wanted) as [Scope, readonly string[]][]).flatMap(([scope, routes]) =>
        routes.map((route) => [route, scope] as const),
      ),
    )
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([lower, { parameters = [] }]) => {
        const method = lower.toUpperCase()
        const scope = scopes.get(`${method} ${path.replace('/api/v1', '')}`)
        return { method, path, scope, member: parameters.some(({ name }) => name === 'node') }
      }),
    )
    described = operations.map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`)
  }, 90_000)
  afterAll(() => rig.stop())

  async function cookieOf(box: RigBox, name: string): Promise<string> {
    const answer = await fetch(`${box.address}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    })
    expect(answer.status).toBe(200)
    return answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
  }

  /** What stands in a path is of nothing that there is. */
  const filled = (path: string): string =>
    path
      .replace('{number}', '%2B491700000000')
      .replace('{page}', '1')
      .replace('{action}', 'restart')
      .replace(/\{\w+\}/g, 'nobody')

  async function ask(
    box: RigBox,
    method: string,
    path: string,
    who: string | Record<string, string>,
  ): Promise<Told> {
    const headers = typeof who === 'string' ? { ...known.get(who) } : { ...who }
    const over = new AbortController()
    // At the member that it came to, the page is the member's own.
    if (headers['origin'] === rig.a.address) headers['origin'] = box.address
    const body = method === 'GET' || method === 'HEAD' ? {} : { body: 'nothing' }
    if (method !== 'GET' && method !== 'HEAD') headers['content-type'] = 'text/x-nothing'
    const answer = await fetch(`${box.address}${filled(path)}`, {
      method,
      headers,
      ...body,
      signal: over.signal,
    })
    const problem = answer.headers.get('content-type')?.includes('problem+json') && method !== 'HEAD'
    const { code = '' } = problem ? ((await answer.json()) as { code?: string }) : {}
    // Live events never end by themselves.
    over.abort()
    return { status: answer.status, code }
  }

  const guarded = () => operations.filter(({ scope }) => scope !== undefined)
  const places = ({ member }: Operation) => (member ? ['', '?node=box-a', '?node=box-b'] : [''])

  /** @returns each route whose answer is another one than it should be */
  async function wrong(
    who: string | Record<string, string>,
    expected: (operation: Operation) => string,
    asked: readonly Operation[] = guarded(),
  ): Promise<string[]> {
    const found: string[] = []
    const requests = [rig.a, rig.b].flatMap((box) =>
      asked.flatMap((operation) => places(operation).map((place) => ({ box, operation, place }))),
    )
    await atOnce(16, requests, async ({ box, operation, place }) => {
      const { method, path } = operation
      const { status, code } = await ask(box, method, path + place, who)
      const should = expected(operation)
      const letIn = status !== 401 && status !== 403 && (method === 'GET' || status === 415)
      if (should === 'in' ? letIn : `${status} ${code}` === should) return
      found.push(`${box.node} ${method} ${path}${place}: ${status} ${code}, not ${should}`)
    })
    return found
  }

  test('every route has its place in the table, and the table has no others', () => {
    expect(described.sort()).toEqual([...open, ...Object.values(wanted).flat()].sort())
  })

  test('nobody gets in without a login or a token', async () => {
    expect(await wrong({}, () => '401 token-missing')).toEqual([])
    expect(await wrong({ authorization: 'Bearer tl_nothing' }, () => '401 token-unknown')).toEqual([])
    const stale = `twinline_session_${new URL(rig.a.address).port}=${'x'.repeat(43)}`
    expect(await wrong({ cookie: stale }, () => '401 session-over')).toEqual([])
  })

  test('HEAD is no way around', async () => {
    const heads = guarded().filter(({ method, path }) => method === 'GET' && path !== '/api/v1/events')
    const asked = heads.map((operation) => ({ ...operation, method: 'HEAD' }))
    expect(await wrong({}, () => '401 ', asked)).toEqual([])
  })

  test.each(Object.entries(people))('%s may what the role says', async (role, scopes) => {
    expect(
      await wrong(role, ({ scope }) => (scope && scopes.includes(scope) ? 'in' : '403 role-missing')),
    ).toEqual([])
  })

  test.each(Object.entries(tokens))('a token with the scope %s may that', async (name, scopes) => {
    expect(
      await wrong(`token ${name}`, ({ scope }) =>
        scope && scopes.includes(scope) ? 'in' : '403 scope-missing',
      ),
    ).toEqual([])
  })

  test('no page of another site changes anything with the login of an administrator', async () => {
    const admin = known.get('admin') ?? {}
    const changing = guarded().filter(({ method }) => method !== 'GET')
    const { origin: _, ...cookie } = admin
    for (const foreign of [{}, { origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }])
      expect(await wrong({ ...cookie, ...foreign }, () => '403 cross-site', changing)).toEqual([])
  })

  test('no body is larger than its route takes', async () => {
    const headers = { ...known.get('admin'), 'content-type': 'application/json' }
    const body = `{"a":"${'x'.repeat(4_100_000)}"}`
    const found: string[] = []
    const changing = operations.filter(({ method }) => method !== 'GET')
    await atOnce(4, changing, async ({ method, path }) => {
      const answer = await fetch(`${rig.a.address}${filled(path)}`, { method, headers, body })
      const { code } = (await answer.json()) as { code?: string }
      if (code !== 'body-too-large') found.push(`${method} ${path}: ${answer.status} ${code}`)
    })
    expect(found).toEqual([])
  })
})
