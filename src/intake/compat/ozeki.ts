/**
 * Ozeki NG's HTTP interface: `/api?action=sendmessage`, with parameter names in any letter case and XML answers (its
 * manual, "Send SMS via HTTP"). The password is the token.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { Api } from '../http/parts.ts'
import { Problem } from '../http/problems.ts'
import type { Door, ForeignApi } from './contract.ts'
import { Form, xmlText } from './form.ts'

export const ozeki: ForeignApi = {
  name: 'ozeki',
  routes(api: Api, door: Door) {
    const send = async (request: FastifyRequest, reply: FastifyReply) => {
      const form = formOf(request)
      const caller = await door.admit(form.first('password'), 'send')
      const { view } = await door.submit(caller, messageOf(form))
      const reports = view.deliveries.map(
        ({ to }) =>
          '<acceptreport><statuscode>0</statuscode><statusmessage>Message accepted for delivery</statusmessage>' +
          `<messageid>${view.message.id}</messageid><recipient>${xmlText(to)}</recipient></acceptreport>`,
      )
      return answer(reply, 200, 'sendmessage', reports.join(''))
    }
    api.get('/api', send)
    api.post('/api', send)
  },
  refuse(reply, { status, code, message }) {
    const words = status === 401 || status === 403 ? 'Invalid username or password' : message
    const data = `<errorcode>${xmlText(code)}</errorcode><errormessage>${xmlText(words)}</errormessage>`
    answer(reply, status, 'error', data)
  },
}

const formOf = (request: FastifyRequest): Form =>
  request.method === 'POST' ? Form.ofBody(request.body, true) : Form.ofUrl(request.url, true)

const answer = (reply: FastifyReply, status: number, action: string, data: string): FastifyReply =>
  reply
    .code(status)
    .type('text/xml; charset=utf-8')
    .send(
      `<?xml version="1.0" encoding="utf-8"?><response><action>${action}</action><data>${data}</data></response>`,
    )

function messageOf(form: Form): Omit<SubmitRequest, 'source'> {
  const action = form.first('action')
  if (action?.toLowerCase() !== 'sendmessage')
    throw new Problem(400, 'function-unknown', 'action: must be sendmessage', {
      field: 'action',
      allowed: ['sendmessage'],
    })
  if (form.first('sendondate') !== undefined)
    throw new Problem(400, 'later-unsupported', 'sendondate: messages are sent at once here; leave it out', {
      field: 'sendondate',
    })
  const kind = /^SMS:TEXT((?::(?:GSM7BIT|UCS2|CLASS[0-3]))*)$/i.exec(form.first('messagetype') ?? 'SMS:TEXT')
  if (kind === null)
    throw new Problem(
      400,
      'binary-unsupported',
      'messagetype: must be SMS:TEXT, :UCS2, :GSM7BIT, :CLASS0 and so on',
      {
        field: 'messagetype',
      },
    )
  const charset = form.first('_charset_')?.toLowerCase() ?? 'utf-8'
  return {
    to: form.list('recipient'),
    text: form.text('messagedata', charset) ?? '',
    flash: /CLASS0/i.test(kind[1] ?? ''),
  }
}
