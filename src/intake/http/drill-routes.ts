/** Drills over HTTP: a fault on purpose on any member, and the reports of those before. */
import type { DrillReport } from '#notify/drill-reports.ts'
import { drillSentence } from '#notify/drill-reports.ts'
import { requires } from './auth.ts'
import { atMember } from './forward.ts'
import { memberQuery } from './line-schemas.ts'
import { finished } from './pair-results.ts'
import type { PairService } from './pair-routes.ts'
import * as schemas from './pair-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { iso } from './views.ts'

export function drillRoutes(api: Api, { access, node, forward }: Parts, service: () => PairService): void {
  const tags = ['pair']

  atMember(api, node, forward, (scope) => {
    scope.post(
      '/pair/drill',
      {
        onRequest: requires('operate', access),
        schema: {
          tags,
          summary: 'A fault on purpose, bounded and healing by itself: kill, freeze or cut',
          querystring: memberQuery,
          body: schemas.drillRequest,
          response: { 200: schemas.drillBegun },
        },
      },
      async ({ body: { kind }, source }) => {
        const { control, drills } = service()
        const { text } = await finished(control.drill(kind, source))
        const id = await drills?.begin(kind, source)
        return { text, ...(id === undefined ? {} : { id }) }
      },
    )
  })

  api.get(
    '/pair/drills',
    {
      onRequest: requires('read', access),
      schema: { tags, summary: 'What the last drills showed', response: { 200: schemas.drillList } },
    },
    async () => ({ items: (service().drills?.list() ?? []).map(reportView) }),
  )
}

const reportView = (report: DrillReport): schemas.DrillReport => {
  const { id, kind, node, role, who, at, takenBy, outage, counted } = report
  const settled = counted !== undefined
  return {
    id,
    kind,
    node,
    role,
    who,
    at: iso(at),
    state: settled ? 'done' : 'running',
    text: drillSentence(report),
    ...(takenBy === undefined ? {} : { takenBy }),
    ...(outage !== undefined ? { seconds: outage / 1_000 } : settled ? { seconds: 0 } : {}),
    ...counted,
  }
}
