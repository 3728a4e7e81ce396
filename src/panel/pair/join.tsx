/** /pair/join: let another appliance in with a code, or join another one with its code; then compare fingerprints. */
import { useSignal } from '@preact/signals'
import { Page, Waiting } from '../components/layout.tsx'
import { problemDictionaries } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { Compare } from './compare.tsx'
import { InviteCard } from './invite.tsx'
import { JoinCard } from './join-card.tsx'
import { PairTabs } from './pair-tabs.tsx'
import type { PairView } from './shapes.ts'
import { words } from './words.ts'

function View() {
  const pair = useRemote<PairView>('/pair', { refresh: ['status'], every: 1_000 })
  /** The members that were there when this page opened: who comes later is to be compared. */
  const before = useSignal<readonly string[] | undefined>(undefined)
  const view = pair.data.value
  if (view !== undefined && before.value === undefined) before.value = view.members.map(({ node }) => node)
  const fresh = view?.members.filter(({ node }) => before.value?.includes(node) === false) ?? []
  return (
    <Page
      title={words.t('joinTitle')}
      intro={words.t('joinIntro')}
      back={{ to: '/pair', text: words.t('title') }}
    >
      <PairTabs />
      {view === undefined ? (
        <Waiting of={pair} />
      ) : (
        <>
          {fresh.map((member) => (
            <Compare
              key={member.node}
              pair={view}
              member={member}
              done={() => {
                before.value = [...(before.value ?? []), member.node]
              }}
            />
          ))}
          <div class="cards">
            <InviteCard pair={view} />
            <JoinCard pair={view} joined={() => pair.reload()} />
          </div>
        </>
      )}
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }
