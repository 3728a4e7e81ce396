/** All pages of the panel: path, chunk of code, who may see it. */
import type { Route } from './router.ts'

export const routes: readonly Route[] = [
  { path: '/', load: () => import('../home/page.tsx') },
  { path: '/lines', load: () => import('../lines/page.tsx') },
  { path: '/queue', load: () => import('../queue/page.tsx') },
  { path: '/queue/new', load: () => import('../queue/new-page.tsx'), for: 'operator' },
  { path: '/queue/:id', load: () => import('../queue/message-page.tsx') },
  { path: '/inbox', load: () => import('../queue/inbox-page.tsx') },
  { path: '/archive', load: () => import('../queue/archive-page.tsx') },
  { path: '/totals', load: () => import('../totals/page.tsx') },
  { path: '/login', load: () => import('../door/login-page.tsx'), for: 'open' },
  { path: '/setup', load: () => import('../door/setup-page.tsx'), for: 'open' },
]
