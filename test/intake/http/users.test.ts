/** The people of the panel: who may make, change and remove them, and who does it in a pair. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ForwardedAnswer, type ForwardedRequest, NotForwarded } from '#intake/http/forward.ts'
import { Browser } from './browser.ts'
import { pairStandIn } from './pair-stand-in.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

const password = 'correct horse'
let appliance: Appliance
let admin: Browser

beforeEach(async () => {
  appliance = await startAppliance()
  admin = await firstOf(appliance)
})
afterEach(() => appliance.stop())

async function firstOf({ base, http }: Appliance): Promise<Browser> {
  const browser = new Browser(base)
  await browser.call('POST', '/setup', { code: http.setupCode(), name: 'ann', password })
  return browser
}

async function loggedIn(name: string): Promise<Browser> {
  const browser = new Browser(appliance.base)
  expect((await browser.call('POST', '/session', { name, password })).status).toBe(200)
  return browser
}

const make = (name: string, role: string, more: object = {}) =>
  admin.call('POST', '/users', { name, role, password, ...more })

test('a user is made, listed, changed and removed', async () => {
  expect(await make('Bob', 'viewer', { language: 'de' })).toMatchObject({
    status: 201,
    json: { name: 'bob', role: 'viewer', language: 'de', createdBy: 'panel:ann', sessions: 0 },
  })
  const bob = await loggedIn('BOB')
  const { json } = await admin.call('GET', '/users')
  expect(json.items).toEqual([
    expect.objectContaining({ name: 'ann', role: 'admin', createdBy: 'setup', sessions: 1 }),
    expect.objectContaining({ name: 'bob', sessions: 1, lastSeen: expect.stringMatching(/Z$/) }),
  ])
  expect((await admin.call('PATCH', '/users/Bob', { role: 'operator' })).json).toMatchObject({
    role: 'operator',
    sessions: 1,
  })
  expect((await bob.call('POST', '/lines/gsm0/restart')).status).toBe(200)
  expect((await admin.call('DELETE', '/users/bob')).status).toBe(204)
  expect((await bob.call('GET', '/home')).status).toBe(401)
  expect(await admin.call('DELETE', '/users/bob')).toMatchObject({
    status: 404,
    json: { code: 'user-unknown' },
  })
})

test('one name is one user, however it is written', async () => {
  await make('jürgen', 'viewer')
  expect(await make('JÜRGEN', 'viewer')).toMatchObject({
    status: 409,
    json: { code: 'user-exists', field: 'name' },
  })
  expect(
    (await admin.call('PATCH', `/users/${encodeURIComponent('Ju\u0308rgen')}`, { language: 'de' })).status,
  ).toBe(200)
})

test.each([
  ['an unknown role', { role: 'root' }, 'role', 'not-allowed'],
  ['a short password', { password: '123456789' }, 'password', 'too-short'],
  ['no password', { password: '' }, 'password', 'too-short'],
  ['a name with a slash', { name: 'a/b' }, 'name', 'wrong-format'],
  ['a very long name', { name: 'a'.repeat(65) }, 'name', 'too-long'],
])('a user with %s is 400', async (_what, more, field, code) => {
  expect(
    await admin.call('POST', '/users', { name: 'bob', role: 'viewer', password, ...more }),
  ).toMatchObject({
    status: 400,
    json: { field, code },
  })
  expect(appliance.users.size).toBe(1)
})

test('a name that cannot be is told what names are like, and no regular expression', async () => {
  const { json } = await admin.call('POST', '/users', { name: '<ann>', role: 'viewer', password })
  expect(json).toMatchObject({
    detail:
      'name is not written as it must be. Letters, digits, and . _ @ - inside; capital and small letters are the same',
  })
})

test.each([
  ['viewer', [200, 403, 403, 403, 403]],
  ['operator', [200, 202, 200, 403, 403]],
  ['admin', [200, 202, 200, 200, 200]],
])('a %s may do what the role says', async (role, wanted) => {
  await make('bob', role)
  const bob = await loggedIn('bob')
  const answers = [
    await bob.call('GET', '/status'),
    await bob.call('POST', '/messages', { to: ['+491'], text: 'hi' }),
    await bob.call('POST', '/lines/gsm0/disable'),
    await bob.call('GET', '/users'),
    await bob.call('GET', '/tokens'),
  ]
  expect(answers.map(({ status }) => status)).toEqual(wanted)
  for (const { status, json } of answers) if (status === 403) expect(json.code).toBe('role-missing')
})

test('a role that is taken away is gone with the next click', async () => {
  await make('bob', 'admin')
  const bob = await loggedIn('bob')
  expect((await bob.call('GET', '/users')).status).toBe(200)
  await admin.call('PATCH', '/users/bob', { role: 'viewer' })
  expect(await bob.call('GET', '/users')).toMatchObject({
    status: 403,
    json: { code: 'role-missing', allowed: ['admin'] },
  })
})

test('a password that an administrator sets logs the user out everywhere', async () => {
  await make('bob', 'viewer')
  const bob = await loggedIn('bob')
  await admin.call('PATCH', '/users/bob', { password: 'another horse' })
  expect((await bob.call('GET', '/home')).status).toBe(401)
  expect((await bob.call('POST', '/session', { name: 'bob', password: 'another horse' })).status).toBe(200)
})

test('the last administrator stays one', async () => {
  const refused = { status: 409, json: { code: 'last-admin' } }
  expect(await admin.call('PATCH', '/users/ann', { role: 'operator' })).toMatchObject(refused)
  expect(await admin.call('DELETE', '/users/ann')).toMatchObject(refused)
  await make('bob', 'admin')
  const both = await Promise.all([
    appliance.call('PATCH', '/api/v1/users/ann', { role: 'viewer' }),
    appliance.call('PATCH', '/api/v1/users/bob', { role: 'viewer' }),
  ])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
})

test('through the control socket and with a token for it users are managed too', async () => {
  expect(
    await appliance.call('POST', '/api/v1/users', { name: 'bob', role: 'viewer', password }),
  ).toMatchObject({
    status: 201,
    json: { createdBy: 'http:test' },
  })
})

test('what people call an appliance is shown everywhere', async () => {
  expect(await admin.call('PUT', '/appliance', { name: '  Berlin ' })).toMatchObject({
    status: 200,
    json: { node: 'alpha', name: 'Berlin' },
  })
  expect((await admin.call('GET', '/home')).json).toMatchObject({ appliance: { name: 'Berlin' } })
  expect(await admin.call('PUT', '/appliance', { name: ' ' })).toMatchObject({
    status: 400,
    json: { field: 'name' },
  })
  expect(await admin.call('PUT', '/appliance', { name: 'x'.repeat(61) })).toMatchObject({ status: 400 })
})

/** A standby whose active member is another appliance of this process. */
const nothingToFetch = () => Promise.reject(new Error('there are no files in these tests'))

async function standbyOf(
  active: Appliance,
  redirect = false,
): Promise<{ standby: Appliance; sent: ForwardedRequest[] }> {
  const sent: ForwardedRequest[] = []
  const pair = pairStandIn({ redirect })
  pair.active = ['http://active.example']
  const standby = await startAppliance(
    {},
    {
      node: 'beta',
      pair,
      forward: {
        active: () => ({ node: 'alpha' }),
        async send(_node, request): Promise<ForwardedAnswer> {
          sent.push(request)
          return active.execute(request)
        },
        fetch: nothingToFetch,
      },
    },
  )
  standby.role = 'STANDBY'
  for (const [name, user] of active.users) standby.users.set(name, user)
  for (const [id, session] of active.sessions) standby.sessions.set(id, session)
  await standby.http.merged({ users: true, facts: true })
  return { standby, sent }
}

test('a change of users on a standby is made by the active member, in the name of who asked', async () => {
  const { standby, sent } = await standbyOf(appliance)
  const there = admin.at(standby.base)
  expect(await there.call('POST', '/users', { name: 'bob', role: 'viewer', password })).toMatchObject({
    status: 201,
    json: { createdBy: 'panel:ann' },
  })
  expect(sent).toMatchObject([{ method: 'POST', path: '/api/v1/users', author: 'panel:ann' }])
  expect(appliance.users.has('bob')).toBe(true)
  expect(standby.users.has('bob')).toBe(false)
  expect(await there.call('DELETE', '/users/ann')).toMatchObject({
    status: 409,
    json: { code: 'last-admin' },
  })
  await standby.stop()
})

test('the own password is changed from a standby too, and that browser stays logged in', async () => {
  const { standby, sent } = await standbyOf(appliance)
  const there = admin.at(standby.base)
  const change = { password: { old: password, new: 'another horse' } }
  expect((await there.call('PATCH', '/session', change)).status).toBe(200)
  expect(sent).toMatchObject([{ method: 'PATCH', path: '/api/v1/users/ann', author: 'panel:ann' }])
  expect(JSON.stringify(sent)).not.toContain(password)
  expect((await there.call('GET', '/home')).status).toBe(200)
  expect((await admin.call('GET', '/home')).status).toBe(401)
  expect((await admin.call('POST', '/session', { name: 'ann', password: 'another horse' })).status).toBe(200)
  await standby.stop()
})

test('without an active member nothing is changed, and people get in all the same', async () => {
  const pair = pairStandIn()
  const alone = await startAppliance(
    {},
    {
      pair,
      forward: {
        active: () => undefined,
        send: async () => {
          throw new NotForwarded('nobody')
        },
        fetch: nothingToFetch,
      },
    },
  )
  const browser = await firstOf(alone)
  expect((await browser.call('GET', '/home')).status).toBe(200)
  expect(await browser.call('POST', '/users', { name: 'bob', role: 'viewer', password })).toMatchObject({
    status: 503,
    json: { code: 'no-active' },
  })
  const change = { password: { old: password, new: 'another horse' } }
  expect(await browser.call('PATCH', '/session', change)).toMatchObject({
    status: 503,
    json: { code: 'no-active' },
  })
  expect((await browser.call('GET', '/home')).status).toBe(200)
  await alone.stop()
})

test('with pair.redirect programs are sent to the active member, browsers that are logged in are not', async () => {
  const { standby } = await standbyOf(appliance, true)
  const program = await fetch(`${standby.base}/api/v1/messages`, { method: 'POST', redirect: 'manual' })
  expect(program.status).toBe(307)
  const there = admin.at(standby.base)
  expect((await there.call('POST', '/messages', { to: ['+491'], text: 'hi' })).status).toBe(202)
  expect(standby.dispatch.requests).toHaveLength(1)
  const login = await new Browser(standby.base).call('POST', '/session', { name: 'ann', password })
  expect(login.status).toBe(200)
  await standby.stop()
})

test('who may not configure from an address can log in and look', async () => {
  const pair = pairStandIn({ allow: { configure: ['192.0.2.0/24'] } })
  const far = await startAppliance({}, { pair })
  for (const [name, user] of appliance.users) far.users.set(name, user)
  await far.http.merged({ users: true, facts: false })
  const browser = new Browser(far.base)
  expect((await browser.call('POST', '/session', { name: 'ann', password })).status).toBe(200)
  expect((await browser.call('GET', '/home')).status).toBe(200)
  expect(await browser.call('PUT', '/appliance', { name: 'x' })).toMatchObject({
    status: 403,
    json: { code: 'address-not-allowed' },
  })
  await far.stop()
})
