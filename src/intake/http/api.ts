/**
 * The HTTP interface as one fastify instance that listens nowhere by itself: server.ts lends it to several listeners.
 * Strict on purpose: nothing is coerced or dropped, so that a misspelt field is an answer and not a surprise.
 */
import { isUtf8 } from 'node:buffer'
import { finished } from 'node:stream'
import fastify, { type FastifyReply } from 'fastify'
import { checkAddresses } from './allow.ts'
import { auditRoutes } from './audit-routes.ts'
import { configRoutes } from './config-routes.ts'
import { describeApi } from './documentation.ts'
import { admitForwarded } from './forward.ts'
import { lineRoutes } from './line-routes.ts'
import { messageRoutes } from './message-routes.ts'
import { openRoutes } from './open-routes.ts'
import { pairRoutes } from './pair-routes.ts'
import type { Api, Parts } from './parts.ts'
import { Problem, problemOf, sendProblem } from './problems.ts'
import { redirectToActive } from './redirect.ts'
import type { SchemaTypes } from './schemas.ts'
import { tokenRoutes } from './token-routes.ts'

/** Bytes of a body, but for messages, which may name many recipients. */
const BODY_LIMIT = 16_384

/** Bytes of a body that is too large that are read and dropped, so that its sender lives to see why. */
const DROPPED_BODY = 64_000_000

const internal = new Problem(500, 'internal', 'something went wrong inside the appliance; its log says what')

/** `limit` is the only number that a query holds. A name given twice becomes a list, which no schema allows. */
function parseQuery(text: string): Record<string, unknown> {
  const query: Record<string, unknown> = {}
  const given = new URLSearchParams(text)
  for (const name of given.keys()) {
    const values = given.getAll(name)
    const value = values[0] ?? ''
    if (values.length > 1) query[name] = values
    else query[name] = name === 'limit' && /^-?\d{1,9}$/.test(value) ? Number(value) : value
  }
  return query
}

/** An empty body is no body: many clients announce JSON on every request. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  // Otherwise a Latin-1 client's umlauts would go out as question marks.
  if (!isUtf8(body)) throw new Problem(400, 'not-utf8', 'the body is not valid UTF-8')
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw new Problem(400, 'malformed-json', `the body is not valid JSON: ${String(error)}`)
  }
}

export async function createApi(parts: Parts): Promise<Api> {
  function refuse(error: Error, reply: FastifyReply): void {
    const problem = problemOf(error)
    if (problem === undefined) {
      parts.log.error(
        { err: error, route: reply.request.routeOptions.url },
        'a request failed by our own fault',
      )
    } else parts.metrics.refused('http', problem.code)
    sendProblem(reply, problem ?? internal)
  }

  const api: Api = fastify({
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: 200, querystringParser: parseQuery },
    // Errors before a route is found, such as a path that cannot be decoded.
    frameworkErrors: (error, _request, reply) => refuse(error, reply),
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        verbose: true,
      },
    },
  }).withTypeProvider<SchemaTypes>()

  api.removeAllContentTypeParsers()
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(Buffer.isBuffer(body) ? body : Buffer.from(body)))
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  })
  api.decorateRequest('source', '')
  admitForwarded(api, parts.access)
  api.setErrorHandler((error: Error, request, reply) => {
    const { raw } = request
    // fastify answers before it has read such a body and closes the connection: a client that is still sending would
    // see a reset and no answer. So the rest is read and dropped first, for no longer than a request may take.
    const unread = 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' && !raw.readableEnded
    if (!unread || !(Number(request.headers['content-length']) <= DROPPED_BODY)) return refuse(error, reply)
    finished(raw.resume(), () => refuse(error, reply))
  })

  // Every route by its path, to tell a wrong method (405, RFC 9110 15.5.6) from a wrong path (404).
  const routes: { path: RegExp; method: string }[] = []
  api.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(`^${url.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`)
    for (const name of [method].flat()) routes.push({ path, method: name })
  })
  api.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const allowed = [...new Set(routes.filter((route) => route.path.test(path)).map(({ method }) => method))]
    if (allowed.length === 0)
      return refuse(new Problem(404, 'route-unknown', `there is nothing at ${path}`), reply)
    reply.header('allow', allowed.join(', '))
    refuse(
      new Problem(405, 'method-not-allowed', `${request.method} cannot be used here`, {
        field: 'method',
        allowed,
      }),
      reply,
    )
  })

  await describeApi(api, parts.version)
  await api.register(
    (versioned: Api, _options, done) => {
      const { pair, access, role } = parts
      if (pair !== undefined) {
        checkAddresses(versioned, pair.config.allow, access.local)
        if (pair.config.redirect)
          redirectToActive(versioned, pair.control, () => role() === 'STANDBY', access.local)
      }
      messageRoutes(versioned, parts)
      lineRoutes(versioned, parts)
      tokenRoutes(versioned, parts)
      pairRoutes(versioned, parts)
      if (parts.settings !== undefined) configRoutes(versioned, parts, parts.settings)
      if (parts.records !== undefined) auditRoutes(versioned, parts, parts.records)
      done()
    },
    { prefix: '/api/v1' },
  )
  openRoutes(api, parts)
  await api.ready()
  return api
}
