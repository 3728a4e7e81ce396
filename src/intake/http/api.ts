/**
 * The HTTP interface as one fastify instance that listens nowhere by itself: server.ts lends it to several listeners.
 * Strict on purpose: nothing is coerced or dropped, so that a misspelt field is an answer and not a surprise.
 */
import { isUtf8 } from 'node:buffer'
import fastify, { type FastifyReply } from 'fastify'
import type { CompatConfig } from '#config/compat.ts'
import { addressRoutes } from './address-routes.ts'
import { checkAddresses } from './allow.ts'
import { answeredBy } from './appliance-name.ts'
import { auditRoutes } from './audit-routes.ts'
import { backupRoutes } from './backup-routes.ts'
import { configRoutes } from './config-routes.ts'
import { contactRoutes } from './contact-routes.ts'
import { readCookies } from './cookie.ts'
import { describeApi } from './documentation.ts'
import { faxRoutes } from './fax-routes.ts'
import { formRoutes } from './form-routes.ts'
import { admitForwarded } from './forward.ts'
import { homeRoutes } from './home-routes.ts'
import { inboundRoutes } from './inbound-routes.ts'
import { whenRead } from './large-bodies.ts'
import { ldapRoutes } from './ldap-routes.ts'
import { lineRoutes } from './line-routes.ts'
import { messageRoutes } from './message-routes.ts'
import { modemRoutes } from './modem-routes.ts'
import { openRoutes } from './open-routes.ts'
import { ownRoutes } from './own-routes.ts'
import { pairRoutes } from './pair-routes.ts'
import { admitPages } from './panel-answers.ts'
import { panelFiles } from './panel-files.ts'
import type { Api, Parts } from './parts.ts'
import { Problem, problemOf, sendProblem } from './problems.ts'
import { redirectToActive } from './redirect.ts'
import type { SchemaTypes } from './schemas.ts'
import { sessionRoutes } from './session-routes.ts'
import { statusRoutes } from './status-routes.ts'
import { stormRoutes } from './storm-routes.ts'
import { supportRoutes } from './support-routes.ts'
import { tokenRoutes } from './token-routes.ts'
import { userRoutes } from './user-routes.ts'

/** Bytes of a body, but for messages, which may name many recipients. */
const BODY_LIMIT = 16_384

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

/** @param compat the foreign interfaces that it also speaks */
export async function createApi(parts: Parts, compat?: CompatConfig): Promise<Api> {
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
  api.decorateRequest('login', null)
  admitPages(api)
  // First of all others: a refusal too says who refused.
  api.addHook('onRequest', (request, reply, done) => {
    reply.header('twinline-member', answeredBy(parts, request))
    reply.header('x-content-type-options', 'nosniff')
    done()
  })
  admitForwarded(api, parts.access)
  api.setErrorHandler((error: Error, request, reply) => {
    whenRead(error, request, () => refuse(error, reply))
  })

  // Every route by its path, to tell a wrong method (405, RFC 9110 15.5.6) from a wrong path (404).
  const routes: { path: RegExp; method: string }[] = []
  api.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(`^${url.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`)
    for (const name of [method].flat()) routes.push({ path, method: name })
  })

  await readCookies(api)
  await describeApi(api, parts.version)
  await api.register(
    (versioned: Api, _options, done) => {
      // Messages and settings are nothing for a browser to keep on its disk.
      versioned.addHook('onRequest', (_request, reply, next) => {
        reply.header('cache-control', 'no-store')
        next()
      })
      const { pair, access, role } = parts
      if (pair !== undefined) {
        checkAddresses(versioned, pair.config.allow, access.local)
        if (pair.config.redirect)
          redirectToActive(versioned, pair.control, () => role() === 'STANDBY', access.local)
      }
      sessionRoutes(versioned, parts)
      userRoutes(versioned, parts)
      homeRoutes(versioned, parts)
      messageRoutes(versioned, parts)
      lineRoutes(versioned, parts)
      if (parts.modems !== undefined) modemRoutes(versioned, parts, parts.modems)
      statusRoutes(versioned, parts)
      tokenRoutes(versioned, parts)
      pairRoutes(versioned, parts)
      if (parts.support !== undefined) supportRoutes(versioned, parts, parts.support)
      if (parts.own !== undefined) {
        ownRoutes(versioned, parts, parts.own)
        if (parts.backup !== undefined) backupRoutes(versioned, parts, parts.backup, parts.own)
      }
      addressRoutes(versioned, parts)
      if (parts.inbound !== undefined) inboundRoutes(versioned, parts, parts.inbound)
      if (parts.documents !== undefined) faxRoutes(versioned, parts, parts.documents)
      if (parts.settings !== undefined) {
        configRoutes(versioned, parts, parts.settings)
        contactRoutes(versioned, parts, parts.settings)
        ldapRoutes(versioned, parts)
        if (parts.trials !== undefined) formRoutes(versioned, parts, parts.settings, parts.trials)
      }
      if (parts.storm !== undefined) stormRoutes(versioned, parts, parts.storm)
      if (parts.records !== undefined) auditRoutes(versioned, parts, parts.records)
      done()
    },
    { prefix: '/api/v1' },
  )
  openRoutes(api, parts)
  const panelPage = panelFiles(api, parts)
  api.setNotFoundHandler((request, reply) => {
    const { method, url, headers } = request
    const path = url.split('?')[0] ?? ''
    const allowed = [...new Set(routes.filter((route) => route.path.test(path)).map((route) => route.method))]
    if (allowed.length === 0) {
      // A person who mistyped an address gets the panel, which says so; whatever else asks gets an answer to read.
      const person =
        method === 'GET' && !path.startsWith('/api/') && /\btext\/html\b/.test(headers.accept ?? '')
      if (person) return panelPage(request, reply.code(404))
      return refuse(new Problem(404, 'route-unknown', `there is nothing at ${path}`), reply)
    }
    reply.header('allow', allowed.join(', '))
    refuse(
      new Problem(405, 'method-not-allowed', `${method} cannot be used here`, { field: 'method', allowed }),
      reply,
    )
  })
  if (compat !== undefined) {
    // Loaded where they are wanted: a waiting appliance is small.
    const { compatRoutes } = await import('../compat/register.ts')
    compatRoutes(api, parts, compat)
  }
  await api.ready()
  return api
}
