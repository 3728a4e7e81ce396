/**
 * The shared settings while the appliance runs: the file's values with the revisions over them. A change is a revision
 * in the operation log, and holds on every member that has it; a revision that another member (or a later version)
 * made and that cannot be used here leaves the value before it and is shown as a problem.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '#core/clock.ts'
import { newId } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import type { Operation, Revision, RevisionChange } from '#messages/operation.ts'
import {
  bookProblems,
  type EntryList,
  entryChanges,
  entryLists,
  entryPlace,
  isEntryList,
  mergeEntries,
  readEntry,
} from './entries.ts'
import { type Conflict, type Folded, foldRevisions, type LoggedRevision } from './revisions.ts'
import {
  isSharedPath,
  type KnownLines,
  missingLines,
  readSetting,
  routesHere,
  type SettingProblem,
  type SharedPath,
  sharedOf,
  sharedPaths,
  withSetting,
  written,
} from './shared.ts'
import type { Config, SharedConfig } from './types.ts'

/** What of the store it uses. */
export interface RevisionLog {
  operate(operation: Operation): Promise<boolean>
  revisions(): Promise<LoggedRevision[]>
  /** `revision path` */
  settledConflicts(): Promise<string[]>
}

export interface SettingView {
  path: SharedPath
  /** As people write it: `30m`. */
  value: unknown
  source: 'default' | 'file' | 'revision'
  /** The revision, where that is the source. */
  revision?: LoggedRevision
}

/** A value as people write it; undefined takes the setting back to the file's. */
export interface WantedChange {
  path: string
  value: unknown
}

export type SettingsResult =
  | { result: 'changed'; revision: Revision }
  /** Everything is like that already; nothing was written. */
  | { result: 'unchanged' }
  | { result: 'invalid'; problems: SettingProblem[] }
  /** There is no such path; `allowed` are those there are. */
  | { result: 'unknownPath'; path: string; allowed: readonly string[] }
  | { result: 'unknownRevision' }

/** Changes that may be made, those left out that change nothing. */
export type Planned =
  | { result: 'planned'; changes: readonly RevisionChange[] }
  | Extract<SettingsResult, { result: 'invalid' | 'unknownPath' }>

export interface Settings {
  /** Spans in ms, sizes in bytes; routes name this member's lines by their id alone. */
  current(): SharedConfig
  values(): SettingView[]
  /** What is in a revision and cannot be used here. */
  problems(): SettingProblem[]
  /** The newest revision, for heartbeats; undefined when there is none. */
  head(): string | undefined
  /** Told, once something in current() has changed. @returns a function that ends it */
  subscribe(listener: (current: SharedConfig) => void): () => void
  /**
   * All the changes or none, as one revision.
   * @param author who did it, as `http:NAME`
   * @param announce told of the revision before it is written; what it rejects with keeps it from being written
   */
  set(
    changes: readonly WantedChange[],
    author: string,
    announce?: (revision: Revision) => Promise<void>,
  ): Promise<SettingsResult>
  /** What set() would change, or why it would not; nothing is written. */
  check(changes: readonly WantedChange[]): Promise<Planned>
  /** Oldest first. */
  history(): readonly LoggedRevision[]
  conflicts(): readonly Conflict[]
  /**
   * Makes values of an earlier revision hold again, by a new one, and settles its conflicts.
   * @param which what it set, or what was there before it
   * @param path only this one of its changes
   */
  restore(
    revision: string,
    author: string,
    which?: 'after' | 'before',
    path?: string,
  ): Promise<SettingsResult>
  /** Takes back what a revision set, as far as nobody has set it anew since. */
  undo(revision: string, author: string): Promise<SettingsResult>
  /** A conflict needs no more attention. @returns false when there is no such one */
  dismiss(revision: string, path?: string): Promise<boolean>
  /**
   * Makes a revision of every setting that none has touched: from then on the members agree, whatever their files
   * say. For the member that the others join.
   */
  publish(author: string): Promise<SettingsResult>
  /** Reads the revisions anew: another member's were merged. */
  refresh(): Promise<void>
}

export interface SettingsDependencies {
  /** As the file says. */
  config: Config
  store: RevisionLog
  clock: Clock
  log: Log
}

/** Characters: larger than 10,000 contacts, far below what members take in one piece. */
const LARGEST_REVISION = 8_000_000
/** Paths that a line of the log names. */
const TOLD_PATHS = 10

export async function createSettings({ config, store, clock, log }: SettingsDependencies): Promise<Settings> {
  const { node } = config
  const known: KnownLines = {
    node,
    lines: config.lines.map(({ id }) => id),
    paired: config.pair !== undefined,
  }
  const fromFile = written(config)
  const entriesOfFile = new Map(
    entryLists
      .flatMap((list) => entryChanges(list, [], config[list]))
      .map(({ path, value }) => [path, value]),
  )
  const listeners = new Set<(current: SharedConfig) => void>()
  let folded: Folded = foldRevisions([], [])
  let state = applied(folded)
  /** Changes wait for each other, so that each is made upon the one before it. */
  let turn: Promise<unknown> = Promise.resolve()

  /** A revision must not stop a box: its lines may be another member's, its values a later version's. */
  function applied({ deciding }: Folded): { current: SharedConfig; problems: SettingProblem[] } {
    let current: SharedConfig = config
    const problems: SettingProblem[] = []
    for (const [path, { value }] of deciding) {
      if (entryPlace(path) !== undefined) continue
      if (!isSharedPath(path)) {
        problems.push({ path, text: 'this version does not know this setting; it is kept for those that do' })
      } else if (value !== undefined) {
        const read = readSetting(path, value, { ...known, paired: true })
        if ('problems' in read) problems.push(...read.problems)
        else current = withSetting(current, path, read.shared)
      }
    }
    problems.push(...missingLines(current.routes, known))
    const { book, problems: ofEntries } = mergeEntries(config, decided(deciding))
    problems.push(...ofEntries)
    return {
      current: { ...sharedOf(current), ...book, routes: routesHere(current.routes, node) },
      problems,
    }
  }

  async function read(): Promise<void> {
    const [revisions, settled] = await Promise.all([store.revisions(), store.settledConflicts()])
    folded = foldRevisions(revisions, settled)
    const before = state
    state = applied(folded)
    for (const { path, text } of state.problems) {
      const told = before.problems.some((problem) => problem.path === path && problem.text === text)
      if (!told) log.warn({ path }, `a setting cannot be used here: ${text}`)
    }
    if (isDeepStrictEqual(before.current, state.current)) return
    for (const listener of listeners) listener(state.current)
  }

  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = turn.then(action)
    turn = result.catch(() => {})
    return result
  }

  /** As people write it, whatever it is worth here. */
  function writtenNow(path: string): unknown {
    const decided = folded.deciding.get(path)?.value
    return decided ?? (isSharedPath(path) ? fromFile[path] : entriesOfFile.get(path))
  }

  /** Compared with the last revision, not with what holds: other members' files may say something else. */
  const realOf = (changes: readonly RevisionChange[]) =>
    changes.filter(({ path, after }) => !isDeepStrictEqual(folded.deciding.get(path)?.value, after))

  async function write(
    changes: readonly RevisionChange[],
    author: string,
    announce?: (revision: Revision) => Promise<void>,
  ): Promise<SettingsResult> {
    const real = realOf(changes)
    if (real.length === 0) return { result: 'unchanged' }
    const at = clock.now()
    const { head, merges } = folded
    const revision: Revision = {
      id: newId(at),
      author,
      at,
      changes: real,
      ...(head === undefined ? {} : { base: head }),
      ...(merges.length === 0 ? {} : { merges }),
    }
    if (JSON.stringify(revision).length > LARGEST_REVISION) {
      const text = `is too much for one change; at most ${LARGEST_REVISION} characters`
      return { result: 'invalid', problems: [{ path: real[0]?.path ?? '', text }] }
    }
    await announce?.(revision)
    await store.operate({ op: 'revision', revision })
    await read()
    const paths = real.slice(0, TOLD_PATHS).map(({ path }) => path)
    log.info({ revision: revision.id, by: author, paths, changes: real.length }, 'settings changed')
    return { result: 'changed', revision }
  }

  function plan(wanted: readonly WantedChange[]): Planned {
    const problems: SettingProblem[] = []
    const changes: RevisionChange[] = []
    for (const { path, value } of wanted) {
      const place = entryPlace(path)
      if (place === undefined && !isSharedPath(path))
        return { result: 'unknownPath', path, allowed: sharedPaths }
      const read = readWanted(path, value)
      if ('problems' in read) problems.push(...read.problems)
      else
        for (const one of read.changes)
          changes.push({ path: one.path, before: writtenNow(one.path), ...after(one.value) })
    }
    if (problems.length === 0 && changes.some(({ path }) => entryPlace(path)))
      problems.push(...newProblems(changes))
    return problems.length > 0 ? { result: 'invalid', problems } : { result: 'planned', changes }
  }

  async function change(
    wanted: readonly WantedChange[],
    author: string,
    announce?: (revision: Revision) => Promise<void>,
  ): Promise<SettingsResult> {
    const planned = plan(wanted)
    return planned.result === 'planned' ? write(planned.changes, author, announce) : planned
  }

  /** A list becomes changes of its entries. */
  function readWanted(
    path: string,
    value: unknown,
  ): { changes: WantedChange[] } | { problems: SettingProblem[] } {
    if (entryPlace(path)) {
      const read = value === undefined ? undefined : readEntry(path, value)
      if (read === undefined) return { changes: [{ path, value: undefined }] }
      return 'problems' in read ? read : { changes: [{ path, value: read.entry }] }
    }
    if (!isSharedPath(path)) return { changes: [] }
    if (isEntryList(path) && value === undefined) {
      const decided = [...folded.deciding.keys()].filter((one) => entryPlace(one)?.list === path)
      return { changes: decided.map((one) => ({ path: one, value: undefined })) }
    }
    const read = value === undefined ? { value } : readSetting(path, value, known)
    if ('problems' in read) return read
    if (isEntryList(path) && 'shared' in read)
      return { changes: entryChanges(path, state.current[path], read.shared[path]) }
    return { changes: [{ path, value: read.value }] }
  }

  /** What would be wrong between the entries then, and is not so already: one mistake must not bar the next change. */
  function newProblems(changes: readonly RevisionChange[]): SettingProblem[] {
    const values = new Map<string, unknown>(decided(folded.deciding))
    for (const { path, after } of changes) values.set(path, after)
    const old = new Set(bookProblems(state.current).map(({ path, text }) => `${path} ${text}`))
    const { problems } = mergeEntries(config, values)
    return problems.filter(({ path, text }) => !old.has(`${path} ${text}`))
  }

  function listView(list: EntryList): SettingView {
    const value = written(state.current)[list]
    const deciding = [...folded.deciding].filter(([path]) => entryPlace(path)?.list === list)
    const newest = deciding.map(([, { revision }]) => revision.id)
    const revision = folded.history.findLast(({ id }) => newest.includes(id))
    if (revision !== undefined) return { path: list, value, source: 'revision', revision }
    return { path: list, value, source: config.given.includes(list) ? 'file' : 'default' }
  }

  async function settle(revision: string, path: string | undefined): Promise<boolean> {
    const open = folded.conflicts.filter(
      (one) => one.revision === revision && (path === undefined || one.path === path),
    )
    for (const one of open) await store.operate({ op: 'conflictSettle', revision, path: one.path })
    if (open.length > 0) await read()
    return open.length > 0
  }

  await read()
  return {
    current: () => state.current,
    problems: () => state.problems,
    head: () => folded.head,
    history: () => folded.history,
    conflicts: () => folded.conflicts,
    values: () =>
      sharedPaths.map((path) => {
        if (isEntryList(path)) return listView(path)
        const decided = folded.deciding.get(path)
        if (decided?.value !== undefined) {
          return { path, value: decided.value, source: 'revision', revision: decided.revision }
        }
        return { path, value: fromFile[path], source: config.given.includes(path) ? 'file' : 'default' }
      }),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set: (changes, author, announce) => inTurn(() => change(changes, author, announce)),
    check: (changes) =>
      inTurn(async () => {
        const planned = plan(changes)
        return planned.result === 'planned' ? { ...planned, changes: realOf(planned.changes) } : planned
      }),
    undo: (revision, author) =>
      inTurn(async () => {
        const found = folded.history.find(({ id }) => id === revision)
        if (found === undefined) return { result: 'unknownRevision' }
        const own = found.changes.filter(({ path }) => folded.deciding.get(path)?.revision.id === revision)
        return change(
          own.map(({ path, before }) => ({ path, value: before })),
          author,
        )
      }),
    restore: (revision, author, which = 'after', path = undefined) =>
      inTurn(async () => {
        const found = folded.history.find(({ id }) => id === revision)
        const changes = found?.changes.filter((one) => path === undefined || one.path === path) ?? []
        if (changes.length === 0) return { result: 'unknownRevision' }
        const wanted = changes.map((one) => ({ path: one.path, value: one[which] }))
        const result = await change(wanted, author)
        const done = result.result === 'changed' || result.result === 'unchanged'
        if (done && which === 'after') await settle(revision, path)
        return result
      }),
    dismiss: (revision, path) => inTurn(() => settle(revision, path)),
    publish: (author) =>
      inTurn(() => {
        const plain = sharedPaths
          .filter((path) => !isEntryList(path))
          .map((path) => [path, fromFile[path]] as const)
        const untouched = [...plain, ...entriesOfFile].filter(([path]) => !folded.deciding.has(path))
        return write(
          untouched.map(([path, after]) => ({ path, after })),
          author,
        )
      }),
    refresh: () => inTurn(read),
  }
}

const after = (value: unknown) => (value === undefined ? {} : { after: value })

const decided = (deciding: Folded['deciding']): (readonly [string, unknown])[] =>
  [...deciding].map(([path, { value }]) => [path, value] as const)
