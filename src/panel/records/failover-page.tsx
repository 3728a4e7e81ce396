/** /records/failover: the failover log among the records. */
import { Page } from '../components/layout.tsx'
import { problemDictionaries } from '../shell/problems.ts'
import { FailoverLog } from './failover-log.tsx'
import { RecordsTabs } from './records-tabs.tsx'
import { words } from './words.ts'

function View() {
  return (
    <Page title={words.t('failoverTitle')} back={{ to: '/records', text: words.t('title') }}>
      <RecordsTabs />
      <FailoverLog />
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }
