/** Contacts and groups in the file, in revisions, and where two members changed them apart. */
import { expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { createSettings } from '#config/settings.ts'
import { ConfigInvalid } from '#config/source.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { ModelLog } from './model-log.ts'

const file = `
node: box-a
lines: [{ id: gsm0, kind: gsm, port: "sim://gsm" }]
contacts:
  - { id: ops, name: Duty, sms: +49170111, mail: duty@example.org }
  - { id: eve, sms: "0170 222" }
groups:
  - { id: all, name: Everybody, members: [ops, night] }
  - { id: night, members: [EVE] }
`

async function start(text = file, store = new ModelLog('box-a')) {
  const config = parseConfig(text, '/etc/twinline/twinline.yaml')
  const settings = await createSettings({ config, store, clock: systemClock(0), log: silent })
  return { settings, store }
}

test('the file names them; a number keeps its plus', async () => {
  const { settings } = await start()
  const { contacts, groups } = settings.current()
  expect(contacts.find(({ id }) => id === 'ops')).toEqual({
    id: 'ops',
    name: 'Duty',
    sms: '+49170111',
    mail: 'duty@example.org',
  })
  expect(contacts.find(({ id }) => id === 'eve')).toEqual({ id: 'eve', name: 'eve', sms: '0170 222' })
  expect(groups.map(({ id }) => id)).toEqual(['all', 'night'])
  expect(settings.values().find(({ path }) => path === 'contacts')?.source).toBe('file')
})

test.each([
  [
    'contacts: [{ id: ops, sms: "12x4" }]',
    'contacts[0].sms',
    /"12x4" is no number\. .*\+ and 3 to 15 digits/,
  ],
  ['contacts: [{ id: ops, fax: "x4" }]', 'contacts[0].fax', /"x4" is no number/],
  ['contacts: [{ id: 9ps, sms: "123" }]', 'contacts[0].id', /a letter and then up to 62/],
  ['contacts: [{ id: ops }]', 'contacts[0]', /neither sms, fax nor mail/],
  ['contacts: [{ sms: "123" }]', 'contacts[0].id', /is missing/],
  [
    'contacts: [{ id: ops, sms: "123", tel: 1 }]',
    'contacts[0].tel',
    /unknown key; allowed: id, name, sms, fax, mail/,
  ],
  ['contacts: [{ id: ops, mail: "a b@c" }]', 'contacts[0].mail', /is no mail address/],
  ['contacts: [{ id: a, sms: "123" }, { id: A, sms: "123" }]', 'contacts[1].id', /already the id of entry 1/],
  ['contacts: { ops: "123" }', 'contacts', /must be a list/],
  ['groups: [{ id: all, members: [ops] }]', 'groups[0].members[0]', /"all" names "ops", which is no contact/],
  ['groups: [{ id: all }]', 'groups[0].members', /is missing/],
  [
    'groups: [{ id: a, members: [b] }, { id: b, members: [a] }]',
    'groups[0].members',
    /holds itself: a > b > a/,
  ],
  ['contacts: [{ id: a, sms: "123" }]\ngroups: [{ id: a, members: [] }]', 'groups[0].id', /id of a contact/],
])('%s is refused', (text, key, problem) => {
  expect.assertions(2)
  try {
    parseConfig(text, '/etc/twinline/twinline.yaml')
  } catch (error) {
    const found = error instanceof ConfigInvalid ? error.problems.find((one) => one.key === key) : undefined
    expect(found?.text).toMatch(problem)
    expect(found?.line).toBeGreaterThan(0)
  }
})

test('a revision changes one entry; the file keeps the others, and a removed one stays removed', async () => {
  const { settings, store } = await start()
  const eve = { id: 'eve', name: 'Eve', sms: '+49170333' }
  const changed = await settings.set([{ path: 'contacts/eve', value: eve }], 'http:ada')
  expect(changed).toMatchObject({
    result: 'changed',
    revision: { changes: [{ path: 'contacts/eve', before: { sms: '0170 222' }, after: eve }] },
  })
  const list = settings.current().contacts.filter(({ id }) => id === 'ops')
  const whole = await settings.set(
    [
      { path: 'contacts', value: list },
      { path: 'groups', value: [{ id: 'all', members: ['ops'] }] },
    ],
    'http:ada',
  )
  expect(whole).toMatchObject({ result: 'changed' })
  const again = (await start(file, store)).settings
  expect(again.current().contacts.map(({ id }) => id)).toEqual(['ops'])
  expect(again.current().groups).toEqual([{ id: 'all', members: ['ops'] }])

  // Back to the file.
  await again.set(
    [
      { path: 'contacts', value: undefined },
      { path: 'groups', value: undefined },
    ],
    'x',
  )
  expect(again.current().contacts).toHaveLength(2)
  expect(again.current().groups).toHaveLength(2)
})

test('what would leave a group with nobody behind a name is refused, and nothing of it is kept', async () => {
  const { settings } = await start()
  const result = await settings.set(
    [
      { path: 'contacts/new', value: { sms: '+49170444' } },
      { path: 'contacts/eve', value: null },
    ],
    'x',
  )
  expect(result).toEqual({
    result: 'invalid',
    problems: [
      { path: 'groups/night.members[0]', text: '"night" names "EVE", which is no contact or group' },
    ],
  })
  expect(settings.history()).toHaveLength(0)
  expect(await settings.set([{ path: 'contacts/Bad', value: {} }], 'x')).toMatchObject({
    result: 'unknownPath',
  })
  expect(
    await settings.set([{ path: 'contacts/bad', value: { id: 'good', sms: '1234' } }], 'x'),
  ).toMatchObject({
    problems: [{ path: 'contacts/bad.id' }],
  })
})

test('two people change two contacts apart without a conflict, and one contact with one', async () => {
  const [one, other] = [await start(file), await start(file, new ModelLog('box-b'))]
  const wanted = (sms: string) => ({ id: 'eve', name: 'Eve', sms })
  await one.settings.set([{ path: 'contacts/ops', value: { id: 'ops', name: 'Ops', sms: '+49171' } }], 'a')
  await other.settings.set([{ path: 'contacts/eve', value: wanted('+49172') }], 'b')
  one.store.merge(other.store)
  await one.settings.refresh()
  expect(one.settings.conflicts()).toEqual([])
  expect(one.settings.current().contacts.map(({ sms }) => sms)).toEqual(['+49172', '+49171'])

  await other.settings.set([{ path: 'groups', value: [] }], 'b')
  await one.settings.set([{ path: 'groups/more', value: { members: ['night'] } }], 'a')
  one.store.merge(other.store)
  await one.settings.refresh()
  // What each was right to do is wrong together: shown, and no further change is barred by it.
  expect(one.settings.problems()).toMatchObject([{ path: 'groups/more.members[0]' }])
  expect(await one.settings.set([{ path: 'contacts/eve', value: wanted('+49173') }], 'a')).toMatchObject({
    result: 'changed',
  })
})

test('10,000 contacts in one change, published and read again', async () => {
  const { settings, store } = await start()
  const many = Array.from({ length: 10_000 }, (_, n) => ({
    id: `c${n}`,
    name: `Name ${n}`,
    sms: `+4917${10_000 + n}`,
  }))
  expect(await settings.set([{ path: 'groups', value: [] }], 'x')).toMatchObject({ result: 'changed' })
  expect(await settings.set([{ path: 'contacts', value: many }], 'x')).toMatchObject({ result: 'changed' })
  expect((await start(file, store)).settings.current().contacts).toHaveLength(10_000)
  const refused = await settings.set([{ path: 'contacts/more', value: { sms: '+49170' } }], 'x')
  expect(refused).toMatchObject({
    result: 'invalid',
    problems: [{ path: 'contacts', text: expect.stringMatching(/at most 10000/) }],
  })
})
