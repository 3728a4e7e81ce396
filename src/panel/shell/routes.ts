/** All pages of the panel: path, chunk of code, what they ask for first, who may see them. */
import type { Route } from './router.ts'

export const routes: readonly Route[] = [
  { path: '/', load: () => import('../home/page.tsx'), asks: ['/home'] },
  { path: '/lines', load: () => import('../lines/page.tsx'), asks: ['/lines?node=*'] },
  {
    path: '/queue',
    load: () => import('../queue/page.tsx'),
    asks: ['/messages?archived=no&limit=100', '/messages/counts', '/lines?node=*'],
  },
  {
    path: '/queue/new',
    load: () => import('../queue/new-page.tsx'),
    asks: ['/contacts', '/groups'],
    for: 'operator',
  },
  { path: '/queue/:id', load: () => import('../queue/message-page.tsx'), asks: ['/messages/:id'] },
  {
    path: '/inbox',
    load: () => import('../queue/inbox-page.tsx'),
    asks: ['/inbox?limit=100', '/inbound/dead?limit=20'],
  },
  {
    path: '/archive',
    load: () => import('../queue/archive-page.tsx'),
    asks: ['/messages?archived=yes&limit=100', '/lines?node=*'],
  },
  { path: '/totals', load: () => import('../totals/page.tsx'), asks: ['/totals?since=24h&step=hour'] },
  { path: '/pair', load: () => import('../pair/overview.tsx'), asks: ['/pair'] },
  { path: '/pair/join', load: () => import('../pair/join.tsx'), asks: ['/pair'], for: 'admin' },
  {
    path: '/pair/drill',
    load: () => import('../pair/drill-page.tsx'),
    asks: ['/pair', '/pair/drills', '/pair/failover'],
  },
  { path: '/pair/log', load: () => import('../pair/log-page.tsx'), asks: ['/pair/failover'] },
  {
    path: '/pair/settings',
    load: () => import('../pair/settings-page.tsx'),
    asks: ['/own-configuration', '/pair'],
    for: 'admin',
  },
  {
    path: '/configuration',
    load: () => import('../configuration/form-page.tsx'),
    asks: ['/config/schema', '/config', '/config/conflicts'],
  },
  {
    path: '/configuration/history',
    load: () => import('../configuration/history-page.tsx'),
    asks: ['/config/history?limit=30'],
  },
  {
    path: '/configuration/conflicts',
    load: () => import('../configuration/conflicts-page.tsx'),
    asks: ['/config/conflicts'],
  },
  {
    path: '/configuration/appliance',
    load: () => import('../configuration/appliance-page.tsx'),
    asks: ['/own-configuration', '/own-configuration/history'],
    for: 'admin',
  },
  {
    path: '/configuration/backup',
    load: () => import('../configuration/backup-page.tsx'),
    asks: ['/restore'],
    for: 'admin',
  },
  { path: '/configuration/support', load: () => import('../configuration/support-page.tsx') },
  { path: '/people', load: () => import('../people/contacts-page.tsx'), asks: ['/contacts', '/groups'] },
  { path: '/people/groups', load: () => import('../people/groups-page.tsx'), asks: ['/groups', '/contacts'] },
  { path: '/people/directory', load: () => import('../people/directory-page.tsx'), asks: ['/ldap'] },
  { path: '/people/import', load: () => import('../people/import-page.tsx'), for: 'admin' },
  { path: '/people/users', load: () => import('../people/users-page.tsx'), asks: ['/users'], for: 'admin' },
  {
    path: '/people/tokens',
    load: () => import('../people/tokens-page.tsx'),
    asks: ['/tokens'],
    for: 'admin',
  },
  { path: '/people/me', load: () => import('../people/me-page.tsx') },
  { path: '/records', load: () => import('../records/audit-page.tsx'), asks: ['/audit/verify'] },
  { path: '/records/failover', load: () => import('../records/failover-page.tsx'), asks: ['/pair/failover'] },
  { path: '/login', load: () => import('../door/login-page.tsx'), for: 'open' },
  { path: '/setup', load: () => import('../door/setup-page.tsx'), for: 'open' },
]
