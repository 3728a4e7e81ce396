/** How people get in: the first run, login and logout, what a session may, and what another site may not. */
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { Browser } from './browser.ts'
import { pairStandIn } from './pair-stand-in.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

const ann = { name: 'ann', password: 'correct horse' }
const written: string[] = []
const audit = {
  write: (who: string, what: string, text: string) => written.push(`${who} ${what}: ${text}`),
  settled: async () => {},
}
const unused = () => {
  throw new Error('not of these tests')
}
const failover = { write: unused, merged: unused, day: unused, days: unused, settled: unused }
const records = { audit, failover, check: unused, read: unused }

/** Hours can be added; it stays a clock that never goes back. */
const clock = { ...systemClock(0), ahead: 0, now: () => Date.now() + clock.ahead }

let appliance: Appliance
let browser: Browser

beforeEach(async () => {
  written.length = 0
  clock.ahead = 0
  appliance = await startAppliance({}, { records, clock })
  browser = new Browser(appliance.base)
})
afterEach(() => appliance.stop())

const setUp = (more: object = {}) =>
  browser.call('POST', '/setup', { code: appliance.http.setupCode() ?? '', ...ann, ...more })

const cookie = (): string => [...browser.cookies.values()][0] ?? ''

test('the first run makes an administrator with the code, logs in, and works once', async () => {
  const before = await browser.call('GET', '/session')
  expect(before.json).toMatchObject({ setup: true, user: null, pair: null })
  const code = appliance.http.setupCode() ?? ''
  expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
  const done = await setUp({ appliance: 'Berlin, cellar', language: 'de' })
  expect(done).toMatchObject({
    status: 200,
    json: {
      setup: false,
      user: { name: 'ann', role: 'admin', language: 'de' },
      appliance: {
        node: 'alpha',
        name: 'Berlin, cellar',
        address: '127.0.0.1',
        role: 'single',
        version: '9.9.9',
      },
    },
  })
  expect(appliance.http.setupCode()).toBeUndefined()
  expect((await browser.call('GET', '/tokens')).status).toBe(200)
  const again = await new Browser(appliance.base).call('POST', '/setup', { code, ...ann, name: 'eve' })
  expect(again).toMatchObject({ status: 409, json: { code: 'setup-done' } })
  expect(written.join()).toContain('panel:ann user-created')
})

test('the code fits however it is typed, and another one does not', async () => {
  const code = appliance.http.setupCode() ?? ''
  const wrong = code.startsWith('A') ? `B${code.slice(1)}` : `A${code.slice(1)}`
  expect(await setUp({ code: wrong })).toMatchObject({
    status: 403,
    json: { code: 'wrong-code', field: 'code' },
  })
  expect(await setUp({ code: '' })).toMatchObject({ status: 400 })
  expect((await setUp({ code: ` ${code.replace('-', ' ').toLowerCase()}` })).status).toBe(200)
})

test('two who enter the code at once do not both become administrators', async () => {
  const code = appliance.http.setupCode() ?? ''
  const other = new Browser(appliance.base)
  const both = await Promise.all([
    browser.call('POST', '/setup', { code, ...ann }),
    other.call('POST', '/setup', { code, ...ann, name: 'eve' }),
  ])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  expect(appliance.users.size).toBe(1)
})

test.each([
  ['a short password', { password: 'short' }, 'password'],
  ['no password', { password: undefined }, 'password'],
  ['a name with a space', { name: 'a b' }, 'name'],
  ['an empty name', { name: '' }, 'name'],
  ['an unknown language', { language: 'tlh' }, 'language'],
  ['a field that there is not', { role: 'viewer' }, 'role'],
])('a first run with %s says so, and makes nobody', async (_what, more, field) => {
  expect(await setUp(more)).toMatchObject({ status: 400, json: { field } })
  expect(appliance.users.size).toBe(0)
  expect(browser.cookies.size).toBe(0)
})

test('a login sets a cookie that no script reads and no other site sends', async () => {
  await setUp()
  const response = await fetch(`${appliance.base}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...ann, name: 'Ann' }),
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  const [set = ''] = response.headers.getSetCookie()
  expect(set).toMatch(new RegExp(`^twinline_session_${new URL(appliance.base).port}=[A-Za-z0-9_-]{43};`))
  expect(set).toMatch(/; Path=\//)
  expect(set).toMatch(/; HttpOnly/)
  expect(set).toMatch(/; SameSite=Strict/)
  // Over plain HTTP a browser would not send it.
  expect(set).not.toMatch(/Secure/)
})

test('over https the cookie is for https alone', async () => {
  const secure = await startAppliance({ https: { listen: { host: '127.0.0.1', port: 0 } } })
  const url = secure.addresses.find((address) => address.startsWith('https:')) ?? ''
  const body = JSON.stringify({ ...ann, code: secure.http.setupCode() })
  const headers = { 'content-type': 'application/json', origin: url }
  const set = await new Promise<string>((resolve, reject) => {
    // Its certificate is one that it made itself.
    const options = { method: 'POST', headers, rejectUnauthorized: false }
    const asked = secureRequest(`${url}/api/v1/setup`, options, (answer) => {
      resolve(answer.headers['set-cookie']?.join() ?? `${answer.statusCode}`)
      answer.resume()
    })
    asked.on('error', reject)
    asked.end(body)
  })
  expect(set).toMatch(/HttpOnly; Secure; SameSite=Strict$/)
  await secure.stop()
})

test('neither password nor what the cookie holds is kept, nor told to anybody', async () => {
  await setUp()
  await browser.call('POST', '/session', { ...ann, password: 'wrong wrong' })
  const kept = JSON.stringify([...appliance.users.values(), ...appliance.sessions.values()])
  expect(kept).toMatch(/\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  for (const secret of [ann.password, cookie(), 'wrong wrong']) {
    expect(kept).not.toContain(secret)
    expect(written.join()).not.toContain(secret)
  }
  expect((await browser.call('GET', '/users')).text).not.toContain('argon2')
})

test('a wrong name and a wrong password are told apart by nobody', async () => {
  await setUp()
  const wrong = await browser.call('POST', '/session', { ...ann, password: 'not this one' })
  const nobody = await browser.call('POST', '/session', { ...ann, name: 'not-ann' })
  expect(wrong).toMatchObject({ status: 401, json: { code: 'wrong-password' } })
  expect(nobody.text).toBe(wrong.text)
  expect(written.filter((line) => line.includes('login-failed'))).toEqual([
    'panel login-failed: ann was refused, from 127.0.0.1',
    'panel login-failed: an unknown name was refused, from 127.0.0.1',
  ])
})

test('tries from one address are bounded, and the control socket is not', async () => {
  const answers: number[] = []
  for (let n = 0; n < 21; n++) answers.push((await setUp({ code: 'AAAA-AAAA' })).status)
  expect(answers.slice(0, 20)).toEqual(Array(20).fill(403))
  expect(answers[20]).toBe(429)
  const refused = await browser.call('POST', '/session', ann)
  expect(refused).toMatchObject({ status: 429, json: { code: 'rate-limited' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await browser.call('GET', '/session')).status).toBe(200)
  expect(await overSocket('POST', '/api/v1/session', ann)).toBe(401)
})

test('logging out ends the session for whoever has the cookie', async () => {
  await setUp()
  const copy = browser.at(appliance.base)
  expect((await copy.call('GET', '/home')).status).toBe(200)
  expect((await browser.call('DELETE', '/session')).status).toBe(204)
  expect(browser.cookies.size).toBe(0)
  expect(await copy.call('GET', '/home')).toMatchObject({ status: 401, json: { code: 'session-over' } })
  expect((await copy.call('GET', '/session')).json).toMatchObject({ user: null })
  expect((await browser.call('DELETE', '/session')).status).toBe(204)
})

test('a session is over when nobody used it for twelve hours', async () => {
  await setUp()
  for (let hours = 0; hours < 20; hours += 5) {
    clock.ahead = hours * 3_600_000
    expect((await browser.call('GET', '/home')).status).toBe(200)
  }
  clock.ahead += 12 * 3_600_000
  expect(await browser.call('GET', '/home')).toMatchObject({ status: 401, json: { code: 'session-over' } })
})

test('a page that is open keeps its login', async () => {
  await setUp()
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const live = await fetch(`${appliance.base}/api/v1/events`, { headers: { cookie } })
  expect(live.status).toBe(200)
  for (let round = 1; round <= 2; round++) {
    clock.ahead = round * 11 * 3_600_000
    const seen = () => [...appliance.sessions.values()][0]?.usedAt ?? 0
    await expect.poll(seen, { timeout: 20_000 }).toBeGreaterThan(Date.now() + clock.ahead - 3_600_000)
  }
  await live.body?.cancel()
  clock.ahead += 11 * 3_600_000
  expect((await browser.call('GET', '/home')).status).toBe(200)
})

test('use is written at most every ten minutes', async () => {
  await setUp()
  const stored = () => [...appliance.sessions.values()][0]?.usedAt ?? 0
  const first = stored()
  clock.ahead = 9 * 60_000
  await browser.call('GET', '/home')
  expect(stored()).toBe(first)
  clock.ahead = 11 * 60_000
  await browser.call('GET', '/home')
  expect(stored()).toBeGreaterThan(first)
})

test('a user has at most twenty sessions; the one unused for longest goes', async () => {
  await setUp()
  const user = appliance.users.get('ann')
  for (let n = 0; n < 20; n++) {
    const id = `older${n}`
    if (user)
      appliance.sessions.set(id, { id, user: 'ann', createdAt: 1, usedAt: Date.now() - 1_000 * (n + 1) })
  }
  await appliance.http.merged({ users: true, facts: false })
  await new Browser(appliance.base).call('POST', '/session', ann)
  const left = [...appliance.sessions.keys()]
  expect(left).toHaveLength(20)
  expect(left).toContain('older0')
  expect(left).not.toContain('older19')
})

test.each([
  ['another origin', { origin: 'https://evil.example' }],
  ['another port', { origin: 'http://127.0.0.1:1' }],
  ['an origin that is none', { origin: 'null' }],
  ['no origin at all', {}],
  ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
  ['a page of a neighbouring name', { 'sec-fetch-site': 'same-site' }],
])('%s changes nothing with a browser that is logged in', async (_what, headers) => {
  await setUp()
  const refused = await browser.call('POST', '/lines/gsm0/restart', undefined, headers)
  expect(refused).toMatchObject({ status: 403, json: { code: 'cross-site' } })
  expect(await browser.call('DELETE', '/session', undefined, headers)).toMatchObject({ status: 403 })
  expect((await browser.call('GET', '/home', undefined, headers)).status).toBe(200)
  expect(appliance.dispatch.all[0]?.done).toEqual([])
})

test('the own page changes what its user may, as browsers say it', async () => {
  await setUp()
  for (const headers of [{ origin: appliance.base }, { 'sec-fetch-site': 'same-origin' }])
    expect((await browser.call('POST', '/lines/gsm0/restart', undefined, headers)).status).toBe(200)
})

test('another site cannot log a browser in, a program without a browser can', async () => {
  await setUp()
  const other = new Browser(appliance.base)
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
    expect(await other.call('POST', '/session', ann, headers)).toMatchObject({ status: 403 })
  expect((await other.call('POST', '/session', ann, {})).status).toBe(200)
})

test('an unknown cookie is no login, beside a token it does no harm, and several are looked at', async () => {
  await setUp()
  const good = new Map(browser.cookies)
  browser.cookies = new Map([['twinline_session_1', 'x'.repeat(43)], ...good])
  expect((await browser.call('GET', '/home')).status).toBe(200)
  browser.cookies = new Map([['twinline_session_1', 'nothing']])
  expect(await browser.call('GET', '/home')).toMatchObject({ status: 401, json: { code: 'session-over' } })
  const authorization = await appliance.bearer('read')
  expect((await browser.call('GET', '/home', undefined, { authorization })).status).toBe(200)
})

test('messages carry who sent them from the panel', async () => {
  await setUp()
  expect((await browser.call('POST', '/messages', { to: ['+491'], text: 'hi' })).status).toBe(202)
  expect(appliance.dispatch.requests.map(({ source }) => source)).toEqual(['panel:ann'])
})

test('who cancels a message or has it sent again is written down', async () => {
  await setUp()
  const sent = await browser.call('POST', '/messages', { to: ['+491'], text: 'hi' })
  const id = String(sent.json.id)
  expect((await browser.call('DELETE', `/messages/${id}`)).status).toBe(200)
  expect((await browser.call('POST', `/messages/${id}/retry`)).status).toBe(200)
  expect((await browser.call('DELETE', '/messages/nothing')).status).toBe(404)
  expect(written.filter((line) => line.includes('queue-changed'))).toEqual([
    `panel:ann queue-changed: message ${id} was cancelled`,
    `panel:ann queue-changed: message ${id} is sent again`,
  ])
})

test('a new password wants the old one and logs out everywhere else', async () => {
  await setUp()
  const elsewhere = new Browser(appliance.base)
  await elsewhere.call('POST', '/session', ann)
  const wrong = { password: { old: 'not the old one', new: 'another horse' } }
  expect(await browser.call('PATCH', '/session', wrong)).toMatchObject({
    status: 403,
    json: { code: 'wrong-password', field: 'password.old' },
  })
  const right = { password: { old: ann.password, new: 'another horse' }, language: 'de' }
  expect(await browser.call('PATCH', '/session', right)).toMatchObject({
    status: 200,
    json: { user: { name: 'ann', language: 'de' } },
  })
  expect((await browser.call('GET', '/home')).status).toBe(200)
  expect((await elsewhere.call('GET', '/home')).status).toBe(401)
  expect((await elsewhere.call('POST', '/session', ann)).status).toBe(401)
  expect((await elsewhere.call('POST', '/session', { ...ann, password: 'another horse' })).status).toBe(200)
})

test('a token has no password of its own to change', async () => {
  expect(await appliance.call('PATCH', '/api/v1/session', { language: 'de' })).toMatchObject({
    status: 403,
    json: { code: 'person-only' },
  })
})

test('what another member merged holds here at once: users, sessions, names', async () => {
  await setUp()
  const data = await mkdtemp(join(tmpdir(), 'http-'))
  const standby = await startAppliance({ data }, { pair: pairStandIn() })
  for (const [name, user] of appliance.users) standby.users.set(name, user)
  for (const [id, session] of appliance.sessions) standby.sessions.set(id, session)
  await standby.store.remember('appliance-name:beta', 'Hamburg')
  expect(standby.http.setupCode()).toBeDefined()
  await standby.http.merged({ users: true, facts: true })
  expect(standby.http.setupCode()).toBeUndefined()
  const there = browser.at(standby.base)
  expect((await there.call('GET', '/session')).json).toMatchObject({
    setup: false,
    user: { name: 'ann' },
    pair: {
      members: [
        { node: 'alpha', name: 'alpha' },
        { node: 'beta', name: 'Hamburg' },
      ],
    },
  })
  await standby.stop()
  await rm(data, { recursive: true, force: true })
})

function overSocket(method: string, path: string, body: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socketPath = join(appliance.data, 'control.sock')
    const asked = request(
      { socketPath, method, path, headers: { 'content-type': 'application/json' } },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode))
      },
    )
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}
