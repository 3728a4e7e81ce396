/**
 * The pair over HTTP: to look at with the scope read, to switch and to drill with the scope operate, so that an outside
 * watcher can switch it too, and to change who belongs to it with the scope admin. Commands answer when they are done.
 */
import type { PairConfig } from '#config/types.ts'
import type { DrillReports } from '#notify/drill-reports.ts'
import type { PairControl } from '#pair/control.ts'
import { requires } from './auth.ts'
import { drillRoutes } from './drill-routes.ts'
import { atMember } from './forward.ts'
import { memberQuery } from './line-schemas.ts'
import { done, finished } from './pair-results.ts'
import * as schemas from './pair-schemas.ts'
import { pairView } from './pair-view.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { iso } from './views.ts'

export interface PairService {
  control: PairControl
  config: PairConfig
  /** Lines that are connected only when this member takes over. */
  toStart?: number
  /** What drills showed. */
  drills?: DrillReports
}

/** As SVG: it is drawn sharp at any size, and a camera reads it off a screen. */
async function picture(code: string): Promise<string> {
  const { default: drawing } = await import('qrcode')
  return drawing.toString(code, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 })
}

const alone = () =>
  new Problem(404, 'pair-none', 'this appliance stands alone: its configuration has no key pair')

export function pairRoutes(api: Api, parts: Parts): void {
  const { access, clock, pair } = parts
  const read = requires('read', access)
  const admin = requires('admin', access)
  const operate = requires('operate', access)
  const tags = ['pair']
  const service = (): PairService => {
    if (pair === undefined) throw alone()
    return pair
  }
  const view = () => pairView(service(), clock, parts.settings?.head())
  drillRoutes(api, parts, service)

  atMember(api, parts.node, parts.forward, (scope) => {
    scope.get(
      '/pair',
      {
        onRequest: read,
        schema: {
          tags,
          summary: 'The pair as this member sees it, or the one that is named',
          querystring: memberQuery,
          response: { 200: schemas.pairStatus },
        },
      },
      async () => view(),
    )

    for (const command of ['takeover', 'handover'] as const) {
      scope.post(
        `/pair/${command}`,
        {
          onRequest: operate,
          schema: {
            tags,
            querystring: memberQuery,
            summary:
              command === 'takeover'
                ? 'On the standby: become active; answers when it is'
                : 'On the active: let another member become active; answers when it is',
            response: { 200: schemas.pairStatus },
          },
        },
        async ({ source }) => {
          await finished(service().control[command](source))
          return view()
        },
      )
    }
  })

  api.post(
    '/pair/invite',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'Make a code with which one more appliance can join within ten minutes',
        response: { 200: schemas.invitation },
      },
    },
    async ({ source }) => {
      const { code, expires } = done(await service().control.invite(source))
      return { code, expires: iso(expires), qr: await picture(code) }
    },
  )

  api.post(
    '/pair/join',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'Join the pair of the appliance that made the code',
        body: schemas.joinRequest,
        response: { 200: schemas.joined },
      },
    },
    async ({ body, source }) => {
      const { inviter, members } = await finished(service().control.join(body.code, source))
      return { inviter, members }
    },
  )

  api.post(
    '/pair/remove',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'Remove a member: it is refused everywhere until it joins with a new code',
        body: schemas.removeRequest,
        response: { 200: schemas.pairStatus },
      },
    },
    async ({ body, source }) => {
      await finished(service().control.remove(body.node, source))
      return view()
    },
  )

  api.post(
    '/pair/recover',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'After an outage: bring all members to the same now, and say what happened',
        body: schemas.recoverRequest,
        response: { 200: schemas.recovery },
      },
    },
    async ({ body, source }) => done(await service().control.recover(body.from, source)),
  )
}
