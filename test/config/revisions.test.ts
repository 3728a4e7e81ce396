/**
 * Revisions made apart: whatever was changed where, and in whatever order it is merged, members come to the same values
 * and conflicts, and no change is lost. The oracle keeps whole sets of what each author had seen.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldRevisions, type LoggedRevision } from '#config/revisions.ts'
import { compareTerms } from '#messages/order.ts'

const paths = ['validity', 'reserve', 'routes']

type Action =
  | { kind: 'set'; member: number; path: number; value: number }
  | { kind: 'sync'; from: number; to: number }
  | { kind: 'takeover'; member: number }

/** A member that writes and learns as createSettings does. */
class Member {
  readonly node: string
  readonly known = new Map<string, LoggedRevision>()
  #clock = 0
  #term = { counter: 1, node: 'a' }

  constructor(node: string) {
    this.node = node
  }

  set(id: string, path: string, value: number): LoggedRevision {
    const { head, merges } = foldRevisions([...this.known.values()], [])
    this.#clock += 1
    const revision: LoggedRevision = {
      id,
      author: this.node,
      at: 0,
      changes: [{ path, ...(value === 0 ? {} : { after: value }) }],
      term: this.#term,
      clock: this.#clock,
      origin: this.node,
      ...(head === undefined ? {} : { base: head }),
      ...(merges.length === 0 ? {} : { merges }),
    }
    this.known.set(id, revision)
    return revision
  }

  learn(from: Member): void {
    for (const [id, revision] of from.known) this.known.set(id, revision)
    this.#clock = Math.max(this.#clock, from.#clock)
    if (compareTerms(from.#term, this.#term) > 0) this.#term = from.#term
  }

  takeOver(): void {
    this.#term = { counter: this.#term.counter + 1, node: this.node }
  }
}

const member = fc.nat(2)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      member,
      path: fc.nat(paths.length - 1),
      value: fc.nat(3),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sync' as const), from: member, to: member }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeover' as const), member }) },
)

/** Every revision, and for each the ids that its author had seen. */
function play(actions: readonly Action[]) {
  const members = ['a', 'b', 'c'].map((node) => new Member(node))
  const all: LoggedRevision[] = []
  const seen = new Map<string, ReadonlySet<string>>()
  for (const step of actions) {
    if (step.kind === 'set') {
      const author = members[step.member]
      const id = `r${String(all.length).padStart(3, '0')}`
      seen.set(id, new Set(author?.known.keys()))
      const made = author?.set(id, paths[step.path] ?? '', step.value)
      if (made !== undefined) all.push(made)
    } else if (step.kind === 'takeover') members[step.member]?.takeOver()
    else {
      const from = members[step.from]
      if (from !== undefined && step.from !== step.to) members[step.to]?.learn(from)
    }
  }
  return { all, seen }
}

const summary = (revisions: readonly LoggedRevision[], settled: readonly string[] = []) => {
  const { history, deciding, conflicts, head, merges } = foldRevisions(revisions, settled)
  return { history, deciding: [...deciding].sort(), conflicts, head, merges }
}

test('any order of merging gives the same values, history and conflicts', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (actions, random) => {
      const { all } = play(actions)
      const shuffled = all
        .map((revision) => ({ revision, at: random.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ revision }) => revision)
      expect(summary(shuffled)).toEqual(summary(all))
    }),
    { numRuns: 300 },
  )
})

test('every change holds, was replaced by somebody who had seen it, or is listed; nothing else is listed', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const { all, seen } = play(actions)
      const { history, deciding, conflicts } = foldRevisions(all, [])
      expect(history.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
      const saw = (by: string, other: string) => seen.get(by)?.has(other) === true
      for (const [place, { id, changes }] of history.entries()) {
        for (const { path, after } of changes) {
          const others = history.filter((other) => other.changes.some((change) => change.path === path))
          const unaware = others.filter(
            (other) => other.id !== id && !saw(other.id, id) && !saw(id, other.id),
          )
          const listed = conflicts.some((conflict) => conflict.revision === id && conflict.path === path)
          if (unaware.length === 0) expect(listed).toBe(false)
          const replaced = others.some((other) => saw(other.id, id))
          const decides = deciding.get(path)?.revision.id === id
          const same = others.some((other) => other.id !== id && other.changes[0]?.after === after)
          if (!replaced && !decides && !same) expect(listed).toBe(true)
          if (listed) {
            const conflict = conflicts.find((one) => one.revision === id && one.path === path)
            expect(conflict?.value).toEqual(after)
            expect(history.findIndex((one) => one.id === conflict?.against)).toBeGreaterThan(place)
            expect(unaware.map((one) => one.id)).toContain(conflict?.against)
          }
        }
      }
    }),
    { numRuns: 300 },
  )
})

function revision(
  id: string,
  origin: string,
  clock: number,
  changes: LoggedRevision['changes'],
  base?: string,
) {
  const term = { counter: 1, node: 'a' }
  return { id, origin, clock, term, author: origin, at: 0, changes, ...(base === undefined ? {} : { base }) }
}

test('two sides of a cut: the newer value holds, the older one is listed with the other, until it is settled', () => {
  const first = revision('r1', 'a', 1, [{ path: 'validity', after: '1h' }])
  const left = revision('r2', 'a', 2, [{ path: 'validity', after: '2h' }], 'r1')
  const further = revision('r3', 'a', 3, [{ path: 'validity', after: '3h' }], 'r2')
  const right = revision(
    'r4',
    'b',
    2,
    [
      { path: 'validity', after: '9h' },
      { path: 'reserve', after: '32MB' },
    ],
    'r1',
  )
  const apart = [first, left, further, right]
  const { deciding, conflicts, head, merges } = foldRevisions(apart, [])
  expect(deciding.get('validity')?.value).toBe('3h')
  expect(deciding.get('reserve')?.value).toBe('32MB')
  expect(conflicts).toEqual([
    { revision: 'r4', path: 'validity', value: '9h', author: 'b', at: 0, origin: 'b', against: 'r3' },
  ])
  expect({ head, merges }).toEqual({ head: 'r3', merges: ['r4'] })
  expect(foldRevisions(apart, ['r4 validity']).conflicts).toEqual([])
  // Whoever changes it afterwards has not settled what was lost.
  const after = { ...revision('r5', 'a', 4, [{ path: 'validity', after: '4h' }], 'r3'), merges: ['r4'] }
  expect(foldRevisions([...apart, after], []).conflicts.map(({ revision }) => revision)).toEqual(['r4'])
  expect(foldRevisions([...apart, after], []).merges).toEqual([])
})

test('the same change on both sides is none to look at, and a higher term is newer whatever the clocks say', () => {
  const left = revision('r1', 'a', 9, [{ path: 'validity', after: '2h' }])
  const right = {
    ...revision('r2', 'b', 1, [{ path: 'validity', after: '2h' }]),
    term: { counter: 2, node: 'b' },
  }
  expect(foldRevisions([left, right], []).conflicts).toEqual([])
  const other = { ...right, changes: [{ path: 'validity', after: '5h' }] }
  const { deciding, conflicts } = foldRevisions([left, other], [])
  expect(deciding.get('validity')?.value).toBe('5h')
  expect(conflicts.map(({ value }) => value)).toEqual(['2h'])
})

test('ten thousand revisions of one path fold in a moment', () => {
  const long = Array.from({ length: 10_000 }, (_, n) =>
    revision(`r${n}`, 'a', n + 1, [{ path: 'validity', after: `${n}s` }], n === 0 ? undefined : `r${n - 1}`),
  )
  const began = performance.now()
  expect(foldRevisions(long, []).conflicts).toEqual([])
  expect(performance.now() - began).toBeLessThan(2_000)
})
