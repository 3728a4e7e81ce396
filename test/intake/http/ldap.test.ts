/** The import from a directory over HTTP: whoever is asked, the active member answers, for only it asks the directory. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { createSettings } from '#config/settings.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { LdapService } from '#intake/http/ldap-routes.ts'
import type { LdapState } from '#intake/ldap/import.ts'
import { ModelLog } from '../../config/model-log.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

const ran = {
  at: 1_000,
  took: 12.5,
  reachable: true,
  contacts: 3,
  made: 1,
  changed: 2,
  removed: 0,
  refused: 1,
  refusals: [{ entry: 'uid=x', field: 'sms', text: 'is no number' }],
}
let state: LdapState = { running: false }
let runs = 0
const ldap: LdapService = {
  source: { url: 'ldap://directory:389', base: 'dc=x', filter: '(mobile=*)', every: 3_600_000 },
  state: () => state,
  run: async () => {
    runs += 1
    state = { running: false, last: ran, succeeded: 1_000, next: 3_601_000 }
    return ran
  },
}
let active: Appliance
let standby: Appliance
let known: { node: string } | undefined = { node: 'box-a' }

const settingsOf = (node: string) =>
  createSettings({
    config: parseConfig(`node: ${node}`, '/x.yaml'),
    store: new ModelLog(node),
    clock: systemClock(0),
    log: silent,
  })
const fetch = () => Promise.reject(new Error('there are no files in these tests'))

beforeAll(async () => {
  active = await startAppliance(
    {},
    {
      settings: await settingsOf('box-a'),
      ldap,
      forward: { active: () => 'self', send: () => Promise.reject(new Error('a second hop')), fetch },
    },
  )
  standby = await startAppliance(
    {},
    {
      settings: await settingsOf('box-b'),
      forward: {
        active: () => known,
        send: (_node, request) => active.execute(JSON.parse(JSON.stringify(request))),
        fetch,
      },
    },
  )
})
afterAll(() => Promise.all([active.stop(), standby.stop()]))

test('a standby shows what the active member knows, and has it ask the directory', async () => {
  const first = await standby.call('GET', '/api/v1/ldap')
  expect(first).toMatchObject({
    status: 200,
    json: { configured: true, running: false, url: 'ldap://directory:389', every: '1h' },
  })
  expect(first.json).not.toHaveProperty('last')
  expect((await standby.call('POST', '/api/v1/ldap/import')).status).toBe(202)
  expect(runs).toBe(1)
  expect((await standby.call('GET', '/api/v1/ldap')).json).toMatchObject({
    last: { ...ran, at: '1970-01-01T00:00:01.000Z', took: 13 },
    succeeded: '1970-01-01T00:00:01.000Z',
    next: '1970-01-01T01:00:01.000Z',
  })
  known = undefined
  expect(await standby.call('GET', '/api/v1/ldap')).toMatchObject({
    status: 503,
    json: { code: 'no-active' },
  })
  known = { node: 'box-a' }
})

test('without a directory there is nothing to ask', async () => {
  const alone = await startAppliance({}, { settings: await settingsOf('box-c') })
  expect((await alone.call('GET', '/api/v1/ldap')).json).toMatchObject({ configured: false, running: false })
  expect(await alone.call('POST', '/api/v1/ldap/import')).toMatchObject({
    status: 409,
    json: { code: 'ldap-none' },
  })
  await alone.stop()
})
