/** The audit log and the failover log over HTTP: to read and to verify, never to change. */
import type { Audit } from '#notify/audit.ts'
import type { AuditReport } from '#notify/audit-check.ts'
import { dayOf, type FailoverLine, type FailoverLog } from '#notify/failover-log.ts'
import type { OperationLog } from '#store/contract.ts'
import * as schemas from './audit-schemas.ts'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { iso } from './views.ts'

/** What the appliance writes down about itself. */
export interface Records {
  audit: Audit
  failover: FailoverLog
  /** Verifies every member's audit log, and compares it with the other members. */
  check(): Promise<AuditReport>
  read: OperationLog['audit']
  /** When a member became active last. */
  lastSwitch?(): Promise<FailoverLine | undefined>
}

export function auditRoutes(api: Api, { access, clock, node }: Parts, records: Records): void {
  const read = requires('read', access)
  const tags = ['records']

  api.get(
    '/audit',
    {
      onRequest: read,
      schema: {
        tags,
        summary: "One member's audit log, oldest first",
        querystring: schemas.auditQuery,
        response: { 200: schemas.auditPage },
      },
    },
    async ({ query }) => {
      const limit = query.limit ?? 100
      const found = await records.read({
        origin: query.node ?? node,
        after: Number(query.after ?? 0),
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
      })
      const items = found.slice(0, limit)
      const last = items.at(-1)
      return {
        items: items.map(({ origin, at, ...rest }) => ({ node: origin, at: iso(at), ...rest })),
        ...(found.length > limit && last !== undefined ? { next: String(last.number) } : {}),
      }
    },
  )

  api.get(
    '/audit/verify',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Whether the audit log of every member is unbroken, and the copies of all members agree',
        response: { 200: schemas.auditReport },
      },
    },
    async () => records.check(),
  )

  api.get(
    '/pair/failover',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'The failover log of one day, with the lines of every member',
        querystring: schemas.failoverQuery,
        response: { 200: schemas.failoverDay },
      },
    },
    async ({ query }) => {
      const day = query.day ?? dayOf(clock.now())
      const [lines, days] = await Promise.all([records.failover.day(day), records.failover.days()])
      return { day, lines, days }
    },
  )
}
