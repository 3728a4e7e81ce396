/**
 * The replicated configuration as a history of revisions: what holds, and what was changed apart. Pure; a function of
 * the set of revisions alone, so members that hold the same ones agree, in whatever order they came.
 *
 * Revisions are ordered by term, clock and origin, and the last one that changes a path decides its value. A revision
 * names the ones that it was made upon (`base`, `merges`), which tells whether its author had seen another one. Two
 * that change one path, neither author having seen the other's, are a conflict: the newer one holds, the other one is
 * listed until somebody restores or dismisses it. Nothing leaves the history.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Revision, Term } from '#messages/operation.ts'

/** A revision with the place of its entry in the log. */
export interface LoggedRevision extends Revision {
  term: Term
  clock: number
  /** The member whose log it stands in. */
  origin: string
}

/** The side of a conflict that does not hold. */
export interface Conflict {
  /** Its revision. */
  revision: string
  path: string
  /** What it set; absent where it took the value back to the file's. */
  value?: unknown
  author: string
  /** ms since 1970; for people. */
  at: number
  origin: string
  /** The newest revision that it was made apart from and that changes the same path. */
  against: string
}

export interface Folded {
  /** Oldest first. */
  history: readonly LoggedRevision[]
  /** The revision that decides each path. One whose change has no `after` leaves the path to the file. */
  deciding: ReadonlyMap<string, { revision: LoggedRevision; value?: unknown }>
  conflicts: readonly Conflict[]
  /** The newest revision: the next one's base. */
  head?: string
  /** Revisions that nobody has built upon, besides the head: the next one's `merges`. */
  merges: readonly string[]
}

/** @param settled conflicts that a person has settled: `revision path` */
export function foldRevisions(revisions: readonly LoggedRevision[], settled: readonly string[]): Folded {
  const history = [...revisions].sort(byOrder)
  const lineage = lineageOf(history)
  const deciding = new Map<string, { revision: LoggedRevision; value?: unknown }>()
  const changing = new Map<string, Change[]>()
  for (const [index, revision] of history.entries()) {
    for (const { path, after } of revision.changes) {
      const value = after === undefined ? {} : { value: after }
      deciding.set(path, { revision, ...value })
      const changes = changing.get(path)
      const change = { index, revision, after }
      if (changes === undefined) changing.set(path, [change])
      else changes.push(change)
    }
  }
  const known = new Set(settled)
  const conflicts = [...changing].flatMap(([path, changes]) =>
    conflictsOf(path, changes, lineage).filter(({ revision }) => !known.has(`${revision} ${path}`)),
  )
  const head = history.at(-1)?.id
  const builtUpon = new Set(history.flatMap(({ base, merges = [] }) => [base, ...merges]))
  return {
    history,
    deciding,
    conflicts: conflicts.sort((a, b) => compare(a.revision, b.revision) || compare(a.path, b.path)),
    merges: history.flatMap(({ id }) => (id === head || builtUpon.has(id) ? [] : [id])),
    ...(head === undefined ? {} : { head }),
  }
}

interface Change {
  /** Its revision's place in the order. */
  index: number
  revision: LoggedRevision
  after: unknown
}

/** Of each side the last change that the other side's author had not seen. */
function conflictsOf(path: string, changes: readonly Change[], { saw, firstUnseen }: Lineage): Conflict[] {
  const lost = new Map<Change, Change>()
  for (const [place, winner] of changes.entries()) {
    for (let earlier = place - 1; earlier >= 0; earlier -= 1) {
      const loser = changes[earlier]
      if (loser === undefined || loser.index < firstUnseen(winner.index)) break
      if (saw(winner.index, loser.index)) continue
      const replaced = changes.some(
        (later) =>
          later.index > loser.index &&
          later !== winner &&
          saw(later.index, loser.index) &&
          !saw(later.index, winner.index) &&
          !saw(winner.index, later.index),
      )
      if (!replaced && !isDeepStrictEqual(loser.after, winner.after)) lost.set(loser, winner)
    }
  }
  return [...lost].map(([{ revision, after }, winner]) => ({
    revision: revision.id,
    path,
    author: revision.author,
    at: revision.at,
    origin: revision.origin,
    against: winner.revision.id,
    ...(after === undefined ? {} : { value: after }),
  }))
}

interface Lineage {
  /** Whether the author of the revision at one place in the order had seen the one at another. */
  saw(by: number, other: number): boolean
  /** Everything before this place was seen by the author of that revision. */
  firstUnseen(by: number): number
}

/**
 * What each author had seen, as a whole beginning of the order and single ones after it. Without a split the
 * beginning is everything, so a long history costs no memory.
 */
function lineageOf(history: readonly LoggedRevision[]): Lineage {
  const places = new Map(history.map(({ id }, index) => [id, index]))
  const seen: { upTo: number; further: ReadonlySet<number> }[] = []
  for (const [index, { base, merges = [] }] of history.entries()) {
    let upTo = 0
    const further = new Set<number>()
    for (const id of [base, ...merges]) {
      // Unknown while the log that holds it is still on its way.
      const place = id === undefined ? undefined : places.get(id)
      if (place === undefined || place >= index) continue
      const before = seen[place]
      upTo = Math.max(upTo, before?.upTo ?? 0)
      for (const one of before?.further ?? []) further.add(one)
      further.add(place)
    }
    for (const place of [...further].sort((a, b) => a - b)) {
      if (place > upTo) break
      further.delete(place)
      upTo = Math.max(upTo, place + 1)
    }
    seen.push({ upTo, further })
  }
  const firstUnseen = (by: number) => seen[by]?.upTo ?? 0
  return {
    firstUnseen,
    saw: (by, other) => other < firstUnseen(by) || seen[by]?.further.has(other) === true,
  }
}

function byOrder(a: LoggedRevision, b: LoggedRevision): number {
  return (
    a.term.counter - b.term.counter ||
    compare(a.term.node, b.term.node) ||
    a.clock - b.clock ||
    compare(a.origin, b.origin) ||
    compare(a.id, b.id)
  )
}

/** By code units: every member must sort alike, whatever its language. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
