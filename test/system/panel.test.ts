/** The panel of a real appliance: its first run from the log, and what outlives the process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Browser } from '../intake/http/browser.ts'
import { type RunningAppliance, startAppliance } from './appliance.ts'

let directory: string
let appliance: RunningAppliance

const start = () => startAppliance({ directory, ports: ['sim://gsm'], environment: { TZ: 'Europe/Berlin' } })

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'panel-'))
  appliance = await start()
})
afterEach(async () => {
  await appliance.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

const codeIn = (log: string): string => /setup code ([A-Z2-9]{4}-[A-Z2-9]{4})/.exec(log)?.[1] ?? ''

test('first run, then logins that outlive a crash and an orderly restart', { timeout: 90_000 }, async () => {
  const browser = new Browser(appliance.address)
  const ann = { name: 'ann', password: 'correct horse' }
  const setup = { ...ann, code: codeIn(appliance.log()), appliance: 'Berlin, cellar' }
  expect(await browser.call('POST', '/setup', setup)).toMatchObject({
    status: 200,
    json: {
      user: { name: 'ann', role: 'admin' },
      appliance: { name: 'Berlin, cellar', zone: 'Europe/Berlin' },
    },
  })
  await browser.call('POST', '/users', { name: 'bob', role: 'viewer', password: 'battery staple' })
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await appliance.kill(signal)
    appliance = await start()
    expect(codeIn(appliance.log())).toBe('')
    const again = browser.at(appliance.address)
    expect((await again.call('GET', '/home')).json).toMatchObject({ appliance: { name: 'Berlin, cellar' } })
    expect((await again.call('GET', '/users')).json.items).toHaveLength(2)
    const bob = new Browser(appliance.address)
    expect((await bob.call('POST', '/session', { name: 'bob', password: 'battery staple' })).status).toBe(200)
    expect((await bob.call('GET', '/users')).status).toBe(403)
  }
  const { body } = await appliance.call('GET', '/api/v1/audit')
  const told = Array.isArray(body['items']) ? body['items'].map(({ who, what }) => `${who} ${what}`) : []
  expect(told).toEqual(expect.arrayContaining(['panel:ann user-created', 'panel:bob login']))
  expect(appliance.log()).not.toContain('battery staple')
})

test('the code is another one at each start, and the one of the log works', { timeout: 60_000 }, async () => {
  const first = codeIn(appliance.log())
  await appliance.kill('SIGTERM')
  appliance = await start()
  const second = codeIn(appliance.log())
  expect(second).not.toBe(first)
  const browser = new Browser(appliance.address)
  const ann = { name: 'ann', password: 'correct horse' }
  expect((await browser.call('POST', '/setup', { ...ann, code: first })).status).toBe(403)
  expect((await browser.call('POST', '/setup', { ...ann, code: second })).status).toBe(200)
})

test('a lost password is set anew through the control socket', async () => {
  const browser = new Browser(appliance.address)
  const code = codeIn(appliance.log())
  await browser.call('POST', '/setup', { name: 'ann', password: 'correct horse', code })
  const set = await appliance.call('PATCH', '/api/v1/users/ann', { password: 'found again' })
  expect(set).toMatchObject({ status: 200, body: { name: 'ann', sessions: 0 } })
  expect((await browser.call('POST', '/session', { name: 'ann', password: 'found again' })).status).toBe(200)
})
