/** Messages over HTTP: accept, list, look up, cancel, send again. */
import { createHash } from 'node:crypto'
import { parseDuration } from '#core/duration.ts'
import { type ActionResult, type Dispatch, limits, type SubmitRequest } from '#dispatch/contract.ts'
import { requires } from './auth.ts'
import { forwarded } from './forward.ts'
import { roomForBody } from './large-bodies.ts'
import type { Api, Parts } from './parts.ts'
import { notTaken, Problem } from './problems.ts'
import { listQuery, queueRoutes } from './queue-routes.ts'
import { messageQuery } from './queue-schemas.ts'
import type { Shape } from './schemas.ts'
import * as schemas from './schemas.ts'
import { acceptedView, detailView, inboxView, messageView, pageView } from './views.ts'

type NewMessage = Shape<typeof schemas.newMessage>

const fields = Object.keys(schemas.newMessage.properties)

/** Over the fields in one fixed order, so that the order and the white space of the JSON do not matter. */
const bodyHash = (body: NewMessage): string =>
  createHash('sha256').update(JSON.stringify(body, fields)).digest('hex')

function submitRequest(body: NewMessage, source: string, key: string | undefined): SubmitRequest {
  const { validity, ...same } = body
  for (const field of ['text', 'tag'] as const) {
    // A lone half of a surrogate pair is no character: it could be neither stored nor sent as it came.
    if (body[field]?.isWellFormed() === false)
      throw new Problem(400, 'malformed-text', `${field} holds half a surrogate pair`, { field })
  }
  const request: SubmitRequest = { ...same, source }
  if (validity !== undefined) {
    const ms = parseDuration(validity)
    if (ms === undefined)
      throw new Problem(400, 'invalid-validity', 'validity must be a span such as 30m', { field: 'validity' })
    request.validity = ms
  }
  if (key !== undefined) request.key = { key, bodyHash: bodyHash(body) }
  return request
}

function actionView(
  result: ActionResult,
  dispatch: Pick<Dispatch, 'replicated'>,
): Shape<typeof schemas.messageDetail> {
  switch (result.result) {
    case 'done':
      return detailView(result.view, dispatch.replicated(result.view.message))
    case 'notFound':
      throw new Problem(404, 'message-unknown', 'there is no message with this id', { field: 'id' })
    case 'tooLate':
      throw new Problem(409, result.reason.code, result.reason.text)
  }
}

export function messageRoutes(api: Api, parts: Parts): void {
  const { dispatch, store, clock, metrics, access, forward, pair } = parts
  const send = requires('send', access)
  const read = requires('read', access)
  const tags = ['messages']

  api.post(
    '/messages',
    {
      onRequest: [send, roomForBody()],
      bodyLimit: limits.body,
      schema: {
        tags,
        summary: 'Accept a message; 202 means that it is on disk',
        body: schemas.newMessage,
        headers: schemas.idempotencyHeader,
        response: { 202: schemas.accepted },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key']
      const result = await dispatch.submit(submitRequest(request.body, request.source, key))
      switch (result.result) {
        case 'accepted':
          if (result.replayed) reply.header('idempotent-replay', 'true')
          else metrics.accepted('http')
          reply.code(202)
          return acceptedView(result.view, result.replicated)
        case 'conflict':
          throw new Problem(409, 'key-reused', 'this Idempotency-Key came before with another body', {
            field: 'Idempotency-Key',
          })
        default:
          throw notTaken(result)
      }
    },
  )

  api.get(
    '/messages',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Messages, newest first',
        querystring: messageQuery,
        response: { 200: schemas.messagePage },
      },
    },
    async ({ query }) =>
      pageView(await store.messages(listQuery(query, clock.now())), (view) =>
        messageView(view, dispatch.replicated(view.message)),
      ),
  )

  queueRoutes(api, parts)

  api.get(
    '/messages/:id',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'One message with everything that happened to it',
        params: schemas.idParam,
        querystring: schemas.deliveriesQuery,
        response: { 200: schemas.messageDetail },
      },
    },
    async ({ params, query: { from = '0' } }) => {
      const view = await store.message(params.id, Number(from))
      return actionView(view === undefined ? { result: 'notFound' } : { result: 'done', view }, dispatch)
    },
  )

  // Whoever transmits must decide this: another member's answer could come too late to be true.
  forwarded(api, pair?.config.mode === 'active-active' ? undefined : forward, (scope) => {
    scope.delete(
      '/messages/:id',
      {
        onRequest: send,
        schema: {
          tags,
          summary: 'Cancel what has not been transmitted',
          params: schemas.idParam,
          response: { 200: schemas.messageDetail },
        },
      },
      async ({ params }) => actionView(await dispatch.cancel(params.id), dispatch),
    )

    scope.post(
      '/messages/:id/retry',
      {
        onRequest: send,
        schema: {
          tags,
          summary: 'Queue failed, expired, cancelled and unknown deliveries again',
          params: schemas.idParam,
          response: { 200: schemas.messageDetail },
        },
      },
      async ({ params }) => actionView(await dispatch.retry(params.id), dispatch),
    )
  })

  api.get(
    '/inbox',
    {
      onRequest: read,
      schema: {
        tags: ['inbox'],
        summary: 'Received messages, newest first',
        querystring: schemas.inboxQuery,
        response: { 200: schemas.inboxPage },
      },
    },
    async ({ query }) => pageView(await store.inbox({ ...query, limit: query.limit ?? 50 }), inboxView),
  )
}
