/**
 * A long list that the appliance hands out in pages (`items`, `next`): pages are asked for as the reader gets near them.
 *
 * However long the list is, the rows of at most KEPT pages are held; a page that was dropped is asked for again with the
 * cursor that led to it. New rows at the beginning are put before the first page, so that nothing jumps.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { type Problem, withQuery } from './api.ts'
import { answered, asked } from './remote.ts'

const PAGE_ROWS = 100
const KEPT = 12

interface PageView<T> {
  items: T[]
  next?: string
}

interface PagePart<T> {
  after: string | undefined
  size: number
  items: T[] | undefined
  used: number
}

export interface Pages<T> {
  /** Changes whenever rows do. */
  version: ReadonlySignal<number>
  /** How many rows are known so far. */
  size(): number
  /** All rows are known. */
  complete(): boolean
  row(index: number): T | undefined
  /** What is looked at: asks for what is missing there and for the next page near the end. */
  need(from: number, to: number): void
  problem: ReadonlySignal<Problem | undefined>
  /** Asks again for what is looked at. @returns how many rows came before the first one */
  refresh(): Promise<number>
  reset(): void
}

function makePages<T>(path: () => string, key: (row: T) => string): Pages<T> {
  const version = signal(0)
  const problem = signal<Problem | undefined>(undefined)
  let parts: PagePart<T>[] = []
  let next: string | undefined
  let ended = false
  let uses = 0
  let generation = 0
  let asking = new Set<number>()
  let seen = { from: 0, to: 0 }

  const changed = (): void => {
    version.value += 1
  }
  const question = (after?: string): string => {
    const [base = '', given = ''] = path().split('?')
    return withQuery(base, { ...Object.fromEntries(new URLSearchParams(given)), limit: PAGE_ROWS, after })
  }
  const fetchPage = async (after: string | undefined): Promise<PageView<T> | undefined> => {
    const mine = generation
    const answer = await asked<PageView<T>>(question(after))
    if (mine !== generation) return undefined
    problem.value = answer.ok ? undefined : answer.problem
    return answer.ok ? answer.value : undefined
  }
  const evict = (): void => {
    const held = parts.filter((part) => part.items !== undefined)
    if (held.length <= KEPT) return
    held.sort((a, b) => a.used - b.used)
    for (const part of held.slice(0, held.length - KEPT)) part.items = undefined
  }
  const load = async (n: number): Promise<void> => {
    if (asking.has(n)) return
    const mine = asking
    mine.add(n)
    const known = parts[n]
    const after = known === undefined ? next : known.after
    const page = await fetchPage(after)
    mine.delete(n)
    if (page === undefined) return
    take(n, after, page)
    changed()
  }
  const take = (n: number, after: string | undefined, page: PageView<T>): void => {
    uses += 1
    parts[n] = { after, size: page.items.length, items: page.items, used: uses }
    if (n === parts.length - 1) {
      next = page.next
      ended = page.next === undefined
    }
    evict()
  }
  const at = (index: number): { part: PagePart<T>; n: number; offset: number } | undefined => {
    let start = 0
    for (const [n, part] of parts.entries()) {
      if (index < start + part.size) return { part, n, offset: index - start }
      start += part.size
    }
    return undefined
  }
  const size = (): number => parts.reduce((sum, part) => sum + part.size, 0)

  /** What the first page says now, put before what is known; the rest stays where it is. */
  async function refreshFirst(): Promise<number> {
    const first = parts[0]
    const page = await fetchPage(undefined)
    if (page === undefined) return 0
    const last = page.items.at(-1)
    const old = first?.items ?? []
    const end = last === undefined ? -1 : old.findIndex((row) => key(row) === key(last))
    if (first === undefined || end < 0 || parts.length === 1 || old.length > 4 * PAGE_ROWS) {
      parts = [{ after: undefined, size: page.items.length, items: page.items, used: uses }]
      next = page.next
      ended = page.next === undefined
      changed()
      return 0
    }
    const items = [...page.items, ...old.slice(end + 1)]
    const added = items.length - old.length
    parts[0] = { ...first, items, size: items.length }
    changed()
    return added
  }

  // Asked for before the list is drawn, and there: the list begins with it.
  const first = answered<PageView<T>>(question())
  if (first?.ok) take(0, undefined, first.value)
  else problem.value = first?.problem

  return {
    version,
    problem,
    size,
    complete: () => ended,
    row(index) {
      const found = at(index)
      return found?.part.items?.[found.offset]
    },
    need(from, to) {
      seen = { from, to }
      for (let index = from; index <= to; index += PAGE_ROWS / 2) {
        const found = at(index)
        if (found === undefined) break
        uses += 1
        found.part.used = uses
        if (found.part.items === undefined) void load(found.n)
      }
      const last = at(to)
      if (last !== undefined && last.part.items === undefined) void load(last.n)
      if (!ended && to + PAGE_ROWS / 2 >= size() && problem.peek() === undefined) void load(parts.length)
    },
    async refresh() {
      const shown = [at(seen.from), at(seen.to)].flatMap((found) => (found === undefined ? [] : [found.n]))
      const added = await refreshFirst()
      for (const n of new Set(shown)) if (n > 0 && n < parts.length) await load(n)
      return added
    },
    reset() {
      generation += 1
      parts = []
      next = undefined
      ended = false
      asking = new Set()
      problem.value = undefined
      changed()
      void load(0)
    },
  }
}

/** @param path with its filters, without `limit` and `after`; another path begins anew */
export function usePages<T>(path: string, key: (row: T) => string): Pages<T> {
  const held = useMemo(() => {
    const current = { path }
    const pages = makePages<T>(() => current.path, key)
    return {
      current,
      pages,
      isThere: pages.size() > 0 || pages.complete() || pages.problem.peek() !== undefined,
    }
  }, [])
  useEffect(() => {
    held.current.path = path
    if (!held.isThere) held.pages.reset()
    held.isThere = false
  }, [path])
  return held.pages
}
