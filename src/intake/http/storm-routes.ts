/** What the storm guard holds back, over HTTP: nothing that was accepted vanishes without standing here. */
import { foldedCodes } from '#dispatch/storm.ts'
import type { StormView } from '#dispatch/storm-guard.ts'
import { requires } from './auth.ts'
import * as schemas from './contact-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { object, pageQuery } from './schemas.ts'
import { iso } from './views.ts'

export function stormRoutes(api: Api, { access, store }: Parts, view: () => StormView): void {
  const read = requires('read', access)
  const tags = ['storm guard']

  api.get(
    '/storm',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'What it holds back now, as this member knows it',
        response: { 200: schemas.stormView },
      },
    },
    async () => {
      const { on, pending, lines } = view()
      return { on, pending: pending.map(({ to, count, due }) => ({ to, count, due: iso(due) })), lines }
    },
  )

  api.get(
    '/storm/folded',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Deliveries that it folded, newest first; a page may be empty and still have a next one',
        querystring: object(pageQuery, []),
        response: { 200: schemas.foldedPage },
      },
    },
    async ({ query: { limit = 50, after } }) => {
      const page = await store.messages({
        limit,
        state: 'cancelled',
        ...(after === undefined ? {} : { after }),
      })
      const items = page.items.flatMap(({ message, deliveries }) =>
        deliveries.flatMap(({ id, to, state, reason, timeline }) =>
          state === 'cancelled' && reason !== undefined && foldedCodes.has(reason.code)
            ? {
                message: message.id,
                delivery: id,
                to,
                at: iso(timeline.at(-1)?.at ?? message.at),
                code: reason.code,
                reason: reason.text,
                text: message.text,
              }
            : [],
        ),
      )
      return { items, ...(page.next === undefined ? {} : { next: page.next }) }
    },
  )
}
