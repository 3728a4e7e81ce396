/** The pages of people. Users and tokens are for administrators; contacts and groups may be read by everybody. */
import { Tabs } from '../components/tabs.tsx'
import { may } from '../shell/session.ts'
import { words } from './words.ts'

export function PeopleTabs() {
  const tabs = [
    { to: '/people', text: words.t('tab.contacts') },
    { to: '/people/groups', text: words.t('tab.groups') },
    { to: '/people/directory', text: words.t('tab.directory') },
    ...(may('admin')
      ? [
          { to: '/people/import', text: words.t('tab.import') },
          { to: '/people/users', text: words.t('tab.users') },
          { to: '/people/tokens', text: words.t('tab.tokens') },
        ]
      : []),
    { to: '/people/me', text: words.t('tab.me') },
  ]
  return <Tabs label={words.t('title')} items={tabs} />
}
