/** The shape of Uptime Kuma's notifier "SMS Gateway": POST /api/v1/sms/send, `X-API-Key`, JSON `{"to","body"}`. */
import type { Api } from '../http/parts.ts'
import type { Door, ForeignApi } from './contract.ts'
import { credentials, jsonOf, recipientsOf, wordOf } from './form.ts'

export const smsGateway: ForeignApi = {
  name: 'smsGateway',
  routes(api: Api, door: Door) {
    api.post('/api/v1/sms/send', async (request, reply) => {
      const key = request.headers['x-api-key']
      const caller = await door.admit(
        typeof key === 'string' ? key : credentials(request.headers.authorization),
        'send',
      )
      const body = jsonOf(request.body)
      const to = recipientsOf(body['to'], 'to')
      const { view } = await door.submit(caller, { to, text: wordOf(body['body']) ?? '' })
      return reply.send({ status: 'queued', id: view.message.id })
    })
  },
  refuse(reply, { status, code, message, field }) {
    reply.code(status).send({ status: 'failed', code, message, ...(field === undefined ? {} : { field }) })
  },
}
