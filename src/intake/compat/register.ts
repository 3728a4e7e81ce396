/**
 * Adds the foreign HTTP interfaces that the configuration names to the appliance's own server, each in a scope of its
 * own: its bodies come unread, its refusals go out in its own words. A refusal counts under the interface's name.
 *
 * A standby answers them itself (every member accepts) and sends nobody elsewhere: few of these clients follow a
 * redirect. The addresses of `pair.allow.send` hold for every request, since here a GET may send.
 */
import type { CompatConfig } from '#config/compat.ts'
import { allowedBy } from '#config/networks.ts'
import type { SubmitResult } from '#dispatch/contract.ts'
import { roomForBody, whenRead } from '../http/large-bodies.ts'
import type { Api, Parts } from '../http/parts.ts'
import { notTaken, Problem, problemOf } from '../http/problems.ts'
import { alertApi } from './alerts.ts'
import { apprise } from './apprise.ts'
import type { Accepted, Door, ForeignApi } from './contract.ts'
import { homeAssistant } from './home-assistant.ts'
import { kannel } from './kannel.ts'
import { ozeki } from './ozeki.ts'
import { smsGateway } from './sms-gateway.ts'
import { smseagle } from './smseagle.ts'
import { smseagle2 } from './smseagle2.ts'
import { twilio } from './twilio.ts'

/** Bytes of a body: an alert group with a few hundred alerts, or a picture that apprise sends along. */
const BODY_LIMIT = 2_000_000

function apisOf(config: CompatConfig): ForeignApi[] {
  const { alertmanager, grafana } = config
  return [
    ...(config.smseagle ? [smseagle, smseagle2] : []),
    ...(config.kannel ? [kannel] : []),
    ...(config.ozeki ? [ozeki] : []),
    ...(config.twilio ? [twilio] : []),
    ...(config.smsGateway ? [smsGateway] : []),
    ...(config.homeAssistant ? [homeAssistant(config.homeAssistant.to)] : []),
    ...(config.apprise ? [apprise(config.apprise.to)] : []),
    ...(alertmanager ? [alertApi('alertmanager', alertmanager)] : []),
    ...(grafana ? [alertApi('grafana', grafana)] : []),
  ]
}

export function compatRoutes(api: Api, parts: Parts, config: CompatConfig): void {
  const limit = roomForBody()
  for (const foreign of apisOf(config)) {
    void api.register((scope: Api, _options, done) => {
      prepare(scope, parts, foreign)
      scope.addHook('onRoute', (route) => {
        route.schema = { hide: true }
        route.bodyLimit = BODY_LIMIT
      })
      scope.addHook('onRequest', limit)
      foreign.routes(scope, doorFor(parts, foreign.name))
      done()
    })
  }
}

function prepare(scope: Api, { pair, access, metrics, log }: Parts, foreign: ForeignApi): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  scope.setErrorHandler((error: Error, request, reply) => {
    const problem = problemOf(error)
    if (problem === undefined) {
      const route = request.routeOptions.url
      log.error({ err: error, route }, 'a request failed by our own fault')
    } else metrics.refused(foreign.name, problem.code)
    whenRead(error, request, () => foreign.refuse(reply, problem ?? internal, request))
  })
  // fastify answers HEAD by what answers GET, and here a GET may send.
  scope.addHook('onRequest', (request, _reply, next) =>
    request.method === 'HEAD'
      ? next(new Problem(405, 'method-not-allowed', 'HEAD cannot be used here', { field: 'method' }))
      : next(),
  )
  if (pair === undefined) return
  const allowed = allowedBy(pair.config.allow.send)
  scope.addHook('onRequest', (request, _reply, next) => {
    const { socket } = request.raw
    const address = socket.remoteAddress ?? ''
    if (access.local.has(socket) || allowed(address)) return next()
    const text = `${address} is in none of the networks of pair.allow.send`
    next(new Problem(403, 'address-not-allowed', text, { field: 'pair.allow.send' }))
  })
}

const internal = new Problem(500, 'internal', 'something went wrong inside the appliance; its log says what')

function doorFor({ access, dispatch, store, metrics, ready, clock }: Parts, name: string): Door {
  return {
    async admit(token, scope) {
      if (token === undefined || token === '')
        throw new Problem(401, 'token-missing', 'no token was given; it goes where the password does')
      const record = access.tokens.find(token) ?? (await access.tokens.findAnew(token))
      if (record === undefined)
        throw new Problem(401, 'token-unknown', 'this token is not known here, or was revoked')
      if (!record.scopes.includes(scope))
        throw new Problem(403, 'scope-missing', `this token does not have the scope ${scope}`)
      return record
    },
    async submit(caller, request) {
      const { text } = request
      if (!text.isWellFormed())
        throw new Problem(400, 'malformed-text', 'the text holds half a surrogate pair', { field: 'text' })
      const accepted = acceptedOf(await dispatch.submit({ ...request, source: `${name}:${caller.name}` }))
      if (!accepted.replayed) metrics.accepted(name)
      return accepted
    },
    message: (id) => store.message(id),
    ready: () => ready().ready,
    now: () => clock.now(),
  }
}

function acceptedOf(result: SubmitResult): Accepted {
  switch (result.result) {
    case 'accepted':
      return { view: result.view, replayed: result.replayed }
    case 'conflict':
      throw new Problem(409, 'key-reused', 'this idempotency key came before with another message')
    default:
      throw notTaken(result)
  }
}
