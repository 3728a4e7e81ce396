/** /pair/log: the failover log among the pages of the pair. */
import { Page } from '../components/layout.tsx'
import { FailoverLog } from '../records/failover-log.tsx'
import { words as recordWords } from '../records/words.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { PairTabs } from './pair-tabs.tsx'
import { words } from './words.ts'

function View() {
  return (
    <Page title={words.t('logTitle')} back={{ to: '/pair', text: words.t('title') }}>
      <PairTabs />
      <FailoverLog />
    </Page>
  )
}

export const page = {
  words: [words, recordWords, ...problemDictionaries],
  view: View,
}
