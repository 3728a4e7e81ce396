/** Contacts, groups and the storm guard over HTTP, with tables as spreadsheets write them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { planImport } from '#config/contact-import.ts'
import { parseConfig } from '#config/load.ts'
import { createSettings, type Settings } from '#config/settings.ts'
import { systemClock } from '#core/clock.ts'
import { parseCsv } from '#core/csv.ts'
import { silent } from '#core/log.ts'
import { ModelLog } from '../../config/model-log.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

let settings: Settings
let appliance: Appliance

beforeAll(async () => {
  settings = await createSettings({
    config: parseConfig('node: box-a', '/x.yaml'),
    store: new ModelLog('box-a'),
    clock: systemClock(0),
    log: silent,
  })
  const pending = [{ to: '+491', count: 7, due: 0 }]
  appliance = await startAppliance({}, { settings, storm: () => ({ on: true, pending, lines: [] }) })
})
afterAll(() => appliance.stop())

const put = (path: string, body: unknown) => appliance.call('PUT', `/api/v1${path}`, body)
const load = (csv: string | Uint8Array, query = '') =>
  appliance.call('POST', `/api/v1/contacts/import${query}`, csv, { 'content-type': 'text/csv' })

test('one by one: made, replaced, refused with the field, removed with its memberships', async () => {
  expect((await put('/contacts/ops', { name: 'Duty', sms: '+49170111' })).status).toBe(200)
  expect((await put('/contacts/Eve', { sms: '0170 222', mail: 'eve@example.org' })).status).toBe(200)
  expect((await put('/groups/all', { members: ['ops', 'eve'] })).status).toBe(200)
  expect((await appliance.call('GET', '/api/v1/contacts')).json.items).toEqual([
    { id: 'Eve', name: 'Eve', sms: '0170 222', mail: 'eve@example.org' },
    { id: 'ops', name: 'Duty', sms: '+49170111' },
  ])
  expect(await put('/contacts/bad', { sms: 'abc' })).toMatchObject({
    status: 400,
    json: {
      code: 'setting-invalid',
      field: 'contacts/bad.sms',
      detail: expect.stringContaining('is no number'),
    },
  })
  expect(await put('/groups/more', { members: ['nobody'] })).toMatchObject({
    status: 400,
    json: { field: 'groups/more.members[0]' },
  })
  expect(await put('/contacts/9x', { sms: '123' })).toMatchObject({ status: 400, json: { field: 'id' } })
  expect((await appliance.call('DELETE', '/api/v1/contacts/eve')).status).toBe(200)
  expect(settings.current().groups).toEqual([{ id: 'all', members: ['ops'] }])
  expect(await appliance.call('DELETE', '/api/v1/contacts/eve')).toMatchObject({
    status: 404,
    json: { code: 'contact-unknown' },
  })
  expect(await appliance.call('DELETE', '/api/v1/groups/eve')).toMatchObject({
    json: { code: 'group-unknown' },
  })
})

test('what was removed meanwhile is not made anew, and what was made is not replaced, where that is asked', async () => {
  expect((await put('/contacts/gone?only=new', { sms: '+49170555' })).status).toBe(200)
  expect((await put('/groups/crew?only=new', { members: ['gone'] })).status).toBe(200)
  expect(await put('/contacts/GONE?only=new', { sms: '+49170556' })).toMatchObject({
    status: 409,
    json: { code: 'entry-exists', field: 'id' },
  })
  expect((await put('/contacts/gone?only=existing', { sms: '+49170557' })).status).toBe(200)
  for (const path of ['/contacts/gone', '/groups/crew']) await appliance.call('DELETE', `/api/v1${path}`)
  const before = settings.current()
  expect(await put('/contacts/gone?only=existing', { sms: '+49170558' })).toMatchObject({
    status: 404,
    json: { code: 'contact-unknown', detail: expect.stringContaining('not any more') },
  })
  expect(await put('/groups/crew?only=existing', { members: [] })).toMatchObject({
    status: 404,
    json: { code: 'group-unknown' },
  })
  expect(settings.current()).toEqual(before)
})

test('a table is looked at first, and taken whole or not at all', async () => {
  const table =
    '\uFEFFid;name;sms;mail;groups\r\nann;"Ann ""A""; Smith";+49170 333;;"night all"\r\nops;Duty;+49170111;;all\r\n'
  const history = settings.history().length
  expect((await load(table, '?preview=true')).json).toEqual({
    applied: false,
    problems: [],
    added: ['ann'],
    changed: [],
    unchanged: 1,
    newGroups: ['night'],
  })
  expect(settings.history()).toHaveLength(history)
  expect((await load(table)).json).toMatchObject({ applied: true, revision: expect.any(String) })
  expect(settings.history()).toHaveLength(history + 1)
  expect(settings.current().contacts.find(({ id }) => id === 'ann')?.name).toBe('Ann "A"; Smith')
  expect(settings.current().groups).toEqual([
    { id: 'all', members: ['ops', 'ann'] },
    { id: 'night', members: ['ann'] },
  ])
  expect((await load(table)).json).toMatchObject({ applied: true, unchanged: 2 })

  const wrong = 'id,sms,groups\nnew,+49170444,\nann,12x,\n9z,123,\nnew,+49170,\nshort\nmailless,,'
  const preview = await load(wrong, '?preview=true')
  expect(preview.json).toMatchObject({
    problems: [
      { line: 3, text: expect.stringMatching(/^sms: "12x" is no number/) },
      { line: 4, text: expect.stringMatching(/^id: "9z" is not allowed/) },
      { line: 5, text: 'id: "new" stands in line 2 already' },
      { line: 6, text: 'has 1 fields, and the first line names 3' },
      { line: 7, text: expect.stringMatching(/neither sms, fax nor mail/) },
    ],
  })
  expect(await load(wrong)).toMatchObject({
    status: 400,
    json: { code: 'import-invalid', field: 'line 3', detail: expect.stringMatching(/nothing was changed$/) },
  })
  expect(settings.history()).toHaveLength(history + 1)
})

test.each([
  ['', 1, /the file is empty/],
  ['id,tel\na,1', 1, /"tel" is no column/],
  ['name,sms\na,1', 1, /must name the column id/],
  ['id,sms\nall,+49170', 2, /is the id of a contact, too/],
  ['id,sms\n"a,+49170', 2, /never closed/],
  ['id,sms\n"a"x,+49170', 2, /after a closing quote/],
])('%j: line %i', (table, line, text) => {
  expect(planImport(table, settings.current()).problems).toEqual([
    { line, text: expect.stringMatching(text) },
  ])
})

test('a table in another encoding, and one without a scope', async () => {
  expect(await load(Buffer.from('id,name\nann,J\xfcrgen', 'latin1'))).toMatchObject({
    status: 400,
    json: { code: 'not-utf8' },
  })
  const authorization = await appliance.bearer('read')
  const answer = await appliance.call('POST', '/api/v1/contacts/import', 'id', {
    authorization,
    'content-type': 'text/csv',
  })
  expect(answer.status).toBe(403)
})

test('values separated by commas as RFC 4180 has them', () => {
  expect(parseCsv('a,b\r\n"x\r\ny","1 ""q"""\n\n,\n"",z', 10)).toEqual({
    records: [
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['x\r\ny', '1 "q"'] },
      { line: 5, fields: ['', ''] },
      { line: 6, fields: ['', 'z'] },
    ],
  })
  expect(parseCsv('a\nb\nc', 2)).toEqual({ line: 3, problem: 'there are more than 2 lines' })
})

test('what the storm guard holds back', async () => {
  expect((await appliance.call('GET', '/api/v1/storm')).json).toEqual({
    on: true,
    pending: [{ to: '+491', count: 7, due: '1970-01-01T00:00:00.000Z' }],
    lines: [],
  })
  expect((await appliance.call('GET', '/api/v1/storm/folded')).json.items).toEqual([])
})
