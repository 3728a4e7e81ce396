/**
 * SMSEagle's older interfaces: HTTP GET (API v1) and JSON-RPC, as its manual and the clients that speak to it have them
 * (apprise, Uptime Kuma). Like the device, a request that it will not take is answered with 200 and a sentence; only
 * what may work later is a 5xx. `access_token`, or `login` with the token as `pass`.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseDuration } from '#core/duration.ts'
import { limits, type SubmitRequest } from '#dispatch/contract.ts'
import type { MessageView } from '#store/contract.ts'
import type { Api } from '../http/parts.ts'
import { Problem } from '../http/problems.ts'
import type { Door, ForeignApi } from './contract.ts'
import { asObject, Form, jsonOf, recipientsOf, wordOf, xmlText } from './form.ts'

/** What both interfaces ask, by the names of the parameters. */
interface Asked {
  to: string[]
  word(name: string): string | undefined
}

/** The parameter that names the recipients, by function. */
const functions: Record<string, string> = {
  send_sms: 'to',
  send_togroup: 'groupname',
  send_tocontact: 'contactname',
}
const voice = new Set(['ring_call', 'tts_call', 'tts_adv_call'])

/** Looked for in the plain address: a refusal must not fail on what it is about. */
const wantsXml = /[?&]responsetype=xml(?:&|$)/

const isRpc = (request: FastifyRequest): boolean => request.url.startsWith('/jsonrpc')

export const smseagle: ForeignApi = {
  name: 'smseagle',
  routes(api: Api, door: Door) {
    for (const path of ['/http_api/:name', '/index.php/http_api/:name']) {
      api.get(path, async (request, reply) => {
        const params = asObject(request.params)
        return plain(Form.ofUrl(request.url), String(params?.['name']), door, reply)
      })
    }
    api.post('/jsonrpc/sms', async (request, reply) => remote(jsonOf(request.body), door, reply))
  },
  refuse(reply, problem, request) {
    // What is not the client's fault must not look like an answer of the device.
    reply.code(problem.status >= 500 ? problem.status : 200)
    const text = sentence(problem, usesLogin(request))
    if (isRpc(request))
      reply.send({ result: extended(request) ? { error_text: text, status: 'error' } : text })
    else if (wantsXml.test(request.url))
      reply
        .type('application/xml')
        .send(`<xml><error_text>${xmlText(text)}</error_text><status>error</status></xml>`)
    else reply.type('text/plain; charset=utf-8').send(text)
  },
}

async function plain(form: Form, name: string, door: Door, reply: FastifyReply): Promise<FastifyReply> {
  const caller = await door.admit(form.first('access_token', 'pass'), 'send')
  const field = fieldOf(name)
  const word = (key: string) => form.first(key)
  const asked = { to: named(form.list(field), field), word }
  // Everything is read before anything is stored.
  const xml = word('responsetype') === 'xml'
  const ids = word('test') === '1' ? tested(asked) : idsOf((await door.submit(caller, messageOf(asked))).view)
  if (!xml) return reply.type('text/plain; charset=utf-8').send(`OK; ID=${ids[0] ?? '0'}`)
  const items = ids.map((id) => `<item><message_id>${id}</message_id><status>ok</status></item>`)
  return reply.type('application/xml').send(`<xml>${items.join('')}</xml>`)
}

async function remote(body: Record<string, unknown>, door: Door, reply: FastifyReply): Promise<FastifyReply> {
  const params = asObject(body['params']) ?? {}
  const word = (key: string) => wordOf(params[key])
  const caller = await door.admit(word('access_token') ?? word('pass'), 'send')
  const field = fieldOf(/^sms\.(\w+)$/.exec(String(body['method']))?.[1] ?? '')
  const asked = { to: named(recipientsOf(params[field], field), field), word }
  const ids = word('test') === '1' ? tested(asked) : idsOf((await door.submit(caller, messageOf(asked))).view)
  if (word('responsetype') !== 'extended') return reply.send({ result: `OK; ID=${ids[0] ?? '0'}` })
  const results = ids.map((id) => ({ message_id: id, status: 'ok' }))
  return reply.send({ result: results.length === 1 ? results[0] : results })
}

function fieldOf(name: string): string {
  const field = functions[name]
  if (field !== undefined) return field
  if (voice.has(name)) throw new Problem(400, 'no-line', 'no voice line is configured on this appliance')
  throw new Problem(
    400,
    'function-unknown',
    `there is no function ${JSON.stringify(name.slice(0, 40))} here`,
    {
      field: 'method',
      allowed: Object.keys(functions),
    },
  )
}

/** A contact or a group must not be taken for a number: their names begin with a letter. */
function named(to: string[], field: string): string[] {
  const wrong = field === 'to' ? undefined : to.find((name) => !/^\p{L}/u.test(name))
  if (wrong === undefined) return to
  throw new Problem(400, 'invalid-recipient', `${field}: the id of a contact or group begins with a letter`, {
    field,
  })
}

export function messageOf({ to, word }: Asked): Omit<SubmitRequest, 'source'> {
  for (const field of ['date', 'send_after', 'send_before']) {
    if (word(field) === undefined) continue
    const text = `${field}: messages are sent at once here, never later; leave it out`
    throw new Problem(400, 'later-unsupported', text, { field })
  }
  const text = word('message') ?? word('text')
  if (text === undefined) throw new Problem(400, 'empty-text', 'message: is empty', { field: 'message' })
  const tag = word('oid')
  const validity = validityOf(word('validity'))
  return {
    to,
    text,
    flash: word('flash') === '1',
    ...(word('highpriority') === '1' ? { priority: 1 } : {}),
    ...(tag === undefined ? {} : { tag }),
    ...(validity === undefined ? {} : { validity }),
  }
}

function validityOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = text === 'max' ? limits.validityMs.max : parseDuration(text)
  if (ms !== undefined) return ms
  throw new Problem(400, 'invalid-validity', 'validity: must be max, or a span such as 30m', {
    field: 'validity',
  })
}

/** What `test=1` checks: the form, and nothing is sent. */
export function tested(asked: Asked): string[] {
  const { to } = messageOf(asked)
  if (to.length === 0) throw new Problem(400, 'no-recipient', 'to: names nobody', { field: 'to' })
  return to.map(() => '0')
}

/** One for each recipient: the message's own id, by which it is found at /api/v1/messages. */
const idsOf = ({ message, deliveries }: MessageView): string[] => deliveries.map(() => message.id)

function sentence({ status, message }: Problem, login: boolean): string {
  if (status === 401 || status === 403) return login ? 'Invalid login or password' : 'Invalid access token'
  return status >= 500 ? message : `Wrong parameters (${message})`
}

const paramsOf = (request: FastifyRequest): Record<string, unknown> | undefined => {
  try {
    return asObject(jsonOf(request.body)['params'])
  } catch {
    return undefined
  }
}

function usesLogin(request: FastifyRequest): boolean {
  const params = isRpc(request) ? paramsOf(request) : undefined
  const form = Form.ofUrl(request.url)
  const given = (name: string) => (isRpc(request) ? wordOf(params?.[name]) !== undefined : form.has(name))
  return !given('access_token') && (given('login') || given('pass'))
}

const extended = (request: FastifyRequest): boolean => paramsOf(request)?.['responsetype'] !== 'simple'
