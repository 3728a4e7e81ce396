/** How the replicated settings look outside, and how a change that may not be is refused. */
import { entryLists, entryPath } from '#config/entries.ts'
import type { LoggedRevision } from '#config/revisions.ts'
import type { Settings, SettingsResult } from '#config/settings.ts'
import type { Trial } from '#config/trials.ts'
import type { Revision } from '#messages/operation.ts'
import type { Records } from './audit-routes.ts'
import type * as schemas from './config-schemas.ts'
import type { Trial as TrialView } from './form-schemas.ts'
import { Problem } from './problems.ts'
import type { Shape } from './schemas.ts'
import { iso } from './views.ts'

const revisionView = ({ id, at, author, changes }: Revision) => ({
  id,
  at: iso(at),
  author,
  changes: [...changes],
})

export const historyView = (revision: LoggedRevision) => ({
  ...revisionView(revision),
  node: revision.origin,
  ...(revision.base === undefined ? {} : { base: revision.base }),
})

const revisionUnknown = () =>
  new Problem(404, 'revision-unknown', 'there is no such revision, or it does not change this path', {
    field: 'revision',
  })

export const conflictUnknown = () =>
  new Problem(404, 'conflict-unknown', 'this revision has no open conflict, or not at this path', {
    field: 'revision',
  })

/** @throws Problem when nothing was changed because it may not be */
export function outcome(result: SettingsResult): { revision?: ReturnType<typeof revisionView> } {
  switch (result.result) {
    case 'changed':
      return { revision: revisionView(result.revision) }
    case 'unchanged':
      return {}
    case 'unknownPath': {
      const { path, allowed } = result
      const text = `${JSON.stringify(path.slice(0, 100))} is no setting that can be changed here; allowed: ${allowed.join(', ')}`
      throw new Problem(400, 'setting-unknown', text, { field: path.slice(0, 100), allowed })
    }
    case 'invalid': {
      const { problems } = result
      const text = problems.map(({ path, text }) => `${path}: ${text}`).join('\n')
      throw new Problem(400, 'setting-invalid', text, { field: problems[0]?.path ?? '' })
    }
    case 'unknownRevision':
      throw revisionUnknown()
  }
}

/** Paths that a record of the audit log names. */
const TOLD_PATHS = 10

/** Into the audit log too: the history says what, the audit log that nobody has changed it. */
export function noted(
  records: Records | undefined,
  source: string,
  result: SettingsResult,
): ReturnType<typeof outcome> {
  const done = outcome(result)
  if (done.revision !== undefined) {
    const { changes } = done.revision
    const paths = changes.slice(0, TOLD_PATHS).map(({ path }) => path)
    if (changes.length > TOLD_PATHS) paths.push(`and ${changes.length - TOLD_PATHS} more`)
    const text = `revision ${done.revision.id} changed ${paths.join(', ')}`
    records?.audit.write(source, 'settings-changed', text)
  }
  return done
}

const trialView = ({ revision, until, author }: Trial): TrialView => ({
  revision,
  confirmBy: iso(until),
  author,
})

export function settingsView(settings: Settings, trial?: Trial): Shape<typeof schemas.settingList> {
  const head = settings.head()
  return {
    items: settings.values().map(({ path, value, source, revision }) => ({
      path,
      value,
      source,
      ...(revision === undefined
        ? {}
        : { revision: revision.id, author: revision.author, at: iso(revision.at) }),
    })),
    ...(head === undefined ? {} : { revision: head }),
    ...(trial === undefined ? {} : { trial: trialView(trial) }),
    problems: settings.problems(),
  }
}

export function conflictsView(settings: Settings): Shape<typeof schemas.conflictList> {
  const holds = new Map<string, unknown>(settings.values().map(({ path, value }) => [path, value]))
  const current = settings.current()
  for (const list of entryLists)
    for (const entry of current[list]) holds.set(entryPath(list, entry.id), entry)
  return {
    items: settings.conflicts().map(({ revision, path, value, author, at, origin, against }) => ({
      revision,
      path,
      ...(value === undefined ? {} : { value }),
      author,
      at: iso(at),
      node: origin,
      against,
      ...(holds.has(path) ? { holds: holds.get(path) } : {}),
    })),
  }
}
