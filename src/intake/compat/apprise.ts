/**
 * apprise's generic notifiers `json://`, `xml://` and `form://` (1.2.0): POST /compat/apprise with the token as the
 * password of HTTP Basic or as `X-Token`; `?to=` names other recipients than the configuration does.
 */
import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import type { Priority } from '#messages/message.ts'
import type { Api } from '../http/parts.ts'
import type { Door, ForeignApi } from './contract.ts'
import { credentials, Form, jsonOf, textOf, wordOf } from './form.ts'
import { titled } from './home-assistant.ts'

interface Notice {
  title: string | undefined
  message: string | undefined
  type: string | undefined
}

export const apprise = (recipients: readonly string[]): ForeignApi => ({
  name: 'apprise',
  routes(api: Api, door: Door) {
    api.post('/compat/apprise', async (request, reply) => {
      const header = request.headers['x-token']
      const token = typeof header === 'string' ? header : credentials(request.headers.authorization)
      const caller = await door.admit(token, 'send')
      const { title, message, type } = noticeOf(request)
      const to = Form.ofUrl(request.url).list('to')
      const { view } = await door.submit(caller, {
        to: to.length > 0 ? to : recipients,
        text: titled(title, message),
        priority: priorities[type?.toLowerCase() ?? ''] ?? 2,
      })
      return reply.send({ status: 'queued', id: view.message.id })
    })
  },
  refuse(reply, { status, code, message, field }) {
    reply.code(status).send({ status: 'error', code, message, ...(field === undefined ? {} : { field }) })
  },
})

const priorities: Record<string, Priority> = { failure: 1, warning: 2, info: 2, success: 2 }

function noticeOf(request: FastifyRequest): Notice {
  const type = request.headers['content-type'] ?? ''
  if (/json/i.test(type)) {
    const body = jsonOf(request.body)
    return { title: wordOf(body['title']), message: wordOf(body['message']), type: wordOf(body['type']) }
  }
  if (/xml/i.test(type)) {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    // apprise 1.2.0 announces UTF-8 and sends Latin-1 where all characters are in it.
    const text = textOf(bytes, isUtf8(bytes) ? 'utf-8' : 'windows-1252', 'body')
    return {
      title: element(text, 'Subject'),
      message: element(text, 'Message'),
      type: element(text, 'MessageType'),
    }
  }
  const form = Form.ofBody(request.body)
  return { title: form.first('title'), message: form.first('message'), type: form.first('type') }
}

const signs: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The text of the only element of that name; apprise's envelope has neither attributes nor markup in it. */
function element(xml: string, name: string): string | undefined {
  const from = xml.indexOf(`<${name}>`)
  const to = xml.indexOf(`</${name}>`, from)
  if (from < 0 || to < 0) return undefined
  const held = xml.slice(from + name.length + 2, to)
  return held.replace(
    /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g,
    (all, word, dec, hex) => {
      if (typeof word === 'string') return signs[word] ?? all
      const point = typeof dec === 'string' ? Number(dec) : Number.parseInt(String(hex), 16)
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ''
    },
  )
}
