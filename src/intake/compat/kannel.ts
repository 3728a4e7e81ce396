/**
 * Kannel's `sendsms` (User's Guide 1.4.5, "Using the SMS gateway", and what its smsbox answers). The password is the
 * token. Kannel's priority 3 is the highest. Its messages may be empty; ours may not, so an empty one goes out as a
 * space.
 */
import type { FastifyReply } from 'fastify'
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { Callback, Priority } from '#messages/message.ts'
import type { Api } from '../http/parts.ts'
import { Problem } from '../http/problems.ts'
import { callbackUrl } from './callback-url.ts'
import type { Door, ForeignApi } from './contract.ts'
import { Form } from './form.ts'

export const kannel: ForeignApi = {
  name: 'kannel',
  routes(api: Api, door: Door) {
    api.get('/cgi-bin/sendsms', async (request, reply) => {
      const form = Form.ofUrl(request.url)
      const caller = await door.admit(form.first('password', 'pass'), 'send')
      const { view } = await door.submit(caller, messageOf(form))
      const words = door.ready() ? '0: Accepted for delivery' : '3: Queued for later delivery'
      return answer(reply, 202, words).header('x-message-id', view.message.id)
    })
  },
  refuse(reply, problem) {
    answer(reply, problem.status === 401 ? 403 : problem.status, words(problem))
  },
}

const answer = (reply: FastifyReply, status: number, text: string) =>
  reply.code(status).type('text/html').send(text)

function words({ status, code, message }: Problem): string {
  if (status === 401 || status === 403) return 'Authorization failed for sendsms'
  if (code === 'invalid-callback') return 'DLR-URL field misformed, rejected'
  if (code === 'charset-unknown' || code === 'not-utf8') return 'Charset or body misformed, rejected'
  return message
}

function misformed(name: string, code: string, field: string): Problem {
  return new Problem(400, code, `${name} field misformed, rejected`, { field })
}

/** @returns undefined when the field is absent */
function whole(form: Form, field: string, name: string, [min, max]: [number, number]): number | undefined {
  const text = form.first(field)
  if (text === undefined) return undefined
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw misformed(name, 'out-of-range', field)
}

function messageOf(form: Form): Omit<SubmitRequest, 'source'> {
  const coding = whole(form, 'coding', 'Coding', [0, 2])
  if (coding === 1 || form.first('udh') !== undefined)
    throw new Problem(
      400,
      'binary-unsupported',
      'Binary messages (udh, coding 1) are not possible here, rejected',
      {
        field: coding === 1 ? 'coding' : 'udh',
      },
    )
  if ((whole(form, 'deferred', 'Deferred', [0, 999_999_999]) ?? 0) > 0)
    throw new Problem(400, 'later-unsupported', 'Deferred messages are not possible here, rejected', {
      field: 'deferred',
    })
  const to = (form.text('to') ?? '').split(/\s+/).filter((one) => one !== '')
  if (to.length === 0) {
    const words =
      form.text('to') === undefined ? 'Missing receiver number' : 'Empty receiver number not allowed'
    throw new Problem(400, 'no-recipient', `${words}, rejected`, { field: 'to' })
  }
  const charset = form.first('charset') ?? (coding === 2 ? 'utf-16be' : 'utf-8')
  const text = form.text('text', charset.toLowerCase()) ?? ''
  const priority = whole(form, 'priority', 'Priority', [0, 3])
  const minutes = whole(form, 'validity', 'Validity', [0, 635_040])
  const callback = callbackOf(form)
  return {
    to,
    text: text === '' ? ' ' : text,
    flash: whole(form, 'mclass', 'MClass', [0, 3]) === 0,
    ...(priority === undefined ? {} : { priority: priorities[priority] ?? 2 }),
    ...(minutes === undefined || minutes === 0 ? {} : { validity: minutes * 60_000 }),
    ...(callback === undefined ? {} : { callback }),
  }
}

/** By Kannel's. */
const priorities: readonly Priority[] = [3, 2, 1, 0]

function callbackOf(form: Form): Callback | undefined {
  const url = form.first('dlr-url', 'dlrurl')
  const field = form.first('dlr-mask') === undefined ? 'dlrmask' : 'dlr-mask'
  const mask = whole(form, field, 'DLR-Mask', [0, 127])
  if (url === undefined || mask === undefined || mask === 0) return undefined
  return {
    api: 'kannel',
    url: callbackUrl(url, 'dlr-url'),
    values: {
      mask: String(mask),
      from: form.first('from') ?? '',
      user: form.first('username', 'user') ?? '',
      smsc: form.first('smsc') ?? '',
      account: form.first('account') ?? '',
    },
  }
}
