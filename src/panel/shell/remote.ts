/**
 * Data of a page: asked when the page opens, when its path changes and when the appliance says that it changed.
 *
 *   const lines = useRemote<LineListView>('/lines', { refresh: ['status'] })
 *   lines.data.value, lines.problem.value, lines.loading.value, lines.reload()
 *
 * The newest question wins; what is on the screen stays until the next answer is there.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { type Answer, get, type Problem } from './api.ts'
import { type LiveEvents, onLive } from './live.ts'

export interface Remote<T> {
  data: ReadonlySignal<T | undefined>
  problem: ReadonlySignal<Problem | undefined>
  loading: ReadonlySignal<boolean>
  reload(): void
}

const REFRESH_PAUSE_MS = 400
/** What could not be answered, as while a member starts anew, is asked again after so long. */
const AGAIN_MS = 2_000

interface Ahead {
  coming: Promise<Answer<unknown>>
  answer?: Answer<unknown>
}

/** What was asked for before the page that wants it is drawn, by path; of the page that is opened. */
const ahead = new Map<string, Ahead>()

/**
 * Asks for what a page will ask for first.
 * @param paths as the page gives them to useRemote
 * @returns when all answers are there: who draws the page then draws it whole, at once
 */
export async function askAhead(paths: readonly string[]): Promise<void> {
  ahead.clear()
  await Promise.all(
    paths.map(async (path) => {
      const one: Ahead = { coming: get(path) }
      ahead.set(path, one)
      one.answer = await one.coming
    }),
  )
}

/** The answer that was asked for ahead and is there already, for whoever comes first. */
export function answered<T>(path: string): Answer<T> | undefined {
  const answer = ahead.get(path)?.answer
  if (answer !== undefined) ahead.delete(path)
  return answer as Answer<T> | undefined
}

/** The answer that was asked for ahead, for whoever comes first; otherwise asks now. */
export function asked<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
  const early = ahead.get(path)
  ahead.delete(path)
  return early === undefined ? get<T>(path, undefined, signal) : (early.coming as Promise<Answer<T>>)
}

/** @param path below /api/v1 with its query; undefined asks nothing. `every`: also asked each so many ms. */
export function useRemote<T>(
  path: string | undefined,
  options: { refresh?: readonly (keyof LiveEvents)[]; every?: number } = {},
): Remote<T> {
  const remote = useMemo(() => {
    const first = path === undefined ? undefined : answered<T>(path)
    const data = signal(first?.ok ? first.value : undefined)
    const problem = signal(first?.ok === false ? first.problem : undefined)
    const loading = signal(path !== undefined && first === undefined)
    let isThere = first !== undefined
    let latest = new AbortController()
    let again: ReturnType<typeof setTimeout> | undefined
    let at = path
    const reload = async (): Promise<void> => {
      latest.abort()
      clearTimeout(again)
      if (at === undefined) return
      const mine = new AbortController()
      latest = mine
      loading.value = true
      const answer = await asked<T>(at, mine.signal)
      if (mine.signal.aborted) return
      loading.value = false
      problem.value = answer.ok ? undefined : answer.problem
      if (answer.ok) data.value = answer.value
      else if (answer.problem.status === 0 || answer.problem.status >= 500)
        again = setTimeout(() => void reload(), AGAIN_MS)
    }
    return {
      data,
      problem,
      loading,
      reload: () => void reload(),
      point(to: string | undefined) {
        at = to
        if (!isThere) void reload()
        isThere = false
      },
      end() {
        latest.abort()
        clearTimeout(again)
      },
    }
  }, [])
  useEffect(() => remote.point(path), [path])
  useEffect(() => remote.end, [])
  const names = (options.refresh ?? []).join(' ')
  useEffect(() => {
    let pending: ReturnType<typeof setTimeout> | undefined
    const soon = (): void => {
      pending ??= setTimeout(() => {
        pending = undefined
        remote.reload()
      }, REFRESH_PAUSE_MS)
    }
    const stops = (options.refresh ?? []).map((name) => onLive(name, soon))
    const ticks = options.every === undefined ? undefined : setInterval(remote.reload, options.every)
    return () => {
      clearTimeout(pending)
      clearInterval(ticks)
      for (const stop of stops) stop()
    }
  }, [names, options.every])
  return remote
}
