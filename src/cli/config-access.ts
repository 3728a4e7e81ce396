/** The shared settings of an appliance, over HTTP while it runs and on its store while it is down. */
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type * as schemas from '#intake/http/config-schemas.ts'
import type * as FormShapes from '#intake/http/form-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { type Call, call, type Target } from './client.ts'
import { Ended, exit } from './outcome.ts'
import { type OpenStore, reach } from './reach.ts'
import { ask, type ConnectionValues, reasonOf } from './target.ts'

export type Values = Shape<typeof schemas.settingList>
type History = Shape<typeof schemas.history>
type Changed = Shape<typeof schemas.changed>
type Conflicts = Shape<typeof schemas.conflictList>['items']
export type Revision = NonNullable<Changed['revision']> & Partial<History['items'][number]>

export type Tried = FormShapes.Applied

export interface SettingsAccess {
  values(): Promise<Values>
  /** @param value null takes the setting back to the file's */
  set(path: string, value: unknown): Promise<Changed>
  /** As set(), taken back by itself unless confirmed within a span such as `90s`. */
  tryOut(path: string, value: unknown, within: string): Promise<Tried>
  confirm(revision: string): Promise<void>
  /** Newest first. */
  history(limit: number): Promise<Revision[]>
  conflicts(): Promise<Conflicts>
  restore(revision: string, path: string | undefined, value: 'after' | 'before'): Promise<Changed>
  dismiss(revision: string, path: string | undefined): Promise<void>
  close(): Promise<void>
}

/** @throws UsageError, ConfigInvalid, Ended; CodedError when the store cannot be opened */
export const accessSettings = (values: ConnectionValues, usage: string): Promise<SettingsAccess> =>
  reach(values, usage, { running: overHttp, stopped: onStore })

/** Through the API of an appliance that runs; needs the scope read, and for changes admin, or its local socket. */
function overHttp(targets: readonly Target[]): SettingsAccess {
  const read = <T>(path: string) => ask<T>(targets, { method: 'GET', path })
  const change = (method: Call['method'], path: string, body: object) =>
    changeAt(targets[0], { method, path, body: JSON.stringify(body) })
  const only = (path: string | undefined) => (path === undefined ? {} : { path })
  return {
    values: () => read<Values>('/config'),
    set: (path, value) => change('PATCH', '/config', { [path]: value }),
    tryOut: (path, value, within) =>
      changeAt<Tried>(targets[0], {
        method: 'POST',
        path: '/config/apply',
        body: JSON.stringify({ changes: { [path]: value }, confirmWithin: within }),
      }),
    async confirm(revision) {
      await change('POST', '/config/confirm', { revision })
    },
    history: async (limit) => (await read<History>(`/config/history?limit=${limit}`)).items,
    conflicts: async () => (await read<{ items: Conflicts }>('/config/conflicts')).items,
    restore: (revision, path, value) => change('POST', '/config/restore', { revision, ...only(path), value }),
    async dismiss(revision, path) {
      await change('POST', '/config/dismiss', { revision, ...only(path) })
    },
    close: async () => {},
  }
}

/** Asks one appliance only: the next one would do it again. */
async function changeAt<T = Changed>(target: Target | undefined, request: Call): Promise<T> {
  if (target === undefined) throw new Ended(exit.unreachable, 'there is no appliance to ask')
  const answer = await call(target, request)
  if (answer.result === 'answer' && answer.status < 300) return (answer.body ?? {}) as T
  const text = `${target.name}: ${reasonOf(answer)}`
  if (answer.result === 'answer') {
    // 503 is nobody who would do it now, 504 an active member that never answered.
    const codes: Record<number, number> = { 503: exit.unreachable, 504: exit.unknown }
    throw new Ended(codes[answer.status] ?? exit.refused, text)
  }
  throw new Ended(answer.result === 'unknown' ? exit.unknown : exit.unreachable, text)
}

const AUTHOR = 'local'

const noTrial = () =>
  new Ended(exit.refused, 'a change on trial needs an appliance that runs, to take it back')

async function onStore(store: OpenStore, config: Config): Promise<SettingsAccess> {
  const { createSettings } = await import('#config/settings.ts')
  const views = await import('#intake/http/config-views.ts')
  const clock = systemClock(store.lastLogged)
  const settings = await createSettings({ config, store, clock, log: silent })

  async function mayChange(): Promise<void> {
    const members = await store.members()
    if (members.every(({ node }) => node === config.node)) return
    throw new Ended(
      exit.refused,
      'this appliance is a member of a pair and does not run: make the change on the active member',
    )
  }

  return {
    values: async () => views.settingsView(settings),
    async set(path, value) {
      await mayChange()
      return views.outcome(await settings.set([{ path, value: value ?? undefined }], AUTHOR))
    },
    tryOut: () => Promise.reject(noTrial()),
    confirm: () => Promise.reject(noTrial()),
    history: async (limit) => settings.history().toReversed().slice(0, limit).map(views.historyView),
    conflicts: async () => views.conflictsView(settings).items,
    async restore(revision, path, value) {
      await mayChange()
      return views.outcome(await settings.restore(revision, AUTHOR, value, path))
    },
    async dismiss(revision, path) {
      await mayChange()
      if (!(await settings.dismiss(revision, path))) throw views.conflictUnknown()
    },
    close: () => store.close(),
  }
}
