/** Lines, totals and the state of the appliance over HTTP. */
import { parseDuration } from '#core/duration.ts'
import type { Line } from '#lines/contract.ts'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import * as schemas from './schemas.ts'
import { depthView, iso, lineView, totalsView } from './views.ts'

/** @returns ms since 1970 */
function sinceTime(text: string | undefined, now: number): number {
  if (text === undefined) return 0
  const span = parseDuration(text)
  if (span !== undefined) return Math.max(0, now - span)
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at))
    throw new Problem(
      400,
      'wrong-format',
      'since must be a time such as 2026-11-21T08:00:00Z or a span such as 24h',
      {
        field: 'since',
      },
    )
  return at
}

export function lineRoutes(api: Api, parts: Parts): void {
  const { dispatch, store, clock, access } = parts
  const send = requires('send', access)
  const read = requires('read', access)
  const tags = ['lines']

  function lineOf(id: string): Line {
    const line = dispatch.lines().find((candidate) => candidate.id === id)
    if (line === undefined)
      throw new Problem(404, 'line-unknown', 'there is no line with this id', {
        field: 'id',
        allowed: dispatch.lines().map((candidate) => candidate.id),
      })
    return line
  }
  const lines = () => dispatch.lines().map((line) => lineView(line.status()))

  api.get(
    '/lines',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'All lines',
        response: { 200: schemas.lineList },
      },
    },
    async () => ({ items: lines() }),
  )

  api.get(
    '/lines/:id',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'One line',
        params: schemas.idParam,
        response: { 200: schemas.line },
      },
    },
    async ({ params }) => lineView(lineOf(params.id).status()),
  )

  api.post(
    '/lines/:id/:action',
    {
      onRequest: send,
      schema: {
        tags,
        summary: 'Restart, disable or enable a line',
        params: schemas.lineActionParam,
        response: { 200: schemas.line },
      },
    },
    async ({ params }) => {
      const line = lineOf(params.id)
      line[params.action]()
      return lineView(line.status())
    },
  )

  api.get(
    '/totals',
    {
      onRequest: read,
      schema: {
        tags: ['status'],
        summary: 'Messages sent and received, by line and hour',
        querystring: schemas.totalsQuery,
        response: { 200: schemas.totals },
      },
    },
    async ({ query }) => {
      const since = sinceTime(query.since, clock.now())
      return totalsView(since, await store.totals(since))
    },
  )

  api.get(
    '/status',
    {
      onRequest: read,
      schema: {
        tags: ['status'],
        summary: 'The appliance at a glance',
        response: { 200: schemas.status },
      },
    },
    async () => ({
      node: parts.node,
      role: parts.role(),
      version: parts.version,
      at: iso(clock.now()),
      ...parts.ready(),
      queue: depthView(await store.depth()),
      lines: lines(),
    }),
  )
}
