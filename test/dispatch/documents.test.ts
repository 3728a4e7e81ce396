/** Acceptance of messages with a document: what they become, when they count as replicated, and what is refused. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { SubmitRequest } from '#dispatch/contract.ts'
import { createDispatch, type DispatchDependencies } from '#dispatch/dispatch.ts'
import { createMemberLines } from '#dispatch/member-lines.ts'
import { noReplicas, soleOwner } from '#dispatch/ownership.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'

let directory: string
let store: Store & OperationLog
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dispatch-documents-'))
  store = await openStore({ directory, node: 'box-a' })
})
afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

const gsm = "{ id: gsm0, kind: gsm, port: 'tcp://127.0.0.1:1' }"
const fax = "{ id: fax0, kind: fax, port: 'tcp://127.0.0.1:2' }"
const pair = 'pair: { listen: 127.0.0.1:0, advertise: ["127.0.0.1:1"], vip: { driver: none }'

function dispatchOf(lines: string[], more = '', parts: Partial<DispatchDependencies> = {}) {
  const text = `node: box-a\nlines: [${lines.join(', ')}]\ncontacts: [{ id: duty, name: Duty, sms: '+491701' }, { id: office, sms: '+491702', fax: '+49302' }]\n${more}`
  return createDispatch({
    config: parseConfig(text, join(directory, 'twinline.yaml')),
    store,
    clock: systemClock(0),
    log: silent,
    ownership: soleOwner('box-a'),
    replicas: noReplicas,
    lines: [],
    ...parts,
  })
}

const document: DocumentReference = { hash: 'ab'.repeat(32), type: 'pdf', name: 'a.pdf', bytes: 10, pages: 7 }
const request = (rest: Partial<SubmitRequest> = {}): SubmitRequest => ({
  to: ['+4930123456'],
  text: '',
  document,
  source: 'test',
  ...rest,
})
const everybody = { acknowledged: async () => true, available: () => true, current: () => true }

test('its parts are pages, its channel is fax, and it needs no text', async () => {
  const result = await dispatchOf([gsm, fax]).submit(request())
  if (result.result !== 'accepted') throw new Error(JSON.stringify(result))
  const view = await store.message(result.view.message.id)
  expect(view?.message).toMatchObject({ document, text: '' })
  expect(view?.message.coding).toBeUndefined()
  expect(view?.deliveries).toMatchObject([{ channel: 'fax', parts: 7, state: 'queued' }])
  // A line that does not dial all night must not make it expire.
  expect(view?.message.validity).toBeGreaterThan(12 * 3_600_000)
})

test.each<[string, string[], Partial<SubmitRequest>, string, string]>([
  ['nobody has a fax line', [gsm], {}, 'channel', 'no-line'],
  ['it is to go out as SMS', [gsm, fax], { channel: 'sms' }, 'channel', 'document-for-fax-only'],
  ['somebody is to answer it', [fax], { acknowledge: true }, 'acknowledge', 'not-for-fax'],
  [
    'it is for a contact who has a phone alone',
    [fax],
    { to: ['+4930', 'duty'] },
    'to[1]',
    'invalid-recipient',
  ],
])('refused when %s', async (_, lines, rest, field, code) => {
  expect(await dispatchOf(lines).submit(request(rest))).toMatchObject({ result: 'invalid', field, code })
})

test("a contact's fax number is where it goes", async () => {
  const result = await dispatchOf([gsm, fax]).submit(request({ to: ['office'] }))
  if (result.result !== 'accepted') throw new Error(JSON.stringify(result))
  const view = await store.message(result.view.message.id)
  expect(view?.deliveries).toMatchObject([{ channel: 'fax', to: '+49302' }])
})

test('a fax without a document is refused, and an SMS where only faxes go out', async () => {
  const { document: _, ...text } = request({ text: 'x', channel: 'fax' })
  expect(await dispatchOf([fax]).submit(text)).toMatchObject({ field: 'document', code: 'no-document' })
  expect(await dispatchOf([fax]).submit({ ...text, channel: 'sms' })).toMatchObject({ code: 'no-line' })
})

test('it is replicated when its document is, too', async () => {
  let there = false
  const documents = { elsewhere: () => there }
  const replicas = everybody
  const dispatch = dispatchOf([fax], `${pair} }`, { documents, replicas })
  const result = await dispatch.submit(request())
  expect(result).toMatchObject({ result: 'accepted', replicated: false })
  if (result.result !== 'accepted') return
  expect(dispatch.replicated(result.view.message)).toBe(false)
  there = true
  expect(dispatch.replicated(result.view.message)).toBe(true)
  expect(await dispatch.submit(request())).toMatchObject({ result: 'accepted', replicated: true })
})

test('where one disk is not enough, a document on one disk is refused, and nothing is stored', async () => {
  let there = false
  const parts = { documents: { elsewhere: () => there }, replicas: everybody }
  const dispatch = dispatchOf([fax], `${pair}, accept: { oneDisk: refuse } }`, parts)
  expect(await dispatch.submit(request())).toEqual({ result: 'oneDisk' })
  expect((await store.messages({ limit: 10 })).items).toEqual([])
  there = true
  expect(await dispatch.submit(request())).toMatchObject({ result: 'accepted', replicated: true })
})

test('a member without a fax line takes it for one that has said that it has one', async () => {
  const others = ['box-b']
  const config = parseConfig(`node: box-a\nlines: [${gsm}]`, join(directory, 'twinline.yaml'))
  const memberLines = await createMemberLines({
    node: 'box-a',
    lines: config.lines,
    store,
    others: () => others,
  })
  const dispatch = dispatchOf([gsm], `${pair} }`, { memberLines })
  expect(await store.recall('lines:box-a')).toBe('sms')
  expect(dispatch.withoutLine('fax')).toMatchObject({ detail: 'no fax line is configured on any member' })
  await store.remember('lines:box-b', 'fax sms')
  await memberLines.refresh()
  expect(dispatch.withoutLine('fax')).toBeUndefined()
  expect(await dispatch.submit(request())).toMatchObject({ result: 'accepted' })
  // It has left the pair.
  others.length = 0
  expect(await dispatch.submit(request())).toMatchObject({ result: 'invalid', code: 'no-line' })
})
