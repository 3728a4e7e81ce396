/**
 * What the appliance tells by itself: the event stream of /api/v1/events, read for as long as somebody is logged in.
 *
 * Rests on the event-stream format (WHATWG HTML 9.2.6). Read by fetch and not by EventSource, because only so are the
 * heartbeats (comments) seen: when the address moves to the other member the old connection says nothing, ever, and
 * silence is the only sign. After each reconnect the session is asked anew: another member may answer now.
 */
import { effect, type ReadonlySignal, signal } from '@preact/signals'
import type { LiveEvents } from '#intake/http/panel-schemas.ts'
import { now } from './clock.ts'
import { loadSession, session } from './session.ts'
import type { HomeView } from './shapes.ts'

/** Heartbeats come each 5 s. */
const SILENCE_MS = 12_000
/** How long a page that is not seen goes on hearing, so that a glance at another one costs nothing. */
const UNSEEN_MS = 5_000
const LONGEST_PAUSE_MS = 4_000
const PAUSES_MS = [500, 1_000, 2_000, LONGEST_PAUSE_MS] as const

/** The newest state of everything; undefined until the first event. */
export const status = signal<HomeView | undefined>(undefined)

/** `since`: when the connection was lost, ms since 1970; undefined while all is well or before the first attempt. */
export const connection = signal<{ since?: number; refused?: string }>({})

export type { LiveEvents }

type Listeners = { [N in keyof LiveEvents]: Set<(data: LiveEvents[N]) => void> }
const listeners: Listeners = {
  status: new Set(),
  message: new Set(),
  configuration: new Set(),
  failover: new Set(),
  audit: new Set(),
}

/** @returns stops listening; made for useEffect */
export function onLive<N extends keyof LiveEvents>(name: N, tell: (data: LiveEvents[N]) => void): () => void {
  const all: Set<(data: LiveEvents[N]) => void> = listeners[name]
  all.add(tell)
  return () => all.delete(tell)
}

const isName = (name: string): name is keyof LiveEvents => name in listeners

function tell<N extends keyof LiveEvents>(name: N, data: LiveEvents[N]): void {
  const all: Set<(data: LiveEvents[N]) => void> = listeners[name]
  for (const listener of all) listener(data)
}

onLive('status', (news) => {
  status.value = news
  learnMembers(news)
})

// Somebody may have given this user another role; after a reconnect another member may answer, with another version or
// another idea of who is logged in.
onLive('audit', () => void loadSession())

/** Nobody knows what happened while nothing was heard, so that pages ask for what they show. */
function tellAll(): void {
  tell('message', { ids: [] })
  tell('configuration', { head: null })
  tell('audit', {})
}

/** Members come, go and get names while a page is open. */
function learnMembers({ members }: HomeView): void {
  const known = session.peek()
  if (known === undefined || known.user === null) return
  const text = (all: readonly { node: string; name: string }[]) =>
    all.map(({ node, name }) => `${node} ${name}`).join('\n')
  const now = members.length > 1 ? members.map(({ node, name }) => ({ node, name })) : []
  if (text(now) !== text(known.pair?.members ?? []))
    session.value = { ...known, pair: now.length > 1 ? { members: now } : null }
}

/** Reads events until the stream ends, fails or is silent for too long. */
async function follow(stop: AbortController): Promise<void> {
  let silence = setTimeout(() => stop.abort(), SILENCE_MS)
  // The browser knows at once when its own network is gone.
  window.addEventListener('offline', () => stop.abort(), { signal: stop.signal })
  try {
    const response = await fetch('/api/v1/events', {
      headers: { accept: 'text/event-stream' },
      signal: stop.signal,
    })
    if (!response.ok || response.body === null) {
      connection.value = { since: now.peek(), ...connection.peek(), refused: `HTTP ${response.status}` }
      if (response.status === 401) await loadSession()
      return
    }
    const wasLost = connection.peek().since !== undefined
    connection.value = {}
    if (wasLost || missed) tellAll()
    missed = false
    let buffered = ''
    // Not every browser can go through a stream with `for await`.
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value: chunk } = await reader.read()
      if (done) break
      clearTimeout(silence)
      silence = setTimeout(() => stop.abort(), SILENCE_MS)
      const blocks = (buffered + chunk).split('\n\n')
      buffered = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = block.split('\n').map((line) => line.split(/: ?(.*)/s))
        const value = (name: string): string =>
          fields.flatMap(([field, text]) => (field === name && text !== undefined ? [text] : [])).join('\n')
        const name = value('event')
        if (isName(name) && value('data') !== '') tell(name, JSON.parse(value('data')))
      }
    }
  } catch {
    // Ended, unreachable or silent: the caller shows since when and tries again.
  } finally {
    clearTimeout(silence)
  }
}

/** Resolves after a while, or as soon as the browser has its network back. @param ms how long at most */
function waited(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController()
    const end = (): void => {
      over.abort()
      resolve()
    }
    setTimeout(end, ms)
    window.addEventListener('online', end, { signal: over.signal })
  })
}

async function keepFollowing(over: AbortSignal): Promise<void> {
  let failures = 0
  while (!over.aborted) {
    const began = performance.now()
    const stop = new AbortController()
    over.addEventListener('abort', () => stop.abort(), { signal: stop.signal })
    await follow(stop)
    // Also takes back what was listened to for this one connection.
    stop.abort()
    if (over.aborted) return
    failures = performance.now() - began > 10_000 ? 0 : failures + 1
    if (connection.peek().since === undefined) connection.value = { since: now.peek() }
    await waited(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? LONGEST_PAUSE_MS)
  }
}

/** Something may have happened since the page heard anything, because it was not seen. */
let missed = false

/**
 * Whether the page is seen, or was a moment ago. A browser has six connections to one address at a time for all of its
 * tabs: pages that were opened to be looked at later must not hold one each, or the seventh would load nothing.
 */
function whileSeen(): ReadonlySignal<boolean> {
  const isSeen = (): boolean => document.visibilityState !== 'hidden'
  const seen = signal(isSeen())
  let soon: ReturnType<typeof setTimeout> | undefined
  document.addEventListener('visibilitychange', () => {
    clearTimeout(soon)
    if (isSeen()) seen.value = true
    else
      soon = setTimeout(() => {
        seen.value = false
      }, UNSEEN_MS)
  })
  return seen
}

/** Follows for as long as somebody is logged in and the page is seen. */
export function startLive(): void {
  const seen = whileSeen()
  let over: AbortController | undefined
  effect(() => {
    const known = session.value?.user != null
    const wanted = known && seen.value
    if (wanted && over === undefined) {
      over = new AbortController()
      void keepFollowing(over.signal)
    } else if (!wanted && over !== undefined) {
      over.abort()
      over = undefined
      missed = true
    }
    if (!known) {
      status.value = undefined
      connection.value = {}
    }
  })
}
