/** All pages of the panel: path, chunk of code, who may see it. */
import type { Route } from './router.ts'

export const routes: readonly Route[] = [
  { path: '/', load: () => import('../home/page.tsx') },
  { path: '/login', load: () => import('../door/login-page.tsx'), for: 'open' },
]
