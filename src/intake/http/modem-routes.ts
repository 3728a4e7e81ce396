/** The search for modems over HTTP: what is plugged into a member and is no line yet. Changes nothing. */
import type { FoundPort } from '#dispatch/modem-search.ts'
import { requires } from './auth.ts'
import { atMember } from './forward.ts'
import { memberQuery } from './line-schemas.ts'
import * as schemas from './modem-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'

export function modemRoutes(api: Api, parts: Parts, search: () => Promise<FoundPort[]>): void {
  const { access, node, forward } = parts
  let searching = false
  atMember(api, node, forward, (scope) => {
    scope.post(
      '/modems/search',
      {
        onRequest: requires('admin', access),
        schema: {
          tags: ['lines'],
          summary: 'Look for modems at the serial ports that no line uses; takes up to 9 s, changes nothing',
          querystring: memberQuery,
          response: { 200: schemas.modemSearch },
        },
      },
      async (): Promise<schemas.ModemSearchView> => {
        if (searching) {
          const text = 'a search is under way already, and only one can speak to the ports: ask again in 10 s'
          throw new Problem(409, 'search-running', text)
        }
        searching = true
        try {
          return { node, items: await search() }
        } finally {
          searching = false
        }
      },
    )
  })
}
