/** What anybody may ask without a token: is it alive, can it deliver, which role, its figures, its front page. */
import type { Api, Services } from './parts.ts'
import * as schemas from './schemas.ts'

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const frontPage = (node: string, version: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(node)} - twinline</title>
<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:36em;margin:15vh auto;padding:0 1em;color:#222}</style>
<h1>twinline ${escapeHtml(version)}</h1>
<p>This is the alert gateway <b>${escapeHtml(node)}</b>. Messages come in at <code>/api/v1/messages</code>.</p>
<p><a href="/docs">How to use the API</a> &middot; <a href="/openapi.json">OpenAPI</a></p>
</html>
`

/** NONE: alive. IPSWS: the service works. FT: who is active. The answer is 200 whatever the role. */
const healthModes = ['NONE', 'IPSWS', 'FT'] as const

export function openRoutes(api: Api, services: Services): void {
  const { node, version, role, ready, metrics } = services
  const tags = ['health']
  // An empty list: unlike all other routes, these want no token.
  const security: [] = []
  const text = { type: 'string' } as const

  api.get('/', { schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8')
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    return frontPage(node, version)
  })

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
