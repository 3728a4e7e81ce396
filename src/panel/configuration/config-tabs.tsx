/** The pages of the configuration. */
import { Tabs } from '../components/tabs.tsx'
import { may } from '../shell/session.ts'
import { words } from './words.ts'

export function ConfigTabs({ conflicts }: { conflicts?: number }) {
  const tabs = [
    { to: '/configuration', text: words.t('tab.settings') },
    { to: '/configuration/history', text: words.t('tab.history') },
    {
      to: '/configuration/conflicts',
      text: words.t('tab.conflicts'),
      ...(conflicts === undefined ? {} : { count: conflicts }),
    },
    ...(may('admin')
      ? [
          { to: '/configuration/appliance', text: words.t('tab.appliance') },
          { to: '/configuration/backup', text: words.t('tab.backup') },
        ]
      : []),
    { to: '/configuration/support', text: words.t('tab.support') },
  ]
  return <Tabs label={words.t('title')} items={tabs} />
}
