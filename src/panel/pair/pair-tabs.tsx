/** The pages of the pair, in the order in which an operator needs them. */
import { Tabs } from '../components/tabs.tsx'
import { may } from '../shell/session.ts'
import { words } from './words.ts'

export function PairTabs() {
  const tabs = [
    { to: '/pair', text: words.t('tab.members') },
    ...(may('admin') ? [{ to: '/pair/join', text: words.t('tab.join') }] : []),
    { to: '/pair/drill', text: words.t('tab.drill') },
    { to: '/pair/log', text: words.t('tab.log') },
    ...(may('admin') ? [{ to: '/pair/settings', text: words.t('tab.settings') }] : []),
  ]
  return <Tabs label={words.t('title')} items={tabs} />
}
