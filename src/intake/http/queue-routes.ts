/** The queue over HTTP: how much is in which state, what is moved to another line, much of it acted on at once. */
import type { ActionResult, MoveResult } from '#dispatch/contract.ts'
import { type DeliveryState, deliveryStates } from '#messages/states.ts'
import type { ListQuery } from '#store/contract.ts'
import { requires } from './auth.ts'
import { forwarded } from './forward.ts'
import { messageDetail } from './message-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import * as schemas from './queue-schemas.ts'
import { idParam } from './schemas.ts'
import { timeAsked } from './times.ts'
import { detailView } from './views.ts'

/** 500 ids of 36 characters, and what stands between them. */
const BODY_LIMIT = 65_536
/** Messages acted on at a time, so that their writes share transactions and new ones get in between. */
const AT_ONCE = 25

/** @throws Problem that names what is wrong */
export function listQuery(
  { limit = 50, state, since, until, archived, ...same }: schemas.MessageQuery,
  now: number,
): ListQuery {
  const from = timeAsked('since', since, now)
  const to = timeAsked('until', until, now)
  return {
    ...same,
    limit,
    ...(state === undefined ? {} : { state: statesAsked(state) }),
    ...(from === undefined ? {} : { since: from }),
    ...(to === undefined ? {} : { until: to }),
    ...(archived === undefined ? {} : { archived: archived === 'yes' }),
  }
}

function statesAsked(text: string): DeliveryState | DeliveryState[] {
  const states = text.split(',').map((word) => {
    const state = deliveryStates.find((one) => one === word)
    if (state === undefined) {
      const rule = `state must be one of ${deliveryStates.join(', ')}, or several of them with commas between`
      throw new Problem(400, 'not-allowed', rule, { field: 'state', allowed: deliveryStates })
    }
    return state
  })
  const [only] = states
  return states.length === 1 && only !== undefined ? only : states
}

export function queueRoutes(api: Api, parts: Parts): void {
  const { dispatch, store, access, records } = parts
  const read = requires('read', access)
  const operate = requires('operate', access)
  const tags = ['messages']

  async function act(action: schemas.ActionsRequest['action'], id: string, line: string | undefined) {
    switch (action) {
      case 'retry':
        return dispatch.retry(id)
      case 'cancel':
        return dispatch.cancel(id)
      case 'move':
        return dispatch.move(id, line ?? '')
    }
  }

  api.get(
    '/messages/counts',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'How many deliveries are in each state; the archive is not counted',
        response: { 200: schemas.messageCounts },
      },
    },
    async (): Promise<schemas.MessageCounts> => {
      const { claimed: _, ...found } = await store.stateCounts()
      return { states: { ...none, ...found } }
    },
  )

  // Who transmits decides; in mode active-active that is each member for what it holds.
  forwarded(api, parts.pair?.config.mode === 'active-active' ? undefined : parts.forward, (scope) => {
    scope.post(
      '/messages/:id/move',
      {
        onRequest: operate,
        schema: {
          tags,
          summary: 'Give what is still queued to a line; others take it only while that one is out of use',
          params: idParam,
          body: schemas.moveRequest,
          response: { 200: messageDetail },
        },
      },
      async ({ params, body, source }) => {
        const result = await dispatch.move(params.id, body.line)
        const refusal = refused(result)
        if (refusal !== undefined) throw refusal
        if (result.result !== 'done') throw new Error('a move ended in no known way')
        records?.audit.write(source, 'queue-changed', `message ${params.id} was given to line ${body.line}`)
        return detailView(result.view, dispatch)
      },
    )

    scope.post(
      '/messages/actions',
      {
        onRequest: operate,
        bodyLimit: BODY_LIMIT,
        schema: {
          tags,
          summary: 'Retry, cancel or move many messages; each has its own result',
          body: schemas.actionsRequest,
          response: { 200: schemas.actionsResult },
        },
      },
      async ({ body: { action, line, ids }, source }): Promise<schemas.ActionsResult> => {
        if (action === 'move' && line === undefined)
          throw new Problem(400, 'missing-field', 'line is missing', { field: 'line' })
        const wanted = [...new Set(ids)]
        const results: schemas.ActionsResult['results'] = []
        for (let n = 0; n < wanted.length; n += AT_ONCE) {
          const some = wanted.slice(n, n + AT_ONCE)
          results.push(
            ...(await Promise.all(some.map(async (id) => resultOf(id, await act(action, id, line))))),
          )
        }
        const done = results.filter((result) => result.done).length
        const where = line === undefined ? '' : ` to ${line}`
        records?.audit.write(
          source,
          'queue-changed',
          `${action}${where}: ${done} of ${wanted.length} messages`,
        )
        return { results }
      },
    )
  })
}

const none = {
  queued: 0,
  submitting: 0,
  sent: 0,
  delivered: 0,
  acknowledged: 0,
  unknown: 0,
  failed: 0,
  expired: 0,
  cancelled: 0,
}

function resultOf(id: string, result: ActionResult | MoveResult): schemas.ActionsResult['results'][number] {
  const refusal = refused(result)
  return refusal === undefined
    ? { id, done: true }
    : { id, done: false, code: refusal.code, text: refusal.message }
}

/** Why nothing was done; undefined when it was. */
export function refused(result: ActionResult | MoveResult): Problem | undefined {
  switch (result.result) {
    case 'done':
      return undefined
    case 'notFound':
      return new Problem(404, 'message-unknown', 'there is no message with this id', { field: 'id' })
    case 'tooLate':
      return new Problem(409, result.reason.code, result.reason.text)
    case 'noLine': {
      const { allowed } = result
      const text = 'the member that sends has no such line for messages of this kind'
      return new Problem(400, 'line-unknown', text, { field: 'line', allowed })
    }
  }
}
