/**
 * SMSEagle's API v2 (its OpenAPI document, and what Uptime Kuma sends): JSON, the token in the header `access-token`.
 * Contacts and groups have numbers there and names here: contact 3 is the contact `contact3`, group 2 the group `group2`.
 */
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { Priority } from '#messages/message.ts'
import type { Api } from '../http/parts.ts'
import { Problem } from '../http/problems.ts'
import type { Door, ForeignApi } from './contract.ts'
import { credentials, jsonOf, recipientsOf, wordOf } from './form.ts'
import { messageOf, tested } from './smseagle.ts'

export const smseagle2: ForeignApi = {
  name: 'smseagle',
  routes(api: Api, door: Door) {
    api.post('/api/v2/messages/sms', async (request, reply) => {
      const header = request.headers['access-token']
      const token = typeof header === 'string' ? header : credentials(request.headers.authorization)
      const caller = await door.admit(token, 'send')
      const asked = askedOf(jsonOf(request.body))
      if (asked.word('test') === '1')
        return reply.send(tested(asked).map((id, n) => queued(asked.to[n] ?? '', id)))
      const { view } = await door.submit(caller, requestOf(asked))
      return reply.send(view.deliveries.map(({ to }) => queued(to, view.message.id)))
    })
    for (const kind of ['ring', 'tts', 'tts_advanced']) {
      api.post(`/api/v2/calls/${kind}`, async () => {
        throw new Problem(400, 'no-line', 'no voice line is configured on this appliance')
      })
    }
  },
  refuse(reply, { status, message, code, field }) {
    const errors = field === undefined ? {} : { errors: { [field]: [message] } }
    reply.code(status).send({ status: 'error', message, code, ...errors })
  },
}

const queued = (number: string, id: string) => ({ status: 'queued', message: 'OK', number, id })

type Asked = Parameters<typeof messageOf>[0]

function askedOf(body: Record<string, unknown>): Asked {
  const numbered = (field: 'contact' | 'group') =>
    recipientsOf(body[`${field}s`], `${field}s`).map((id) => (/^\d+$/.test(id) ? `${field}${id}` : id))
  return {
    to: [...recipientsOf(body['to'], 'to'), ...numbered('contact'), ...numbered('group')],
    word: (name) => wordOf(body[name]),
  }
}

function requestOf(asked: Asked): Omit<SubmitRequest, 'source'> {
  const request = messageOf(asked)
  const priority = priorityOf(asked.word('priority'))
  return priority === undefined ? request : { ...request, priority }
}

/** There 0 is the usual one and 9 the highest. */
function priorityOf(word: string | undefined): Priority | undefined {
  if (word === undefined) return undefined
  if (!/^[0-9]$/.test(word))
    throw new Problem(400, 'invalid-priority', 'priority: must be a digit from 0 to 9; 9 is the highest', {
      field: 'priority',
    })
  return Number(word) === 0 ? 2 : Number(word) < 5 ? 1 : 0
}
