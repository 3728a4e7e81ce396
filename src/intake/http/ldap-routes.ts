/**
 * The import of contacts from a directory over HTTP: what the last run came to, and one more now. Only the active member
 * asks the directory, so every request goes to it.
 */
import { formatDuration } from '#core/duration.ts'
import type { LdapImport } from '../ldap/import.ts'
import { requires } from './auth.ts'
import { forwarded } from './forward.ts'
import * as schemas from './ldap-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { iso } from './views.ts'

export type LdapService = Pick<LdapImport, 'source' | 'state' | 'run'>

function viewOf(node: string, ldap: LdapService | undefined): schemas.LdapView {
  if (ldap === undefined) return { node, configured: false, running: false }
  const { last, succeeded, next, running } = ldap.state()
  const { every, ...source } = ldap.source
  return {
    node,
    configured: true,
    ...source,
    every: formatDuration(every),
    running,
    ...(last === undefined
      ? {}
      : { last: { ...last, at: iso(last.at), took: Math.round(last.took), refusals: [...last.refusals] } }),
    ...(succeeded === undefined ? {} : { succeeded: iso(succeeded) }),
    ...(next === undefined ? {} : { next: iso(next) }),
  }
}

export function ldapRoutes(api: Api, { access, forward, records, node, ldap }: Parts): void {
  const tags = ['contacts']

  forwarded(
    api,
    forward,
    (scope) => {
      scope.get(
        '/ldap',
        {
          onRequest: requires('read', access),
          schema: {
            tags,
            summary:
              'The import of contacts from a directory: what the last run came to, and when the next one is',
            response: { 200: schemas.ldapState },
          },
        },
        async () => viewOf(node, ldap),
      )

      scope.post(
        '/ldap/import',
        {
          onRequest: requires('admin', access),
          schema: {
            tags,
            summary: 'Ask the directory now; GET /ldap says what came of it',
            response: { 202: schemas.ldapState },
          },
        },
        async ({ source }, reply) => {
          if (ldap === undefined) {
            const text = `the file of ${node} has no key ldap: say there where the directory is`
            throw new Problem(409, 'ldap-none', text)
          }
          records?.audit.write(source, 'ldap-asked', 'the directory is asked for contacts on request')
          void ldap.run()
          reply.code(202)
          return viewOf(node, ldap)
        },
      )
    },
    'everything',
  )
}
