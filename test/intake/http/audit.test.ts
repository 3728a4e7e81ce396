/** The audit log and the failover log over HTTP, and what the token routes write into the former. */
import { afterEach, expect, it } from 'vitest'
import type { Records } from '#intake/http/audit-routes.ts'
import type { AuditReport } from '#notify/audit-check.ts'
import { dayOf } from '#notify/failover-log.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

let appliance: Appliance | undefined
afterEach(async () => {
  await appliance?.stop()
})

const report: AuditReport = {
  whole: false,
  chains: [
    {
      node: 'alpha',
      records: 3,
      fault: { number: 2, fault: 'altered' },
      copies: [{ member: 'beta', records: 3, agrees: false }],
    },
  ],
  silent: ['gamma'],
}

async function start() {
  const written: string[] = []
  const asked: object[] = []
  const records: Records = {
    audit: {
      write: (who, what, text) => written.push(`${who} ${what} ${text}`),
      settled: async () => {},
    },
    failover: {
      write: () => {},
      merged: () => {},
      day: async (day) => [`12:00:00.007 alpha on ${day}`],
      days: async () => ['2026-11-21'],
      settled: async () => {},
    },
    check: async () => report,
    async read(query) {
      asked.push(query)
      return [1, 2, 3].map((number) => ({
        origin: query.origin ?? '',
        number,
        at: 0,
        who: 'local',
        what: 'token-created',
        text: 't',
        hash: 'h',
      }))
    },
  }
  appliance = await startAppliance({}, { records })
  return { appliance, written, asked }
}

it("pages through one member's records", async () => {
  const { appliance, asked } = await start()
  const { json } = await appliance.call('GET', '/api/v1/audit?limit=2&after=0&node=beta')
  expect(asked).toEqual([{ origin: 'beta', after: 0, limit: 3 }])
  expect(json.items?.map(({ node, number }) => [node, number])).toEqual([
    ['beta', 1],
    ['beta', 2],
  ])
  expect(json.next).toBe('2')
  const all = await appliance.call('GET', '/api/v1/audit?limit=3')
  expect(asked[1]).toEqual({ origin: 'alpha', after: 0, limit: 4 })
  expect(all.json.next).toBeUndefined()
  expect(all.json.items?.[0]).toMatchObject({ at: '1970-01-01T00:00:00.000Z', who: 'local', hash: 'h' })
})

it('gives the report and the failover log of a day', async () => {
  const { appliance } = await start()
  expect((await appliance.call('GET', '/api/v1/audit/verify')).json).toEqual(report)
  expect((await appliance.call('GET', '/api/v1/pair/failover?day=2026-11-20')).json).toEqual({
    day: '2026-11-20',
    lines: ['12:00:00.007 alpha on 2026-11-20'],
    days: ['2026-11-21'],
  })
  expect((await appliance.call('GET', '/api/v1/pair/failover')).json).toMatchObject({
    day: dayOf(Date.now()),
  })
  for (const day of ['yesterday', '2026-13-01', '../../etc/passwd']) {
    expect((await appliance.call('GET', `/api/v1/pair/failover?day=${day}`)).status).toBe(400)
  }
})

it('wants the scope read', async () => {
  const { appliance } = await start()
  const authorization = await appliance.bearer('send')
  for (const path of ['audit', 'audit/verify', 'pair/failover']) {
    expect((await appliance.call('GET', `/api/v1/${path}`, undefined, { authorization })).status).toBe(403)
  }
})

it('writes down who made and revoked a token, and never the token', async () => {
  const { appliance, written } = await start()
  const { json } = await appliance.call('POST', '/api/v1/tokens', { name: 'pager', scopes: ['send'] })
  await appliance.call('DELETE', `/api/v1/tokens/${json.id}`)
  expect(written).toEqual([
    `http:test token-created token ${json.id} (pager) may send`,
    `http:test token-revoked token ${json.id} was revoked`,
  ])
  expect(written.join()).not.toContain(json.token)
})
