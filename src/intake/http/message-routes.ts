/** Messages over HTTP: list, look up, cancel, send again; accepting stands in accept-route.ts. */
import type { ActionResult, Dispatch } from '#dispatch/contract.ts'
import { acceptRoute } from './accept-route.ts'
import { requires } from './auth.ts'
import { documentRoutes } from './document-routes.ts'
import { forwarded } from './forward.ts'
import * as schemas from './message-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { listQuery, queueRoutes } from './queue-routes.ts'
import { messageQuery } from './queue-schemas.ts'
import type { Shape } from './schemas.ts'
import { idParam } from './schemas.ts'
import { detailView, inboxView, messageView, pageView } from './views.ts'
import { withWaiting } from './waiting-elsewhere.ts'

function actionView(
  result: ActionResult,
  dispatch: Pick<Dispatch, 'replicated' | 'waiting'>,
): Shape<typeof schemas.messageDetail> {
  switch (result.result) {
    case 'done':
      return detailView(result.view, dispatch)
    case 'notFound':
      throw new Problem(404, 'message-unknown', 'there is no message with this id', { field: 'id' })
    case 'tooLate':
      throw new Problem(409, result.reason.code, result.reason.text)
  }
}

export function messageRoutes(api: Api, parts: Parts): void {
  const { dispatch, store, clock, access, forward, pair, records } = parts
  const send = requires('send', access)
  const read = requires('read', access)
  const tags = ['messages']

  // In a scope of its own: no other route takes multipart.
  void api.register((scope: Api, _options, done) => {
    acceptRoute(scope, parts)
    done()
  })
  documentRoutes(api, parts)

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
      // Another member asks what deliveries wait for here.
      config: { forwardable: true },
      schema: {
        tags,
        summary: 'One message with everything that happened to it',
        params: idParam,
        querystring: schemas.deliveriesQuery,
        response: { 200: schemas.messageDetail },
      },
    },
    async ({ params, query: { from = '0' }, url: path, source: author }) => {
      const view = await store.message(params.id, Number(from))
      const detail = actionView(
        view === undefined ? { result: 'notFound' } : { result: 'done', view },
        dispatch,
      )
      return withWaiting(detail, view?.deliveries ?? [], parts, { path, author })
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
          params: idParam,
          response: { 200: schemas.messageDetail },
        },
      },
      async ({ params: { id }, source }) => {
        const done = actionView(await dispatch.cancel(id), dispatch)
        records?.audit.write(source, 'queue-changed', `message ${id} was cancelled`)
        return done
      },
    )

    scope.post(
      '/messages/:id/retry',
      {
        onRequest: send,
        schema: {
          tags,
          summary: 'Queue failed, expired, cancelled and unknown deliveries again',
          params: idParam,
          response: { 200: schemas.messageDetail },
        },
      },
      async ({ params: { id }, source }) => {
        const done = actionView(await dispatch.retry(id), dispatch)
        records?.audit.write(source, 'queue-changed', `message ${id} is sent again`)
        return done
      },
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
