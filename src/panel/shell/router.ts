/**
 * The address bar as a signal: plain paths by the History API, one chunk of code per page.
 *
 * Links are ordinary <a href="/lines">; clicks on them are taken here. A page module exports `page: PageModule`; its
 * code and its words are loaded before it is drawn. Filters belong into the query (setQuery), so that a link to what is
 * seen can be given to a colleague.
 */
import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import type { Role } from './shapes.ts'
import type { Loadable } from './words.ts'

export interface PageProps {
  /** What stands in the path for `:id` and the like. */
  params: Record<string, string>
}

export interface PageModule {
  words: readonly Loadable[]
  /** As `asks` of its route, where this depends on the query or on what is known already. */
  asks?: () => readonly string[]
  view: ComponentType<PageProps>
}

export interface Route {
  /** `/queue/:id` */
  path: string
  load: () => Promise<{ page: PageModule }>
  /**
   * What the page asks for as soon as it is drawn, when its address has no query; paths as given to useRemote, with
   * `:id` as in `path`. The appliance names them with the page, so that the answers come together with the code
   * (.ci/build-panel.mjs reads them here).
   */
  asks?: readonly string[]
  /** Who may see it; everybody who is logged in when absent. `open`: also who is not. */
  for?: Role | 'open'
}

export interface Place {
  path: string
  query: URLSearchParams
}

const here = (): Place => ({
  path: window.location.pathname,
  query: new URLSearchParams(window.location.search),
})

export const place = signal<Place>(here())

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', to)
  else history.replaceState(null, '', to)
  place.value = here()
}

/** Changes parts of the query in place; undefined or an empty text takes a part away. */
export function setQuery(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(place.peek().query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(name)
    else query.set(name, value)
  }
  const text = query.toString()
  go(text === '' ? place.peek().path : `${place.peek().path}?${text}`, 'replace')
}

/** @returns what stands for the parameters, or undefined when the path is another one */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/(.)\/$/, '$1').split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [n, part] of wanted.entries()) {
    const text = given[n] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(text)
    else if (part !== text) return undefined
  }
  return params
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || link.target !== '' || link.hasAttribute('download')) return
  const to = new URL(link.href)
  if (to.origin !== window.location.origin || /^\/(api|docs|assets|health)\b/.test(to.pathname)) return
  // A link within the page, such as the one that skips the navigation.
  if (to.hash !== '') return
  event.preventDefault()
  go(to.pathname + to.search)
}

export function startRouter(): void {
  document.addEventListener('click', onClick)
  window.addEventListener('popstate', () => {
    place.value = here()
  })
}
