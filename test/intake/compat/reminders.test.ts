/** A notice that comes again: a retry sends nothing, a reminder hours later does, and its own retry does not. */
import fastify from 'fastify'
import { beforeEach, expect, test } from 'vitest'
import { alertDefaults } from '#config/compat.ts'
import { alertApi } from '#intake/compat/alerts.ts'
import type { Door } from '#intake/compat/contract.ts'
import type { Api } from '#intake/http/parts.ts'
import type { MessageView } from '#store/contract.ts'
import { acceptance, START } from '../../store/fixtures.ts'

const minute = 60_000
let now = START
let sent: string[] = []
let keys = new Map<string, MessageView>()
beforeEach(() => {
  now = START
  sent = []
  keys = new Map()
})

const door: Door = {
  admit: async () => ({ id: 't', name: 'am', hash: '', scopes: ['send'], createdAt: 0 }),
  async submit(_caller, { text, key }) {
    const known = keys.get(key?.key ?? '')
    if (known !== undefined) return { view: known, replayed: true }
    const view = acceptance({ at: now, text })
    keys.set(key?.key ?? '', view)
    sent.push(text)
    return { view, replayed: false }
  },
  message: async () => undefined,
  ready: () => true,
  now: () => now,
}

async function notice(status: string): Promise<void> {
  const api: Api = fastify()
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  alertApi('alertmanager', { to: ['ops'], ...alertDefaults, resolved: true }).routes(api, door)
  const alerts = [{ status, labels: { alertname: 'A' }, startsAt: '2026-11-21T10:00:00Z' }]
  const answer = await api.inject({
    method: 'POST',
    url: '/compat/alertmanager',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({ groupKey: 'g', alerts }),
  })
  expect(answer.statusCode).toBe(200)
}

test('retries, reminders and the end of an alert', async () => {
  await notice('firing')
  now += 5 * minute
  await notice('firing')
  expect(sent).toEqual(['FIRING 1: A'])
  now += 4 * 60 * minute
  await notice('firing')
  now += minute
  await notice('firing')
  expect(sent).toHaveLength(2)
  now += 4 * 60 * minute
  await notice('firing')
  expect(sent).toHaveLength(3)
  await notice('resolved')
  await notice('resolved')
  expect(sent).toHaveLength(4)
  expect(sent.at(-1)).toBe('RESOLVED 1: A')
})
