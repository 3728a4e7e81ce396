/** The pair over HTTP: commands, refusals, allow lists, the redirect, and what load balancers ask. */
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import type { PairConfig } from '#config/types.ts'
import { type PairStandIn, pairStandIn } from './pair-stand-in.ts'
import { type Appliance, answerOf, startAppliance } from './stand-ins.ts'

async function paired(
  config: Partial<PairConfig> = {},
): Promise<{ appliance: Appliance; pair: PairStandIn }> {
  const pair = pairStandIn(config)
  const appliance = await startAppliance({}, { pair })
  onTestFinished(() => appliance.stop())
  return { appliance, pair }
}

/** Through the control socket, without a token. */
function locally(
  appliance: Appliance,
  path: string,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        socketPath: join(appliance.data, 'control.sock'),
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      (response) =>
        void text(response).then((said) => resolve({ status: response.statusCode ?? 0, text: said }), reject),
    )
    asking.once('error', reject)
    asking.end(body)
  })
}

test('the pair at a glance', async () => {
  const { appliance } = await paired()
  const { status, json } = await appliance.call('GET', '/api/v1/pair')
  expect(status, appliance.errors.join()).toBe(200)
  expect(json).toMatchObject({
    node: 'alpha',
    standing: 'member',
    role: 'active',
    label: 'Active (Primary)',
    term: { counter: 7, node: 'alpha' },
    since: expect.stringMatching(/Z$/),
    vip: { address: '10.77.0.100', here: true },
    witness: { state: 'silent' },
    members: [
      {
        node: 'beta',
        label: 'Standby (Backup)',
        signal: 'LIVE',
        addresses: ['beta:8883'],
        priority: 100,
        silentMs: 120,
        skewMs: 3_500,
        paths: [{ up: true, roundTripMs: 0.8 }, { up: false }],
        replication: { state: 'lagging', behind: 17 },
      },
    ],
  })
  const { promises } = json as unknown as {
    promises: { fault: string; outage: number; bothServe: boolean }[]
  }
  expect(promises.find(({ fault }) => fault === 'split')).toMatchObject({ bothServe: true })
  expect(promises.find(({ fault }) => fault === 'gateway-hung')?.outage).toBe(2_300)
})

test('a member that is silent shows as Error, one that stopped as Stopped, one that never came as Unknown', async () => {
  const { appliance, pair } = await paired()
  const [view] = pair.status.members
  const labels: unknown[] = []
  for (const change of [{ signal: 'DEAD' as const }, { signal: 'CLOSE' as const }, undefined]) {
    pair.status.members = change === undefined || view === undefined ? [] : [{ ...view, ...change }]
    const { json } = await appliance.call('GET', '/api/v1/pair')
    labels.push(json)
  }
  expect(labels).toMatchObject(
    ['Error', 'Stopped', 'Unknown'].map((label) => ({ members: [{ node: 'beta', label }] })),
  )
})

test.each([
  ['invite', undefined, 'invite http:test', { code: 'AAAAAA-BBBBBB', expires: '2023-11-14T22:23:20.000Z' }],
  ['join', { code: 'ABC' }, 'join ABC http:test', { inviter: 'beta', members: ['beta', 'gamma'] }],
  ['takeover', undefined, 'takeover http:test', { node: 'alpha', role: 'active' }],
  ['handover', {}, 'handover http:test', { node: 'alpha' }],
  ['remove', { node: 'beta' }, 'remove beta http:test', { node: 'alpha' }],
  ['drill', { kind: 'freeze' }, 'drill freeze http:test', { text: 'it stands still for 5 s' }],
  ['recover', {}, 'recover all http:test', { same: true, members: [{ node: 'beta', sent: 3 }] }],
  ['recover', { from: 'beta' }, 'recover beta http:test', { conflicts: [{ path: 'routes' }] }],
])('%s %j is passed on with who it was, and answered', async (action, body, asked, answer) => {
  const { appliance, pair } = await paired()
  const { status, json } = await appliance.call('POST', `/api/v1/pair/${action}`, body)
  expect(status, appliance.errors.join()).toBe(200)
  expect(json).toMatchObject(answer)
  expect(pair.asked).toEqual([asked])
})

test.each([
  ['drill-no-standby', 409],
  ['pair-code-mistyped', 400],
  ['member-unknown', 404],
  ['pair-rate-limited', 429],
  ['pair-unreachable', 502],
])('a refusal %s is %i with its reason', async (code, status) => {
  const { appliance, pair } = await paired()
  pair.refusal = { result: 'refused', code, text: 'because it is so' }
  for (const [action, body] of [
    ['invite', {}],
    ['join', { code: 'x' }],
    ['takeover', {}],
    ['handover', {}],
    ['remove', { node: 'x' }],
    ['drill', { kind: 'kill' }],
    ['recover', {}],
  ] as const) {
    const answer = await appliance.call('POST', `/api/v1/pair/${action}`, body)
    expect(answer, action).toMatchObject({ status, json: { code, detail: 'because it is so' } })
  }
})

test.each([
  ['join', {}, 'code'],
  ['join', { code: '' }, 'code'],
  ['remove', { node: 7 }, 'node'],
  ['drill', { kind: 'explode' }, 'kind'],
  ['recover', { force: true }, 'force'],
])('%s %j names the field at fault', async (action, body, field) => {
  const { appliance, pair } = await paired()
  expect(await appliance.call('POST', `/api/v1/pair/${action}`, body)).toMatchObject({
    status: 400,
    json: { field },
  })
  expect(pair.asked).toEqual([])
})

test('an appliance that stands alone says so', async () => {
  const appliance = await startAppliance()
  onTestFinished(() => appliance.stop())
  expect(await appliance.call('GET', '/api/v1/pair')).toMatchObject({
    status: 404,
    json: { code: 'pair-none' },
  })
  expect(await appliance.call('POST', '/api/v1/pair/invite')).toMatchObject({ json: { code: 'pair-none' } })
})

test('a list keeps others from sending, another from configuring, and each refusal names its list', async () => {
  const message = { to: ['112'], text: 'x' }
  const elsewhere = ['192.0.2.0/24', 'fd00::/8']
  const here = ['127.0.0.0/8']
  const { appliance } = await paired({ allow: { send: elsewhere, configure: here } })
  expect(await appliance.call('POST', '/api/v1/messages', message)).toMatchObject({
    status: 403,
    json: {
      code: 'address-not-allowed',
      field: 'pair.allow.send',
      detail: expect.stringContaining('127.0.0.1'),
    },
  })
  expect(await appliance.call('DELETE', '/api/v1/messages/x')).toMatchObject({
    json: { field: 'pair.allow.send' },
  })
  expect(await appliance.call('POST', '/api/v1/pair/invite')).toMatchObject({ status: 200 })
  expect(await appliance.call('GET', '/api/v1/messages')).toMatchObject({ status: 200 })

  const other = await paired({ allow: { configure: elsewhere } })
  expect(await other.appliance.call('POST', '/api/v1/messages', message)).toMatchObject({ status: 202 })
  for (const [method, path] of [
    ['POST', '/tokens'],
    ['DELETE', '/tokens/x'],
    ['POST', '/lines/gsm0/restart'],
    ['POST', '/pair/takeover'],
  ] as const) {
    expect(await other.appliance.call(method, `/api/v1${path}`), path).toMatchObject({
      status: 403,
      json: { field: 'pair.allow.configure' },
    })
  }
  expect(await other.appliance.call('GET', '/api/v1/tokens')).toMatchObject({ status: 200 })
})

test('a header does not change where a client comes from, and the control socket may do everything', async () => {
  const { appliance, pair } = await paired({ allow: { send: ['192.0.2.1'], configure: ['192.0.2.1'] } })
  const forged = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' }
  expect(await appliance.call('POST', '/api/v1/messages', { to: ['112'], text: 'x' }, forged)).toMatchObject({
    status: 403,
  })
  expect(await locally(appliance, '/api/v1/pair/invite', '')).toMatchObject({ status: 200 })
  expect(await locally(appliance, '/api/v1/messages', '{"to":["112"],"text":"x"}')).toMatchObject({
    status: 202,
  })
  expect(pair.asked).toEqual(['invite local'])
})

test('a stranger is refused before any token is looked at', async () => {
  const { appliance } = await paired({ allow: { send: ['192.0.2.1'] } })
  const answer = await answerOf(await fetch(`${appliance.base}/api/v1/messages`, { method: 'POST' }))
  expect(answer).toMatchObject({ status: 403, json: { code: 'address-not-allowed' } })
})

test('with redirect a standby sends what changes something to the active, and nothing else', async () => {
  const { appliance, pair } = await paired({ redirect: true })
  const post = (path: string) =>
    fetch(`${appliance.base}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      body: '{"to":["112"],"text":"x"}',
    }).then(answerOf)
  pair.active = ['https://10.77.0.2:8443', 'http://10.77.0.2:8080']
  expect((await post('/api/v1/messages')).status).toBe(401)
  appliance.role = 'STANDBY'
  const sent = await post('/api/v1/messages?x=1')
  expect(sent).toMatchObject({ status: 307, json: { code: 'redirected' } })
  expect(sent.headers.get('location')).toBe('http://10.77.0.2:8080/api/v1/messages?x=1')
  expect((await post('/api/v1/tokens')).status).toBe(307)
  // What concerns this box is served by this box.
  expect((await post('/api/v1/pair/takeover')).status).toBe(401)
  expect((await post('/api/v1/lines/gsm0/restart')).status).toBe(401)
  expect(await appliance.call('GET', '/api/v1/messages')).toMatchObject({ status: 200 })
  expect(await locally(appliance, '/api/v1/messages', '{"to":["112"],"text":"x"}')).toMatchObject({
    status: 202,
  })
  pair.active = ['https://10.77.0.2:8443']
  expect((await post('/api/v1/messages')).headers.get('location')).toMatch(/^https:/)
  pair.active = []
  expect((await post('/api/v1/messages')).status).toBe(401)
})

test('without redirect a standby serves', async () => {
  const { appliance, pair } = await paired()
  pair.active = ['http://10.77.0.2:8080']
  appliance.role = 'STANDBY'
  expect(await appliance.call('POST', '/api/v1/messages', { to: ['112'], text: 'x' })).toMatchObject({
    status: 202,
  })
})

test('health in the words of load balancers: always 200, an unknown mode is named', async () => {
  const { appliance } = await paired()
  const ask = async (query: string) => answerOf(await fetch(`${appliance.base}/healthz${query}`))
  for (const role of ['ACTIVE', 'STANDBY'] as const) {
    appliance.role = role
    expect(await ask('')).toMatchObject({ status: 200, text: 'OK\n' })
    expect(await ask('?mod=NONE')).toMatchObject({ status: 200, text: 'OK\n' })
    expect(await ask('?mod=IPSWS')).toMatchObject({ status: 200, text: 'IPSWS=OK' })
    expect(await ask('?mod=FT')).toMatchObject({ status: 200, text: role })
    expect((await fetch(`${appliance.base}/role`)).status).toBe(role === 'ACTIVE' ? 200 : 503)
  }
  expect(await ask('?nocache=17')).toMatchObject({ status: 200 })
  expect(await ask('?mod=XY')).toMatchObject({
    status: 400,
    json: { code: 'not-allowed', field: 'mod', allowed: ['NONE', 'IPSWS', 'FT'] },
  })
})
