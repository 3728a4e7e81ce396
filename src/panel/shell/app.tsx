/**
 * The shell around all pages: which member answers, the way to the other pages, and the page itself, whose code and
 * words are loaded before it takes the place of the one before.
 */
import { effect, signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ConfirmHost } from '../components/button.tsx'
import { EmptyState, Notice, Page, Skeleton } from '../components/layout.tsx'
import { ToastHost } from '../components/toast.tsx'
import { words } from '../components/words.ts'
import { Header, LostNotice } from './header.tsx'
import { connection } from './live.ts'
import { Navigation, TabBar } from './navigation.tsx'
import { problemDictionaries } from './problems.ts'
import { askAhead } from './remote.ts'
import { go, match, type PageModule, type Place, place, type Route } from './router.ts'
import { routes } from './routes.ts'
import { expired, leave, loadSession, may, session, sessionProblem, wasLoggedIn } from './session.ts'
import { language } from './words.ts'

type Shown =
  | { kind: 'page'; key: string; module: PageModule; params: Record<string, string> }
  | { kind: 'missing' | 'forbidden' | 'failed'; key: string }

const shown = signal<Shown | undefined>(undefined)

/** When a page is on the screen for the first time, or something in its place. */
export const firstPage = new Promise<void>((resolve) => {
  const stop = effect(() => {
    if (shown.value === undefined) return
    resolve()
    queueMicrotask(() => stop())
  })
})
const loading = signal(false)

interface Found {
  route: Route
  params: Record<string, string>
}

function find(path: string): Found | undefined {
  for (const route of routes) {
    const params = match(route.path, path)
    if (params !== undefined) return { route, params }
  }
  return undefined
}

/** Where somebody belongs who is not logged in, or is and stands at the door; undefined: stay. */
function elsewhere(route: Route | undefined, at: Place): string | undefined {
  const now = session.value
  if (now === undefined) return undefined
  if (now.user === null && route?.for !== 'open') {
    if (now.setup) return '/setup'
    const back = at.path + (at.query.size > 0 ? `?${at.query}` : '')
    return back === '/' ? '/login' : `/login?${new URLSearchParams({ back })}`
  }
  if (now.user === null && now.setup && route?.path === '/login') return '/setup'
  if (now.user === null && !now.setup && route?.path === '/setup') return '/login'
  if (now.user !== null && route?.path === '/login') return at.query.get('back') ?? '/'
  return undefined
}

const wordsOf = ({ words: dictionaries }: Pick<PageModule, 'words'>): Promise<unknown> =>
  Promise.all(dictionaries.map((dictionary) => dictionary.load(language.peek())))

/** The code and the words of a page. */
async function prepared(route: Pick<Route, 'load'>): Promise<PageModule> {
  const { page } = await route.load()
  await wordsOf(page)
  return page
}

/** How long a page waits for its first answers before it is drawn without them, ms. Within it nothing flickers. */
const ANSWERS_MS = 200

/** What the page of a route asks for first when its address has no query. */
const asksOf = ({ route, params }: Found): string[] =>
  (route.asks ?? []).map((path) =>
    path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params[name] ?? '')),
  )

/** When the first answers to a page are there, or have not come for long. */
async function inTime(answers: Promise<void>): Promise<void> {
  const enough = new Promise<void>((resolve) => {
    setTimeout(resolve, ANSWERS_MS)
  })
  await Promise.race([answers, enough])
}

/** The page that the browser came for, on its way while it is still asked who is logged in. */
interface Begun {
  path: string
  page: Promise<PageModule>
  answers: Promise<void> | undefined
}

let begun: Begun | undefined

function begin({ path, query }: Place): void {
  const found = find(path)
  if (found === undefined) return
  const page = prepared(found.route)
  // Told when it is opened.
  page.catch(() => undefined)
  const answers = wasLoggedIn && query.size === 0 ? askAhead(asksOf(found)) : undefined
  begun = { path, page, answers }
}

let turn = 0

async function open(at: Place): Promise<void> {
  const found = find(at.path)
  const early = begun?.path === at.path ? begun : undefined
  begun = undefined
  const away = elsewhere(found?.route, at)
  if (away !== undefined) return go(away.startsWith('/') && !away.startsWith('//') ? away : '/', 'replace')
  turn += 1
  const mine = turn
  const key = at.path
  if (found === undefined) {
    shown.value = { kind: 'missing', key }
    return
  }
  const { route, params } = found
  if (route.for !== undefined && route.for !== 'open' && !may(route.for)) {
    shown.value = { kind: 'forbidden', key }
    return
  }
  loading.value = true
  try {
    const page = await (early?.page ?? route.load().then((module) => module.page))
    const asks = () => askAhead(page.asks?.() ?? asksOf(found))
    await Promise.all([wordsOf(page), mine === turn && inTime(early?.answers ?? asks())])
    if (mine === turn) shown.value = { kind: 'page', key, module: page, params }
  } catch {
    if (mine === turn) shown.value = { kind: 'failed', key }
  }
  if (mine === turn) loading.value = false
}

/** Opens pages from now on. @returns when the words of the shell are there */
export async function startPages(): Promise<void> {
  begin(place.peek())
  await wordsOf({ words: [words, ...problemDictionaries] })
  let path: string | undefined
  let user: string | undefined
  effect(() => {
    const at = place.value
    const now = session.value
    if (now === undefined) return
    const who = `${now.user?.name} ${now.user?.role} ${now.setup}`
    // A change of the query alone is the page's own affair.
    if (at.path === path && who === user) return
    path = at.path
    user = who
    void open(at)
  })
}

function PageView() {
  const page = shown.value
  switch (page?.kind) {
    case undefined:
      return <Skeleton rows={6} />
    case 'page': {
      const { view: View } = page.module
      return <View key={page.key} params={page.params} />
    }
    case 'missing':
      return (
        <Page title={words.t('notFound')} key={page.key}>
          <EmptyState title={words.t('notFoundText', { path: page.key })}>
            <a href="/">{words.t('toHome')}</a>
          </EmptyState>
        </Page>
      )
    case 'forbidden':
      return (
        <Page title={words.t('notAllowed')} key={page.key}>
          <EmptyState
            title={words.t('notAllowedText', {
              role: words.t(`user.${session.value?.user?.role ?? 'viewer'}`),
            })}
          />
        </Page>
      )
    case 'failed':
      return <Failed key={page.key} path={page.key} />
  }
}

/** The code of a page did not come. Where that is for want of a connection, the page loads as soon as there is one. */
function Failed({ path }: { path: string }) {
  const lost = connection.value.since !== undefined
  const wasLost = useRef(lost)
  if (lost) wasLost.current = true
  useEffect(() => {
    if (!lost && wasLost.current) location.reload()
  }, [lost])
  return (
    <Page title={words.t('pageFailed')}>
      <Notice tone="bad">
        <p>{words.t(lost ? 'pageFailedLost' : 'pageFailedText')}</p>
        <p>
          <a href={path} target="_self">
            {words.t('reload')}
          </a>
        </p>
      </Notice>
    </Page>
  )
}

const again = signal<PageModule | undefined>(undefined)

effect(() => {
  if (!expired.value) again.value = undefined
  else
    prepared({ load: () => import('../door/login-dialog.tsx') }).then((page) => {
      if (expired.peek()) again.value = page
    }, leave)
})

/** The login over the page on which the session ended. */
function LoginAgain() {
  const View = again.value?.view
  return View === undefined ? null : <View params={{}} />
}

/** No answer to the very first question: nothing can be shown, and asking goes on. */
function Unreachable() {
  return (
    <main class="door" id="content">
      <Notice tone="warn" title={words.t('unreachable')}>
        {words.t('unreachableText')}
      </Notice>
    </main>
  )
}

const ASK_AGAIN_MS = 3_000

export async function startSession(): Promise<void> {
  await loadSession()
  if (session.peek() === undefined)
    setTimeout(() => {
      void startSession()
    }, ASK_AGAIN_MS)
}

export function App() {
  const known = session.value
  if (known === undefined) return sessionProblem.value === undefined ? null : <Unreachable />
  const inside = known.user !== null
  return (
    <div class={inside ? 'frame' : 'frame frame-door'}>
      <a class="skip" href="#content">
        {words.t('skip')}
      </a>
      {inside ? <Navigation /> : null}
      <div class="stage">
        <Header />
        <LostNotice />
        <div class={loading.value ? 'loading-bar' : 'loading-bar loading-bar-off'} aria-hidden="true" />
        <main class={inside ? 'content' : 'door'} id="content">
          <PageView />
        </main>
      </div>
      {inside ? <TabBar /> : null}
      <ConfirmHost />
      <LoginAgain />
      <ToastHost />
    </div>
  )
}
