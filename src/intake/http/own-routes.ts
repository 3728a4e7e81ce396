/**
 * A member's own configuration over HTTP: its file, to look at with secrets masked, to check a change, and to change it.
 * A change makes the appliance start anew inside its process; on trial, the old file comes back by itself.
 */
import { maskedKeys, maskedText } from '#config/masking.ts'
import type { Edited, FileChange } from '#config/own-edit.ts'
import { ownForm } from '#config/own-form.ts'
import type { FileVersion } from '#config/own-history.ts'
import type { FileProblem } from '#config/own-merge.ts'
import { expectedFailover, promises as promisesOf } from '#config/promises.ts'
import type { Config } from '#config/types.ts'
import { CodedError } from '#core/errors.ts'
import { limits } from '#dispatch/contract.ts'
import { requires } from './auth.ts'
import { confirmSpan } from './form-routes.ts'
import { atMember } from './forward.ts'
import { memberQuery } from './line-schemas.ts'
import * as schemas from './own-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { iso } from './views.ts'

/** The member's file, and starting anew with it. */
export interface OwnConfigurationService {
  /** Absent in a trial without a file. */
  file?: string
  text(): string
  writable(): boolean
  edit(changes: readonly FileChange[]): Edited
  /** The whole file as it was before a change of its history. @returns undefined when there is none of this id */
  back(version: string): Edited | undefined
  /** The newest changes, newest first. */
  versions(): FileVersion[]
  /** Replaces the file. @param within ms after which the old one comes back unless confirmed */
  replace(text: string, within: number | undefined, author: string): { until?: number }
  /** Until when a change waits for its confirmation, ms since 1970. */
  trial(): number | undefined
  /** @returns false when none was waiting */
  confirm(): boolean
  /** The file before the change on trial is the file again. @returns false when none was waiting */
  putBack(author: string): boolean
  /** Stops the appliance and starts it from its file, in a moment. */
  restart(): void
}

const wantedOf = (changes: Record<string, unknown>): FileChange[] =>
  Object.entries(changes).map(([path, value]) => ({ path, value: value ?? undefined }))

function pairOutlook({ pair, lines }: Config): Pick<schemas.OwnChecked, 'promises' | 'failover'> {
  if (pair === undefined) return {}
  const { profile, witness, selfCheck, vip } = pair
  const circumstances = { witness: witness !== undefined, selfCheck, ...(vip && { driver: vip.driver }) }
  return {
    promises: promisesOf(profile, circumstances),
    failover: expectedFailover(profile, lines.filter((line) => line.passive !== undefined).length),
  }
}

function problemsOf(edited: Extract<Edited, { problems: unknown }>): schemas.OwnChecked {
  return { problems: edited.problems.map(({ path, text }) => ({ path, message: text })), diff: [] }
}

/** What stands at `pair.vip.address`. */
function valueAt(keys: Record<string, unknown>, path: string): unknown {
  let here: unknown = keys
  for (const step of path.split('.')) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<string, unknown>)[step]
  }
  return here
}

export function ownRoutes(api: Api, parts: Parts, own: OwnConfigurationService): void {
  const { access, node, forward, records } = parts
  const admin = requires('admin', access)
  const tags = ['own configuration']

  /** @throws Problem when neither is asked for, or there is no such version */
  function wanted({ changes, version }: { changes?: Record<string, unknown>; version?: string }): Edited {
    if (version === undefined && changes === undefined)
      throw new Problem(400, 'missing-field', 'give changes, or a version of the history', {
        field: 'changes',
      })
    const edited = version === undefined ? own.edit(wantedOf(changes ?? {})) : own.back(version)
    if (edited !== undefined) return edited
    const text = `the history of the file has no change ${version}; GET /api/v1/own-configuration/history lists them`
    throw new Problem(404, 'revision-unknown', text, { field: 'version' })
  }

  /** What the file may hold, and the pair bears. */
  function looked(edited: Edited): Edited {
    const others = parts.pair?.control.members().some((member) => member.node !== node) === true
    if ('problems' in edited) return edited
    const problems: FileProblem[] = []
    if (edited.config.node !== node && others) {
      const text =
        'is the name by which the other members know this appliance: remove it from the pair first, on another member'
      problems.push({ path: 'node', text })
    }
    if (parts.backup !== undefined && edited.config.data !== parts.backup.directory) {
      const text =
        'is where everything lies that was accepted: stop the appliance, move the directory, and change the file by hand'
      problems.push({ path: 'data', text })
    }
    return problems.length > 0 ? { problems } : edited
  }

  const mayChange = (): void => {
    if (own.file !== undefined) return
    const text = 'this appliance runs without a configuration file: start it with --config FILE'
    throw new Problem(409, 'file-none', text)
  }

  atMember(api, node, forward, (scope) => {
    scope.get(
      '/own-configuration',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'The configuration file of one member, secrets masked',
          querystring: memberQuery,
          response: { 200: schemas.ownConfiguration },
        },
      },
      async (): Promise<schemas.OwnConfiguration> => {
        const text = own.text()
        const keys = maskedKeys(text)
        const until = own.trial()
        return {
          node,
          text: maskedText(text),
          keys,
          writable: own.writable(),
          sections: ownForm().map((section) => ({
            ...section,
            fields: section.fields.map((field) => ({ ...field, value: valueAt(keys, field.path) })),
          })),
          ...(own.file === undefined ? {} : { file: own.file }),
          ...(until === undefined ? {} : { trial: { confirmBy: iso(until) } }),
        }
      },
    )

    scope.get(
      '/own-configuration/history',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'The newest changes of the file of one member, newest first, secrets masked',
          querystring: memberQuery,
          response: { 200: schemas.ownHistory },
        },
      },
      async (): Promise<schemas.OwnHistory> => ({
        items: own.versions().map(({ id, at, author, changes }) => ({ id, at: iso(at), author, changes })),
      }),
    )

    scope.post(
      '/own-configuration/check',
      {
        onRequest: admin,
        bodyLimit: limits.body,
        schema: {
          tags,
          summary:
            'What a change of the file would do, and what the pair would promise then; nothing is changed',
          querystring: memberQuery,
          body: schemas.ownCheckRequest,
          response: { 200: schemas.ownChecked },
        },
      },
      async ({ body }): Promise<schemas.OwnChecked> => {
        const edited = looked(wanted(body))
        if ('problems' in edited) return problemsOf(edited)
        return { problems: [], diff: edited.diff, ...pairOutlook(edited.config) }
      },
    )

    scope.put(
      '/own-configuration',
      {
        onRequest: admin,
        bodyLimit: limits.body,
        schema: {
          tags,
          summary: 'Change the file, comments kept, and start anew; on request for a trial',
          querystring: memberQuery,
          body: schemas.ownApplyRequest,
          response: { 202: schemas.ownApplied },
        },
      },
      async ({ body, source }, reply): Promise<schemas.OwnApplied> => {
        const { confirmWithin } = body
        mayChange()
        const within = confirmWithin === undefined ? undefined : confirmSpan(confirmWithin)
        const waiting = own.trial()
        if (waiting !== undefined) {
          const text =
            'another change of the file is still on trial: confirm it, take it back, or wait until its time is over'
          throw new Problem(409, 'trial-pending', text, { until: waiting })
        }
        const edited = looked(wanted(body))
        if ('problems' in edited) throw invalid(edited.problems)
        reply.code(202)
        if (edited.diff.length === 0) return { changed: false, restart: false }
        const { until } = replaced(() => own.replace(edited.text, within, source))
        const paths = edited.diff.map(({ path }) => path).join(', ')
        records?.audit.write(source, 'file-changed', `${paths} changed in the configuration file of ${node}`)
        own.restart()
        return { changed: true, restart: true, ...(until === undefined ? {} : { confirmBy: iso(until) }) }
      },
    )

    scope.post(
      '/own-configuration/confirm',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'The changed file holds for good',
          querystring: memberQuery,
          response: { 204: { type: 'null', description: 'Confirmed' } },
        },
      },
      async ({ source }, reply) => {
        if (!own.confirm()) throw noTrial()
        records?.audit.write(source, 'file-confirmed', `the configuration file of ${node} was confirmed`)
        reply.code(204)
      },
    )

    scope.post(
      '/own-configuration/revert',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Take the change on trial back now, and start anew with the file before it',
          querystring: memberQuery,
          response: { 202: schemas.ownApplied },
        },
      },
      async ({ source }, reply): Promise<schemas.OwnApplied> => {
        if (!replaced(() => own.putBack(source))) throw noTrial()
        records?.audit.write(source, 'file-reverted', `the configuration file of ${node} was put back`)
        own.restart()
        reply.code(202)
        return { changed: true, restart: true }
      },
    )

    scope.post(
      '/restart',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Start the appliance anew from its file, within its process',
          querystring: memberQuery,
          response: { 202: schemas.ownApplied },
        },
      },
      async ({ source }, reply) => {
        const edited = own.file === undefined ? undefined : own.edit([])
        if (edited !== undefined && 'problems' in edited) throw invalid(edited.problems)
        records?.audit.write(source, 'restarted', `${node} starts anew on request`)
        own.restart()
        reply.code(202)
        return { changed: false, restart: true }
      },
    )
  })
}

const noTrial = (): Problem =>
  new Problem(
    404,
    'trial-unknown',
    'no change of the file is on trial: it was confirmed, or taken back already',
  )

function invalid(problems: readonly FileProblem[]): Problem {
  const text = problems.map(({ path, text: what }) => (path === '' ? what : `${path}: ${what}`)).join('\n')
  return new Problem(400, 'setting-invalid', text, { field: problems[0]?.path ?? '' })
}

/** @throws Problem when the program may not write there */
function replaced<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof CodedError && error.code === 'file-not-writable')
      throw new Problem(409, error.code, error.message)
    throw error
  }
}
