/** What anybody may ask without a token: is it alive, can it deliver, which role, its figures. */
import type { Api, Services } from './parts.ts'
import * as schemas from './status-schemas.ts'

/** NONE: alive. IPSWS: the service works. FT: who is active. The answer is 200 whatever the role. */
const healthModes = ['NONE', 'IPSWS', 'FT'] as const

export function openRoutes(api: Api, services: Services): void {
  const { role, ready, metrics } = services
  const tags = ['health']
  // An empty list: unlike all other routes, these want no token.
  const security: [] = []
  const text = { type: 'string' } as const

  api.get(
    '/healthz',
    {
      schema: {
        tags,
        security,
        summary: 'The process is alive; with mod, in the words that a load balancer looks for',
        querystring: { type: 'object', properties: { mod: { type: 'string', enum: healthModes } } },
        produces: ['text/plain'],
        response: { 200: text },
      },
    },
    async ({ query }, reply) => {
      reply.type('text/plain')
      if (query.mod === 'IPSWS') return 'IPSWS=OK'
      return query.mod === 'FT' ? role() : 'OK\n'
    },
  )

  api.get(
    '/readyz',
    {
      schema: {
        tags,
        security,
        summary: 'A message could be delivered now; otherwise 503 with the reason',
        response: { 200: schemas.readiness, 503: schemas.readiness },
      },
    },
    async (_request, reply) => {
      const answer = ready()
      reply.code(answer.ready ? 200 : 503)
      return answer
    },
  )

  api.get(
    '/role',
    {
      schema: {
        tags,
        security,
        summary: 'ACTIVE, or 503 and STANDBY: for load balancers',
        produces: ['text/plain'],
        response: { 200: text, 503: text },
      },
    },
    async (_request, reply) => {
      const answer = role()
      reply.code(answer === 'ACTIVE' ? 200 : 503).type('text/plain')
      return answer
    },
  )

  api.get(
    '/metrics',
    {
      schema: {
        tags,
        security,
        summary: 'Figures for Prometheus',
        produces: ['text/plain'],
        response: { 200: text },
      },
    },
    async (_request, reply) => {
      reply.type('text/plain; version=0.0.4; charset=utf-8')
      return metrics.render()
    },
  )
}
