/**
 * Home Assistant's notify service over REST, as Uptime Kuma calls it: POST /api/services/notify/SERVICE with a bearer
 * token and `{"title","message","data"}`. Whom `target` names gets it, and the recipients of the configuration where
 * it names nobody.
 */
import type { Api } from '../http/parts.ts'
import { Problem } from '../http/problems.ts'
import type { Door, ForeignApi } from './contract.ts'
import { credentials, jsonOf, recipientsOf, wordOf } from './form.ts'

export const homeAssistant = (recipients: readonly string[]): ForeignApi => ({
  name: 'homeAssistant',
  routes(api: Api, door: Door) {
    api.post('/api/services/notify/:service', async (request, reply) => {
      const caller = await door.admit(credentials(request.headers.authorization), 'send')
      const body = jsonOf(request.body)
      const target = recipientsOf(body['target'], 'target')
      const text = titled(wordOf(body['title']), wordOf(body['message']))
      await door.submit(caller, { to: target.length > 0 ? target : recipients, text })
      return reply.send([])
    })
  },
  refuse(reply, { status, message }) {
    reply.code(status).send({ message: status === 401 ? 'Unauthorized' : message })
  },
})

/** Title and message as one text. @throws Problem when there is neither */
export function titled(title: string | undefined, message: string | undefined): string {
  const text = [title, message].filter((part) => part !== undefined && part.trim() !== '').join('\n')
  if (text === '') throw new Problem(400, 'empty-text', 'message: is empty', { field: 'message' })
  return text
}
