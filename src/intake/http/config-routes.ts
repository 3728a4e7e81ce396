/**
 * The replicated configuration over HTTP: to look at with the scope read, to change with the scope admin. Changes are
 * made on the active member, wherever they come in.
 */
import type { Settings } from '#config/settings.ts'
import { requires } from './auth.ts'
import * as schemas from './config-schemas.ts'
import { conflictsView, conflictUnknown, historyView, noted, settingsView } from './config-views.ts'
import { forwarded } from './forward.ts'
import type { Api, Parts } from './parts.ts'

export function configRoutes(api: Api, parts: Parts, settings: Settings): void {
  const { access, records, forward } = parts
  const read = requires('read', access)
  const admin = requires('admin', access)
  const tags = ['configuration']

  api.get(
    '/config',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'The settings that all members share, and where each value comes from',
        response: { 200: schemas.settingList },
      },
    },
    async () => settingsView(settings, parts.trials?.current()),
  )

  api.get(
    '/config/history',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Every change, newest first',
        querystring: schemas.historyQuery,
        response: { 200: schemas.history },
      },
    },
    async ({ query: { limit = 100, after } }) => {
      const newest = settings.history().toReversed()
      const begin = after === undefined ? 0 : newest.findIndex(({ id }) => id === after) + 1
      const items = after !== undefined && begin === 0 ? [] : newest.slice(begin, begin + limit)
      const last = items.at(-1)
      const more = last !== undefined && begin + items.length < newest.length
      return { items: items.map(historyView), ...(more ? { next: last.id } : {}) }
    },
  )

  api.get(
    '/config/conflicts',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'What was changed while the members were apart and does not hold, until somebody settles it',
        response: { 200: schemas.conflictList },
      },
    },
    async () => conflictsView(settings),
  )

  forwarded(api, forward, (scope) => {
    scope.patch(
      '/config',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Change settings',
          body: schemas.changes,
          response: { 200: schemas.changed },
        },
      },
      async ({ body, source }) => {
        const wanted = Object.entries(body).map(([path, value]) => ({ path, value: value ?? undefined }))
        return noted(records, source, await settings.set(wanted, source))
      },
    )

    scope.post(
      '/config/restore',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Bring back what a revision set, or what was before it; settles its conflicts',
          body: schemas.restoreRequest,
          response: { 200: schemas.changed },
        },
      },
      async ({ body, source }) =>
        noted(records, source, await settings.restore(body.revision, source, body.value, body.path)),
    )

    scope.post(
      '/config/dismiss',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Settle a conflict: the value that holds is right',
          body: schemas.dismissRequest,
          response: { 204: { type: 'null', description: 'Settled' } },
        },
      },
      async ({ body: { revision, path }, source }, reply) => {
        if (!(await settings.dismiss(revision, path))) throw conflictUnknown()
        records?.audit.write(source, 'conflict-dismissed', `conflict of revision ${revision} was dismissed`)
        reply.code(204)
      },
    )
  })
}
