/**
 * Contacts and groups over HTTP: listed with the scope read, changed with the scope admin on the active member, each
 * change one revision of the replicated settings. A table is taken whole or not at all.
 */
import { isUtf8 } from 'node:buffer'
import { planImport } from '#config/contact-import.ts'
import { nameKey } from '#config/contacts.ts'
import { entryPath } from '#config/entries.ts'
import type { Settings, WantedChange } from '#config/settings.ts'
import { requires } from './auth.ts'
import { changed } from './config-schemas.ts'
import { noted } from './config-views.ts'
import * as schemas from './contact-schemas.ts'
import { forwarded } from './forward.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'

/** Bytes of a table: 10,000 lines and more. */
const TABLE_LIMIT = 4_000_000
/** Problems that the refusal of a table names; the preview names more. */
const TOLD = 20

export function contactRoutes(api: Api, parts: Parts, settings: Settings): void {
  const { access, records, forward } = parts
  const read = requires('read', access)
  const admin = requires('admin', access)
  const tags = ['contacts']

  api.addContentTypeParser(
    'text/csv',
    { parseAs: 'buffer', bodyLimit: TABLE_LIMIT },
    (_request, body, done) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body)
      if (isUtf8(bytes)) done(null, bytes.toString())
      else
        done(new Problem(400, 'not-utf8', 'the table is not in UTF-8; in a spreadsheet choose "CSV UTF-8"'))
    },
  )

  api.get(
    '/contacts',
    { onRequest: read, schema: { tags, summary: 'All contacts', response: { 200: schemas.contactList } } },
    async () => ({ items: settings.current().contacts }),
  )

  api.get(
    '/groups',
    { onRequest: read, schema: { tags, summary: 'All groups', response: { 200: schemas.groupList } } },
    async () => ({ items: settings.current().groups }),
  )

  forwarded(api, forward, (scope) => {
    const change = async (changes: WantedChange[], source: string) =>
      noted(records, source, await settings.set(changes, source))

    for (const [list, body] of [
      ['contacts', schemas.contactFields],
      ['groups', schemas.groupFields],
    ] as const) {
      const kind = list === 'contacts' ? 'contact' : 'group'
      scope.put(
        `/${list}/:id`,
        {
          onRequest: admin,
          bodyLimit: TABLE_LIMIT,
          schema: {
            tags,
            summary: `Make or replace a ${kind}`,
            params: schemas.entryParam,
            querystring: schemas.entryQuery,
            body,
            response: { 200: changed },
          },
        },
        async ({ params: { id }, query: { only }, body, source }) => {
          if (only === 'existing' && !isKnown(settings, list, id)) throw unknown(list, id)
          if (only === 'new' && isKnown(settings, list, id)) {
            const detail = `there is a ${kind} ${JSON.stringify(id)} already; nothing was changed`
            throw new Problem(409, 'entry-exists', detail, { field: 'id' })
          }
          return change([{ path: entryPath(list, id), value: { id, ...body } }], source)
        },
      )
      scope.delete(
        `/${list}/:id`,
        {
          onRequest: admin,
          schema: {
            tags,
            summary: `Remove a ${kind}, and take it out of every group`,
            params: schemas.entryParam,
            response: { 200: changed },
          },
        },
        async ({ params: { id }, source }) => change(removal(settings, list, id), source),
      )
    }

    scope.post(
      '/contacts/import',
      {
        onRequest: admin,
        bodyLimit: TABLE_LIMIT,
        schema: {
          tags,
          summary: 'Take a table of contacts in (text/csv): columns id, name, sms, fax, mail, groups',
          consumes: ['text/csv'],
          querystring: schemas.importQuery,
          // Another member sends it on as a JSON text.
          body: { type: 'string', maxLength: TABLE_LIMIT },
          response: { 200: schemas.importReport },
        },
      },
      async ({ body, query, source }) => {
        const { changes, ...report } = planImport(body, settings.current())
        if (query.preview === 'true') return { ...report, applied: false }
        if (report.problems.length > 0) {
          const told = report.problems.slice(0, TOLD).map(({ line, text }) => `line ${line}: ${text}`)
          const more = report.problems.length - told.length
          const text = [...told, ...(more > 0 ? [`and ${more} more`] : []), 'nothing was changed'].join('\n')
          throw new Problem(400, 'import-invalid', text, { field: `line ${report.problems[0]?.line}` })
        }
        const { revision } = await change(changes, source)
        return { ...report, applied: true, ...(revision === undefined ? {} : { revision: revision.id }) }
      },
    )
  })
}

type List = 'contacts' | 'groups'

const isKnown = (settings: Settings, list: List, id: string): boolean =>
  settings.current()[list].some((entry) => nameKey(entry.id) === nameKey(id))

function unknown(list: List, id: string): Problem {
  const kind = list === 'contacts' ? 'contact' : 'group'
  const detail = `there is no ${kind} ${JSON.stringify(id)}, or not any more; nothing was changed`
  return new Problem(404, `${kind}-unknown`, detail, { field: 'id' })
}

function removal(settings: Settings, list: List, id: string): WantedChange[] {
  if (!isKnown(settings, list, id)) throw unknown(list, id)
  const { groups } = settings.current()
  const left = groups
    .filter((group) => nameKey(group.id) !== nameKey(id))
    .filter(({ members }) => members.some((member) => nameKey(member) === nameKey(id)))
    .map((group) => ({
      ...group,
      members: group.members.filter((member) => nameKey(member) !== nameKey(id)),
    }))
  return [
    { path: entryPath(list, id), value: null },
    ...left.map((group) => ({ path: entryPath('groups', group.id), value: group })),
  ]
}
