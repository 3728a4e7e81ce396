/**
 * What only the active member may change: a request for it that reaches another member is checked there (token, scope,
 * fields), sent on to the active over the members' own link, and executed there in the caller's name. One hop: whoever
 * gets a forwarded request and is not active refuses it.
 *
 * A forwarded request never comes through a listener. It is put into the server from inside, in a context that no
 * header can claim, and only routes that were made forwardable take it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Readable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorText, type Values } from '#core/errors.ts'
import { reading } from './allow.ts'
import type { Access } from './auth.ts'
import type { Api } from './parts.ts'
import { Problem, sendProblem } from './problems.ts'
import { problemMediaType } from './schemas.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    forwardable?: boolean
    /** Its answer is a file, which comes from another member piece by piece. */
    file?: boolean
  }
}

export interface ForwardedRequest {
  method: string
  /** From /api/v1 on, with the query. */
  path: string
  /** JSON. */
  body?: unknown
  /** Who asked for it, as `http:NAME`. */
  author: string
}

export interface ForwardedAnswer {
  status: number
  /** JSON; absent where the answer has none. */
  body?: unknown
}

export interface Forward {
  /** The member that is active as far as this one knows. */
  active(): 'self' | { node: string } | undefined
  /**
   * Has another member execute a request.
   * Rejects with NotForwarded when nothing of it has left; any other failure leaves its outcome unknown.
   */
  send(node: string, request: ForwardedRequest): Promise<ForwardedAnswer>
  /** As send(), for a request that is answered by a file, or by a problem. */
  fetch(node: string, request: ForwardedRequest): Promise<ForwardedFile | ForwardedAnswer>
}

/** A file as a member answers with it. */
export interface ForwardedFile {
  /** Its media type. */
  type: string
  /** The header Content-Disposition. */
  disposition: string
  /** To be read to its end or destroyed. */
  bytes: Readable
}

/** The request did not reach the other member: it can be made again without harm. */
export class NotForwarded extends Error {}

/** How long the active may take, ms. */
const ANSWER_MS = 10_000
/** How long a member may take until the first byte of a file: it may copy a store first. */
export const FILE_MS = 50_000

const executing = new AsyncLocalStorage<ForwardedRequest>()

/**
 * Adds routes of which those that change something are executed on the active member only.
 * @param forward absent on an appliance that stands alone: it is the active one
 * @param what `everything` where only the active member knows what is asked for
 */
export function forwarded(
  api: Api,
  forward: Forward | undefined,
  routes: (api: Api) => void,
  what: 'changes' | 'everything' = 'changes',
): void {
  void api.register((scope: Api, _options, done) => {
    scope.addHook('onRoute', (route) => {
      const changes = [route.method].flat().some((method) => !reading.has(method))
      route.config = { ...route.config, forwardable: changes || what === 'everything' }
    })
    if (forward !== undefined) {
      scope.addHook('preHandler', async (request, reply) => {
        if (request.routeOptions.config.forwardable) return pass(request, reply, forward)
      })
    }
    routes(scope)
    done()
  })
}

/**
 * Adds routes that are about the member that the query's `node` names, and about this one where it names none: they are
 * executed there, in the caller's name.
 */
export function atMember(
  api: Api,
  node: string,
  forward: Forward | undefined,
  routes: (api: Api) => void,
): void {
  void api.register((scope: Api, _options, done) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, forwardable: true }
    })
    scope.addHook('preHandler', async (request, reply) => {
      const { node: named = node } = { ...(request.query as { node?: string }) }
      const { method, url: path, source: author, body } = request
      if (named === node || (named === EVERY && reading.has(method))) return
      const asked = { method, path, author, ...(body === undefined ? {} : { body }) }
      if (request.routeOptions.config.file) {
        const answer = await askMemberForFile(named, forward, asked)
        if ('status' in answer) return handedOn(reply, answer)
        return reply.type(answer.type).header('content-disposition', answer.disposition).send(answer.bytes)
      }
      return handedOn(reply, await askMember(named, forward, asked))
    })
    routes(scope)
    done()
  })
}

/** Stands for every member in the query of what changes nothing. */
export const EVERY = '*'

/** @throws Problem when the member is not known, cannot be reached or does not answer */
export const askMember = (
  named: string,
  forward: Forward | undefined,
  request: ForwardedRequest,
): Promise<ForwardedAnswer> =>
  ofMember(named, forward, (way) => inTime(named, way.send(named, request), ANSWER_MS))

/** As askMember(), for a request that is answered by a file, or by a problem. */
export const askMemberForFile = (
  named: string,
  forward: Forward | undefined,
  request: ForwardedRequest,
): Promise<ForwardedFile | ForwardedAnswer> =>
  ofMember(named, forward, (way) => inTime(named, way.fetch(named, request), FILE_MS))

async function ofMember<T>(
  named: string,
  forward: Forward | undefined,
  ask: (forward: Forward) => Promise<T>,
): Promise<T> {
  if (forward === undefined || executing.getStore() !== undefined) {
    throw new Problem(404, 'member-unknown', 'there is no member of this name', { field: 'node' })
  }
  try {
    return await ask(forward)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'active-unreachable') throw error
    const text = `there is no member ${named}, or it cannot be reached from here`
    throw new Problem(503, 'member-unreachable', text, { field: 'node', values: { member: named } })
  }
}

/**
 * For a route that is served here and changes something in passing that only the active member may.
 * @returns false when this member is the active one, which is to do it itself then
 * @throws Problem when there is no active member, or it refuses
 */
export async function doneByActive(
  forward: Forward | undefined,
  request: ForwardedRequest,
): Promise<boolean> {
  const active = forward?.active() ?? (forward === undefined ? 'self' : undefined)
  if (active === 'self' || forward === undefined) return false
  if (active === undefined) throw noActive()
  const { status, body } = await inTime(active.node, forward.send(active.node, request), ANSWER_MS)
  if (status < 400) return true
  const { code, detail, field, values } = { ...(body as Partial<ProblemBody>) }
  const about = { ...(field === undefined ? {} : { field }), ...(values === undefined ? {} : { values }) }
  throw new Problem(status, code ?? 'internal', detail ?? '', about)
}

interface ProblemBody {
  code: string
  detail: string
  field?: string
  values?: Values
}

const noActive = () =>
  new Problem(
    503,
    'no-active',
    'no member of the pair is active now, so nothing can be changed; twinline pair status says why',
  )

/** @returns the reply when the request has been answered here, undefined when it is for this member to do */
async function pass(request: FastifyRequest, reply: FastifyReply, forward: Forward) {
  const active = forward.active()
  if (active === 'self') return
  if (active === undefined) throw noActive()
  if (executing.getStore() !== undefined) {
    throw new Problem(
      503,
      'forwarded-once',
      'another member sent this here, and this one is not active either; try again when they agree',
    )
  }
  const asked = forward.send(active.node, {
    method: request.method,
    path: request.url,
    author: request.source,
    ...(request.body === undefined ? {} : { body: request.body }),
  })
  return handedOn(reply, await inTime(active.node, asked, ANSWER_MS))
}

/** Another member's answer as it is. */
function handedOn(reply: FastifyReply, { status, body }: ForwardedAnswer): FastifyReply {
  reply.code(status)
  if (body === undefined) return reply.send()
  return reply.type(status >= 400 ? problemMediaType : 'application/json').send(JSON.stringify(body))
}

async function inTime<T>(node: string, work: Promise<T>, withinMs: number): Promise<T> {
  const waiting = new AbortController()
  const late = pause(withinMs, undefined, { signal: waiting.signal, ref: false }).catch(() => {})
  try {
    const answer = await Promise.race([work, late])
    if (answer !== undefined) return answer
  } catch (error) {
    if (error instanceof NotForwarded) {
      const text = `${node} is active and cannot be reached (${error.message}); nothing was changed`
      throw new Problem(503, 'active-unreachable', text, { values: { member: node } })
    }
    throw unanswered(node, errorText(error))
  } finally {
    waiting.abort()
  }
  // What becomes of it now is nobody's business here.
  work.catch(() => {})
  throw unanswered(node, `none within ${withinMs / 1_000} s`)
}

const unanswered = (node: string, why: string) =>
  new Problem(
    504,
    'forward-unanswered',
    `${node} was asked to do this and its answer never came (${why}): it may be done or not`,
    { values: { member: node } },
  )

/**
 * Lets forwarded requests in, in their caller's name. To be called before any other hook, because they need no token,
 * and no address of theirs is in any list: both were looked at where they came in.
 */
export function admitForwarded(api: Api, { local }: Pick<Access, 'local'>): void {
  api.addHook('onRequest', (request, reply, done) => {
    const forwarded = executing.getStore()
    if (forwarded === undefined) return done()
    if (!request.routeOptions.config.forwardable) {
      const text = 'members execute for each other only what the active one alone may change'
      sendProblem(reply, new Problem(403, 'not-forwardable', text))
      return
    }
    request.source = forwarded.author
    local.add(request.raw.socket)
    done()
  })
}

/** Executes what another member has sent here. Never rejects. */
export async function executeForwarded(api: Api, request: ForwardedRequest): Promise<ForwardedAnswer> {
  try {
    // Awaited inside: a request that is put in begins when somebody waits for it, and takes the context from there.
    const answer = await executing.run(request, async () => await api.inject(injected(request)))
    return answerOf(answer.statusCode, answer.payload)
  } catch (error) {
    return { status: 500, body: { status: 500, code: 'internal', detail: errorText(error) } }
  }
}

/** As executeForwarded(), for a request that is answered by a file. */
export async function executeForwardedFile(
  api: Api,
  request: ForwardedRequest,
): Promise<ForwardedFile | ForwardedAnswer> {
  try {
    const answer = await executing.run(
      request,
      async () => await api.inject({ ...injected(request), payloadAsStream: true }),
    )
    const { 'content-type': type = '', 'content-disposition': disposition } = answer.headers
    const bytes = answer.stream()
    if (answer.statusCode !== 200 || disposition === undefined)
      return answerOf(answer.statusCode, await readText(bytes))
    // Whoever makes the file is told by this that nobody wants the rest.
    bytes.once('close', () => answer.raw.res.destroy())
    return { type, disposition: String(disposition), bytes }
  } catch (error) {
    return { status: 500, body: { status: 500, code: 'internal', detail: errorText(error) } }
  }
}

const injected = ({ method, path, body }: ForwardedRequest) => ({
  method: asMethod(method),
  url: path,
  ...(body === undefined
    ? {}
    : { payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
})

const answerOf = (status: number, text: string): ForwardedAnswer => ({
  status,
  ...(text === '' ? {} : { body: JSON.parse(text) }),
})

const methods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const

/** A method that changes nothing is none that is forwarded; the route says no to it. */
const asMethod = (text: string) => methods.find((method) => method === text) ?? 'GET'
