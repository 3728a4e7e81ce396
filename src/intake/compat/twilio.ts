/**
 * Twilio's Messages resource of 2010-04-01 (its public API reference): make one, look at one, status callbacks. The
 * account is any, the auth token is the token. A sid is `SM` and the 32 digits of our id, so that one follows from the
 * other.
 */
import { createHash } from 'node:crypto'
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { Callback, Message } from '#messages/message.ts'
import type { MessageView } from '#store/contract.ts'
import type { Api } from '../http/parts.ts'
import { Problem } from '../http/problems.ts'
import { callbackUrl } from './callback-url.ts'
import type { Door, ForeignApi } from './contract.ts'
import { credentials, Form } from './form.ts'
import { type Status, sidOf, statusOf } from './twilio-status.ts'

const TEXT_MOST = 1_600

interface Places {
  account: string
  file: string
}

export const twilio: ForeignApi = {
  name: 'twilio',
  routes(api: Api, door: Door) {
    api.post<{ Params: Pick<Places, 'account'> }>(
      '/2010-04-01/Accounts/:account/Messages.json',
      async (request, reply) => {
        const caller = await door.admit(credentials(request.headers.authorization), 'send')
        const asked = messageOf(Form.ofBody(request.body), request.params.account)
        const key = request.headers['i-twilio-idempotency-token']
        const { view } = await door.submit(caller, {
          ...asked,
          ...(typeof key === 'string' && key !== '' ? { key: keyOf(caller.id, key, asked) } : {}),
        })
        return reply.code(201).send(resource(view, request.params.account))
      },
    )
    api.get<{ Params: Places }>('/2010-04-01/Accounts/:account/Messages/:file', async (request, reply) => {
      await door.admit(credentials(request.headers.authorization), 'read')
      const id = idOf(request.params.file)
      const view = id === undefined ? undefined : await door.message(id)
      if (view === undefined)
        throw new Problem(404, 'message-unknown', 'The requested resource was not found', { field: 'sid' })
      return reply.send(resource(view, request.params.account))
    })
  },
  refuse(reply, problem) {
    const { status } = problem
    const code = codeOf(problem)
    if (status === 401) reply.header('www-authenticate', 'Basic realm="Twilio API"')
    reply.code(status === 403 ? 401 : status).send({
      code,
      message: status === 401 || status === 403 ? 'Authenticate' : problem.message,
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status: status === 403 ? 401 : status,
    })
  },
}

/** Twilio's own codes, so far as there is one that says the same. */
const codes: Record<string, number> = {
  'no-recipient': 21604,
  'invalid-recipient': 21211,
  'no-route': 21408,
  'empty-text': 21602,
  'text-too-long': 21617,
  'invalid-callback': 21609,
  'later-unsupported': 35114,
}

function codeOf({ status, code }: Problem): number {
  if (status === 401 || status === 403) return 20003
  if (status === 404) return 20404
  return codes[code] ?? (status >= 500 ? 20500 : 20001)
}

function idOf(file: string): string | undefined {
  const parts = /^SM([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})(?:\.json)?$/.exec(file)
  return parts?.slice(1).join('-')
}

function keyOf(caller: string, token: string, asked: object): { key: string; bodyHash: string } {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  return { key: `twilio:${hash(`${caller} ${token}`)}`, bodyHash: hash(JSON.stringify(asked)) }
}

function messageOf(form: Form, account: string): Omit<SubmitRequest, 'source'> {
  if (form.first('SendAt', 'ScheduleType') !== undefined)
    throw new Problem(400, 'later-unsupported', 'SendAt: messages are sent at once here; leave it out', {
      field: 'SendAt',
    })
  const to = form.list('To')
  if (to.length === 0)
    throw new Problem(400, 'no-recipient', "A 'To' phone number is required.", { field: 'To' })
  const text = form.text('Body') ?? ''
  if (text === '') throw new Problem(400, 'empty-text', 'Message body is required.', { field: 'Body' })
  if (text.length > TEXT_MOST)
    throw new Problem(400, 'text-too-long', `Body: exceeds the ${TEXT_MOST} character limit`, {
      field: 'Body',
    })
  const seconds = form.first('ValidityPeriod')
  if (seconds !== undefined && !/^\d{1,8}$/.test(seconds))
    throw new Problem(400, 'invalid-validity', 'ValidityPeriod: must be a number of seconds', {
      field: 'ValidityPeriod',
    })
  const url = form.first('StatusCallback')
  const from = form.first('From', 'MessagingServiceSid') ?? ''
  const callback: Callback = {
    api: 'twilio',
    url: url === undefined ? '' : callbackUrl(url, 'StatusCallback'),
    values: { from, account },
  }
  return {
    to,
    text,
    ...(seconds === undefined ? {} : { validity: Number(seconds) * 1_000 }),
    ...(url === undefined ? {} : { callback }),
  }
}

const segmentsOf = ({ deliveries }: MessageView): number =>
  deliveries.reduce((sum, { parts }) => Math.max(sum, parts), 1)

/** The status of a message to several is that of its slowest recipient. */
const order: readonly Status[] = ['queued', 'sending', 'sent', 'failed', 'undelivered', 'delivered']

function resource(view: MessageView, account: string): object {
  const { message, deliveries } = view
  const status = deliveries
    .map((delivery) => statusOf(delivery))
    .sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))[0]
  const sid = sidOf(message.id)
  const uri = `/2010-04-01/Accounts/${account}/Messages/${sid}`
  const sent = deliveries.flatMap(
    ({ timeline }) => timeline.find(({ event }) => event === 'accepted')?.at ?? [],
  )[0]
  return {
    sid,
    account_sid: account,
    api_version: '2010-04-01',
    body: message.text,
    date_created: rfc2822(message.at),
    date_sent: sent === undefined ? null : rfc2822(sent),
    date_updated: rfc2822(
      deliveries.reduce((at, { timeline }) => Math.max(at, timeline.at(-1)?.at ?? 0), message.at),
    ),
    direction: 'outbound-api',
    error_code: status?.error ?? null,
    error_message: status?.reason ?? null,
    from: fromOf(message),
    messaging_service_sid: null,
    num_media: '0',
    num_segments: String(segmentsOf(view)),
    price: null,
    price_unit: 'USD',
    status: status?.status ?? 'queued',
    subresource_uris: { media: `${uri}/Media.json` },
    to: deliveries[0]?.to ?? null,
    uri: `${uri}.json`,
  }
}

/** The sender is whatever SIM sends it; the wish is kept only where a callback repeats it. */
const fromOf = ({ callback }: Message): string | null =>
  callback?.api === 'twilio' && callback.values['from'] ? callback.values['from'] : null

/** RFC 2822 3.3, in UTC. */
const rfc2822 = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000')
