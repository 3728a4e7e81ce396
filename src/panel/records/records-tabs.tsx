/** The two records of an appliance. */
import { Tabs } from '../components/tabs.tsx'
import { words } from './words.ts'

export const RecordsTabs = () => (
  <Tabs
    label={words.t('title')}
    items={[
      { to: '/records', text: words.t('tab.audit') },
      { to: '/records/failover', text: words.t('tab.failover') },
    ]}
  />
)
