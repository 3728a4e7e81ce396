/** Contacts from a directory: what changes, on paper, and then with a real slapd (OpenLDAP) on a loopback port. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LdapConfig } from '#config/ldap.ts'
import { parseConfig } from '#config/load.ts'
import { createSettings, type Settings } from '#config/settings.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { createLdapImport, type LdapImport } from '#intake/ldap/import.ts'
import { planDirectory } from '#intake/ldap/plan.ts'
import { ModelLog } from '../../config/model-log.ts'
import { describeWith } from '../../requirements.ts'
import { admin, adminPassword, type Slapd, startSlapd } from './slapd.ts'

const attributes = {
  id: 'uid',
  name: 'cn',
  sms: 'mobile',
  fax: 'facsimileTelephoneNumber',
  mail: 'mail',
}

test('people come first, unusable values are left away, who is gone leaves its groups', () => {
  const plan = planDirectory(
    [
      {
        dn: 'uid=ann,dc=x',
        uid: 'ann',
        CN: ['Ann', 'Anna'],
        mobile: '+49 170 111',
        facsimileTelephoneNumber: '+49 30 111',
        mail: 'nonsense',
      },
      { uid: 'ops', cn: 'Somebody else', mobile: '+49170222' },
      { uid: 'all', cn: 'A group has this id', mobile: '+49170222' },
      { uid: 'no number', cn: 'x', mobile: '+49170222' },
      { uid: 'bob', cn: 'Bob', mobile: 'on request' },
      { uid: 'same', cn: 'Same', mail: 'same@example.org' },
      { uid: 'SAME', cn: 'Twin', mail: 'same@example.org' },
    ],
    attributes,
    {
      contacts: [
        { id: 'ops', name: 'Duty', sms: '+49170333' },
        { id: 'old', name: 'Old', sms: '+49170444', source: 'ldap' },
        { id: 'same', name: 'Same', mail: 'same@example.org', source: 'ldap' },
      ],
      groups: [{ id: 'all', members: ['ops', 'OLD'] }],
    },
  )
  expect(plan).toEqual({
    changes: [
      {
        path: 'contacts/ann',
        value: { id: 'ann', name: 'Ann', sms: '+49 170 111', fax: '+49 30 111', source: 'ldap' },
      },
      { path: 'contacts/old', value: null },
      { path: 'groups/all', value: { id: 'all', members: ['ops'] } },
    ],
    contacts: 2,
    made: 1,
    changed: 0,
    removed: 1,
    refused: [
      { entry: 'uid=ann,dc=x', field: 'mail', text: expect.stringContaining('is no mail address') },
      { entry: '', text: 'ops is a contact that somebody made; it stays as it is' },
      { entry: '', text: 'all is the id of a group' },
      { entry: '', text: expect.stringMatching(/^id "no number" is not allowed here/) },
      { entry: '', field: 'sms', text: expect.stringContaining('is no number') },
      { entry: '', text: 'has neither sms, fax nor mail that can be used' },
      { entry: '', text: 'another entry of the directory has the id SAME' },
    ],
  })
})

test.each([
  ['ldap: { url: "http://x", base: "dc=x" }', 'ldap.url', /ldaps:\/\/host:636/],
  ['ldap: { base: "dc=x" }', 'ldap.url', /is missing/],
  ['ldap: { url: "ldap://x", base: "dc=x", filter: "mobile=*" }', 'ldap.filter', /in brackets/],
  ['ldap: { url: "ldap://x", base: "dc=x", bind: "cn=a" }', 'ldap.bind', /password go together/],
  ['ldap: { url: "ldap://x", base: "dc=x", every: 1s }', 'ldap.every', /from 1m to 1w/],
])('%s is refused', (text, key, problem) => {
  expect(() => parseConfig(text, '/x.yaml')).toThrow(problem)
  expect(() => parseConfig(text, '/x.yaml')).toThrow(key)
})

describeWith(['slapd'], 'with a real slapd', () => {
  let slapd: Slapd
  let settings: Settings
  let ldap: LdapImport
  let source: LdapConfig
  const clock = systemClock(0)

  const ids = () => settings.current().contacts.map(({ id, sms }) => `${id} ${sms}`)

  beforeAll(async () => {
    slapd = await startSlapd()
    await slapd.add('ann', '+49170111')
    await slapd.add('bob', '+49170222')
    const text = `
contacts: [{ id: bob, sms: "+49170999" }]
ldap: { url: "${slapd.url}", bind: "${admin}", password: ${adminPassword}, base: "dc=example,dc=org", filter: "(objectClass=inetOrgPerson)" }
`
    const config = parseConfig(text, '/x.yaml')
    if (config.ldap === undefined) throw new Error('no ldap')
    settings = await createSettings({ config, store: new ModelLog('a'), clock, log: silent })
    source = config.ldap
    ldap = createLdapImport({ config: config.ldap, settings, clock, log: silent })
  }, 30_000)

  afterAll(async () => {
    await ldap.stop()
    await slapd.end()
  })

  test('made, changed, gone; and nothing while it is down', async () => {
    expect(ldap.state()).toEqual({ running: false })
    ldap.follow(true)
    expect(ldap.state().running).toBe(true)
    expect(await ldap.run()).toMatchObject({ reachable: true, contacts: 1, made: 1, changed: 0, removed: 0 })
    const { last, next, succeeded, running } = ldap.state()
    expect(running).toBe(false)
    expect(last?.refusals).toEqual([
      { entry: 'uid=bob,dc=example,dc=org', text: 'bob is a contact that somebody made; it stays as it is' },
    ])
    expect(succeeded).toBe(last?.at)
    expect((next ?? 0) - (last?.at ?? 0)).toBeGreaterThan(3_500_000)
    expect(ids()).toEqual(['ann +49170111', 'bob +49170999'])
    expect(settings.current().contacts[0]).toMatchObject({ name: 'Person ann', source: 'ldap' })
    await settings.set([{ path: 'groups/all', value: { members: ['ann', 'bob'] } }], 'x')

    await slapd.add('eve', '+49170333')
    expect(await ldap.run()).toMatchObject({ contacts: 2, made: 1, changed: 0, removed: 0 })
    expect(ids()).toEqual(['ann +49170111', 'bob +49170999', 'eve +49170333'])
    const head = settings.head()
    expect(await ldap.run()).toMatchObject({ contacts: 2, made: 0, changed: 0, removed: 0 })
    expect(settings.head()).toBe(head)

    await slapd.remove('ann')
    await slapd.stop()
    expect(await ldap.run()).toMatchObject({
      reachable: false,
      failure: expect.stringMatching(/ECONNREFUSED/),
    })
    expect(ldap.state().succeeded).toBeLessThan(ldap.state().last?.at ?? 0)
    expect(ids()).toHaveLength(3)
    await slapd.start()
    expect(await ldap.run()).toMatchObject({ reachable: true, contacts: 1, removed: 1 })
    expect(ids()).toEqual(['bob +49170999', 'eve +49170333'])
    expect(settings.current().groups).toEqual([{ id: 'all', members: ['bob'] }])
    ldap.follow(false)
    expect(ldap.state()).not.toHaveProperty('next')
  }, 30_000)

  test('a wrong password is told as such: the directory answered', async () => {
    const wrong = { ...source, login: { bind: admin, password: 'not it' } }
    const stranger = createLdapImport({ config: wrong, settings, clock, log: silent })
    const run = await stranger.run()
    expect(run).toMatchObject({ reachable: true, contacts: 0 })
    expect(run.failure).toBe('the directory refuses the login: check bind and password')
    const elsewhere = { ...source, base: 'dc=example,dc=com' }
    const lost = createLdapImport({ config: elsewhere, settings, clock, log: silent })
    expect((await lost.run()).failure).toBe('the directory has nothing at the base: check base')
    expect(ids()).toHaveLength(2)
  })
})
