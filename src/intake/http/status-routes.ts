/** Traffic totals and the state of the appliance over HTTP. */
import type { TotalsRow } from '#store/contract.ts'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import * as schemas from './status-schemas.ts'
import { timeAsked } from './times.ts'
import { depthView, iso, lineView, totalsView } from './views.ts'

/** Hours summed up by the day of the appliance that they are in. */
function byDay(rows: readonly TotalsRow[]): TotalsRow[] {
  const days = new Map<string, TotalsRow>()
  for (const row of rows) {
    const hour = new Date(row.hour).setHours(0, 0, 0, 0)
    const key = `${hour} ${row.node} ${row.line}`
    const day = days.get(key) ?? { ...row, hour, sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 }
    for (const column of ['sent', 'delivered', 'failed', 'unknown', 'received'] as const)
      day[column] += row[column]
    days.set(key, day)
  }
  return [...days.values()]
}

export function statusRoutes(api: Api, parts: Parts): void {
  const { dispatch, store, clock, access } = parts
  const read = requires('read', access)
  const tags = ['status']

  api.get(
    '/totals',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Messages sent and received, by line and hour or day',
        querystring: schemas.totalsQuery,
        response: { 200: schemas.totals },
      },
    },
    async ({ query }) => {
      const now = clock.now()
      const since = timeAsked('since', query.since, now) ?? 0
      const until = timeAsked('until', query.until, now) ?? Number.POSITIVE_INFINITY
      const rows = (await store.totals(since)).filter(({ hour }) => hour < until)
      return totalsView(since, query.step === 'day' ? byDay(rows) : rows)
    },
  )

  api.get(
    '/status',
    {
      onRequest: read,
      schema: { tags, summary: 'The appliance at a glance', response: { 200: schemas.status } },
    },
    async () => ({
      node: parts.node,
      role: parts.role(),
      version: parts.version,
      at: iso(clock.now()),
      ...parts.ready(),
      queue: depthView(await store.depth()),
      lines: dispatch.lineStatus().map((status) => ({ ...lineView(status), node: parts.node })),
    }),
  )
}
