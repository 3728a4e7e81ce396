/** What is done about received messages: what was given up and may be wanted again, and who wants no messages. */
import type { StopList } from '#dispatch/stop-list.ts'
import type { ActionRecords } from '../inbound/action-records.ts'
import { type Action, actionId } from '../inbound/plan.ts'
import { requires } from './auth.ts'
import { forwarded } from './forward.ts'
import * as schemas from './inbound-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { idParam } from './schemas.ts'
import { iso, pageView } from './views.ts'

export interface InboundService {
  actions: ActionRecords
  stops: StopList
}

const actionView = (id: string, { kind, rule, to, state, attempts, result }: Action) => ({
  id,
  action: kind,
  rule,
  state,
  attempts,
  ...(to === undefined ? {} : { to: [...to] }),
  ...(result === undefined ? {} : { reason: result }),
})

/** At most so many are wanted again by one request. */
const REPLAYED_AT_ONCE = 1_000

export function inboundRoutes(
  api: Api,
  { access, forward, records }: Parts,
  { actions, stops }: InboundService,
): void {
  const read = requires('read', access)
  const send = requires('send', access)
  const tags = ['inbox']
  const told = (source: string, what: string, text: string) => records?.audit.write(source, what, text)

  api.get(
    '/inbound/dead',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'What was to be done about received messages and was given up, oldest first',
        querystring: schemas.deadQuery,
        response: { 200: schemas.deadPage },
      },
    },
    async ({ query }) => {
      const after = query.after === undefined ? {} : { after: Number(query.after) }
      return pageView(
        await actions.list({ limit: query.limit ?? 50, ...after }),
        ({ id, entry, from, at, action }) => ({ ...actionView(id, action), inbox: entry, from, at: iso(at) }),
      )
    },
  )

  api.get(
    '/inbox/:id/actions',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'What was to be done about a received message, and what became of it',
        params: idParam,
        response: { 200: schemas.actionList },
      },
    },
    async ({ params }) => {
      const plan = await actions.of(params.id)
      if (plan === undefined)
        throw new Problem(404, 'plan-unknown', 'nothing is decided about a message with this id', {
          field: 'id',
        })
      return {
        at: iso(plan.at),
        ...(plan.skipped === undefined ? {} : { skipped: plan.skipped }),
        items: plan.actions.map((action, n) => actionView(actionId(params.id, n), action)),
      }
    },
  )

  // Whoever acts must learn of it at once, and holds plans in memory that another member would write over.
  forwarded(api, forward, (scope) => {
    scope.post(
      '/inbound/dead/:id/replay',
      {
        onRequest: send,
        schema: {
          tags,
          summary: 'Try what was given up again, from the first attempt',
          params: schemas.actionIdParam,
          response: { 200: schemas.replayed },
        },
      },
      async ({ params, source }) => {
        if ((await actions.replay(params.id)) === undefined)
          throw new Problem(404, 'action-unknown', 'nothing with this id was given up', { field: 'id' })
        told(source, 'inbound-replayed', `${params.id} is tried again`)
        return { replayed: 1 }
      },
    )

    scope.post(
      '/inbound/dead/replay',
      {
        onRequest: send,
        schema: {
          tags,
          summary: `Try everything that was given up again, ${REPLAYED_AT_ONCE} at most`,
          response: { 200: schemas.replayed },
        },
      },
      async ({ source }) => {
        const { items } = await actions.list({ limit: REPLAYED_AT_ONCE })
        let replayed = 0
        for (const { id } of items) if (await actions.replay(id)) replayed += 1
        told(source, 'inbound-replayed', `${replayed} actions are tried again`)
        return { replayed }
      },
    )
  })

  api.get(
    '/inbound/stopped',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Numbers to which only priority 0 is sent',
        response: { 200: schemas.stoppedList },
      },
    },
    async () => ({ items: stops.list().map(({ number, since }) => ({ number, since: iso(since) })) }),
  )

  api.put(
    '/inbound/stopped/:number',
    {
      onRequest: send,
      schema: {
        tags,
        summary: 'Put a number on the stop list',
        params: schemas.numberParam,
        response: { 200: schemas.stoppedState },
      },
    },
    async ({ params, source }) => {
      if (await stops.add(params.number))
        told(source, 'stop-listed', `${params.number} was put on the stop list`)
      return { number: params.number, stopped: true }
    },
  )

  api.delete(
    '/inbound/stopped/:number',
    {
      onRequest: send,
      schema: {
        tags,
        summary: 'Take a number off the stop list',
        params: schemas.numberParam,
        response: { 200: schemas.stoppedState },
      },
    },
    async ({ params, source }) => {
      if (!(await stops.remove(params.number)))
        throw new Problem(404, 'number-unknown', 'this number is not on the stop list', { field: 'number' })
      told(source, 'stop-lifted', `${params.number} was taken off the stop list`)
      return { number: params.number, stopped: false }
    },
  )
}
