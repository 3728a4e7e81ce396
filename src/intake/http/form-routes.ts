/**
 * Configuration as people edit it, over HTTP: what there is to set, what a change would do, a change on trial that is
 * taken back unless confirmed, and everything as one text. Changes are made on the active member.
 */
import { stringify } from 'yaml'
import { settingsForm } from '#config/form.ts'
import type { Planned, Settings, WantedChange } from '#config/settings.ts'
import { nested } from '#config/shared.ts'
import type { Trials } from '#config/trials.ts'
import { parseDuration } from '#core/duration.ts'
import { limits } from '#dispatch/contract.ts'
import { requires } from './auth.ts'
import { changed } from './config-schemas.ts'
import { noted } from './config-views.ts'
import * as schemas from './form-schemas.ts'
import { forwarded } from './forward.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { text } from './schemas.ts'
import { iso } from './views.ts'

const CONFIRM = { min: 10_000, max: 3_600_000 } as const

/** @returns ms @throws Problem `out-of-range` */
export function confirmSpan(text: string): number {
  const span = parseDuration(text)
  if (span !== undefined && span >= CONFIRM.min && span <= CONFIRM.max) return span
  const rule = 'confirmWithin must be a span from 10s to 1h, such as 90s'
  throw new Problem(400, 'out-of-range', rule, {
    field: 'confirmWithin',
    values: { least: '10s', most: '1h' },
  })
}

const wantedOf = (changes: Record<string, unknown>): WantedChange[] =>
  Object.entries(changes).map(([path, value]) => ({ path, value: value ?? undefined }))

function checkedView(planned: Planned): schemas.Checked {
  switch (planned.result) {
    case 'planned':
      return { problems: [], diff: [...planned.changes] }
    case 'invalid':
      return { problems: planned.problems.map(({ path, text }) => ({ path, message: text })), diff: [] }
    case 'unknownPath': {
      const message = `is no setting that can be changed here; allowed: ${planned.allowed.join(', ')}`
      return { problems: [{ path: planned.path, message }], diff: [] }
    }
  }
}

export function formRoutes(api: Api, parts: Parts, settings: Settings, trials: Trials): void {
  const { access, records, forward } = parts
  const read = requires('read', access)
  const admin = requires('admin', access)
  const tags = ['configuration']

  api.get(
    '/config/schema',
    {
      onRequest: read,
      schema: { tags, summary: 'What there is to set, as a form', response: { 200: schemas.settingsForm } },
    },
    async (): Promise<schemas.SettingsForm> => ({ sections: settingsForm() }),
  )

  api.get(
    '/config/export',
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'All shared settings as a text that a configuration file may hold',
        produces: ['text/yaml'],
        response: { 200: text },
      },
    },
    async (_request, reply) => {
      reply
        .type('text/yaml; charset=utf-8')
        .header('content-disposition', 'attachment; filename="settings.yaml"')
      return stringify(nested(settings.values()))
    },
  )

  api.post(
    '/config/check',
    {
      onRequest: admin,
      bodyLimit: limits.body,
      schema: {
        tags,
        summary: 'What a change would do, or why it cannot be made; nothing is changed',
        body: schemas.checkRequest,
        response: { 200: schemas.checked },
      },
    },
    async ({ body }) => checkedView(await settings.check(wantedOf(body.changes))),
  )

  forwarded(api, forward, (scope) => {
    scope.post(
      '/config/apply',
      {
        onRequest: admin,
        bodyLimit: limits.body,
        schema: {
          tags,
          summary: 'Change settings, on request for a trial: taken back by itself unless confirmed in time',
          body: schemas.applyRequest,
          response: { 200: schemas.applied },
        },
      },
      async ({ body: { changes, confirmWithin }, source }): Promise<schemas.Applied> => {
        const wanted = wantedOf(changes)
        if (confirmWithin === undefined) {
          const { revision } = noted(records, source, await settings.set(wanted, source))
          return revision === undefined ? {} : { revision: revision.id }
        }
        const result = await trials.apply(wanted, source, confirmSpan(confirmWithin))
        if (result.result === 'trialPending') {
          const detail =
            'another change is still on trial: confirm it, take it back, or wait until its time is over'
          throw new Problem(409, 'trial-pending', detail, { until: result.trial.until })
        }
        const { revision } = noted(records, source, result)
        return {
          ...(revision === undefined ? {} : { revision: revision.id }),
          ...(result.trial === undefined ? {} : { confirmBy: iso(result.trial.until) }),
        }
      },
    )

    scope.post(
      '/config/confirm',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'A change on trial holds for good',
          body: schemas.confirmRequest,
          response: { 204: { type: 'null', description: 'Confirmed' } },
        },
      },
      async ({ body: { revision }, source }, reply) => {
        if (!(await trials.confirm(revision))) {
          const detail = 'this revision is not on trial: it was confirmed, or taken back already'
          throw new Problem(404, 'trial-unknown', detail, { field: 'revision' })
        }
        records?.audit.write(source, 'settings-confirmed', `revision ${revision} was confirmed`)
        reply.code(204)
      },
    )

    scope.post(
      '/config/revert',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Bring back what was before a revision, by a new one; ends its trial',
          body: schemas.revertRequest,
          response: { 200: changed },
        },
      },
      async ({ body: { revision }, source }) => {
        const done = noted(records, source, await settings.restore(revision, source, 'before'))
        await trials.confirm(revision)
        return done
      },
    )
  })
}
