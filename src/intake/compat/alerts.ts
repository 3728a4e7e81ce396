/**
 * Webhooks of Prometheus Alertmanager (POST /compat/alertmanager) and Grafana (POST /compat/grafana): one message for
 * each group of alerts, to the recipients of the configuration or of `?to=`. The token comes as a bearer token or as the
 * password of HTTP Basic.
 *
 * A notice that comes again is either the sender's retry, because our answer was lost, or its reminder hours later
 * (repeat_interval). The first must not be sent twice, the second must be: what comes again within ten minutes of the
 * last message that it made is a retry. That is known from the idempotency keys, so it holds after a restart and on
 * every member: each reminder's key is made of the message before it.
 */
import { createHash } from 'node:crypto'
import type { AlertHookConfig } from '#config/compat.ts'
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { TokenRecord } from '#messages/operation.ts'
import type { Api } from '../http/parts.ts'
import { alertText, groupOf, identityOf, priorityOf } from './alert-text.ts'
import type { Accepted, Door, ForeignApi } from './contract.ts'
import { credentials, Form, jsonOf } from './form.ts'

/** Longer than a sender tries the same notice again, shorter than any sensible reminder, ms. */
const RETRY_MS = 600_000
/** Keys are known for a day, so there are no more reminders than that behind each other. */
const REMINDERS_MOST = 150

export const alertApi = (name: 'alertmanager' | 'grafana', hook: AlertHookConfig): ForeignApi => ({
  name,
  routes(api: Api, door: Door) {
    api.post(`/compat/${name}`, async (request, reply) => {
      const caller = await door.admit(credentials(request.headers.authorization), 'send')
      const group = groupOf(jsonOf(request.body))
      const text = alertText(group, hook)
      // Nothing that anybody wants to hear: a 2xx, or it would come again and again.
      if (text === undefined) return reply.send({ status: 'ignored' })
      const named = Form.ofUrl(request.url).list('to')
      const to = named.length > 0 ? named : hook.to
      const identity = hash(JSON.stringify([name, to, identityOf(group)]))
      const { view } = await once(door, caller, { to, text, priority: priorityOf(group) }, identity)
      return reply.send({ status: 'queued', id: view.message.id })
    })
  },
  refuse(reply, { status, code, message, field }) {
    if (status === 401) reply.header('www-authenticate', 'Basic realm="twinline"')
    reply.code(status).send({ status: 'error', code, message, ...(field === undefined ? {} : { field }) })
  },
})

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

async function once(
  door: Door,
  caller: TokenRecord,
  message: Omit<SubmitRequest, 'source'>,
  identity: string,
): Promise<Accepted> {
  let before = ''
  for (let reminder = 0; ; reminder += 1) {
    // The text is no part of it: a value in it may have changed between two tries.
    const key = { key: `alerts:${hash(identity + before)}`, bodyHash: identity }
    const accepted = await door.submit(caller, { ...message, key })
    const { at, id } = accepted.view.message
    if (!accepted.replayed || door.now() - at < RETRY_MS || reminder === REMINDERS_MOST) return accepted
    before = id
  }
}
