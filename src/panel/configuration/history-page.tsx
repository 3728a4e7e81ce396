/** /configuration/history: who changed what and when, newest first, each with its difference and a way back. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Page, Waiting } from '../components/layout.tsx'
import { ShortId } from '../components/short-id.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { get, post } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { may, memberName } from '../shell/session.ts'
import { authorText } from './author.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { DiffView } from './diff-view.tsx'
import { settingText, settingWords } from './setting-words.ts'
import type { Applied, HistoryPage, RevisionView } from './shapes.ts'
import { words } from './words.ts'

const PAGE = 30
const NEWEST = `/config/history?limit=${PAGE}`

function View() {
  const newest = useRemote<HistoryPage>(NEWEST, { refresh: ['configuration'] })
  const older = useSignal<readonly RevisionView[]>([])
  const next = useSignal<string | undefined>(undefined)
  const first = newest.data.value
  useEffect(() => {
    older.value = []
    next.value = first?.next
  }, [first])
  const items = [...(first?.items ?? []), ...older.value]
  return (
    <Page
      title={words.t('historyTitle')}
      intro={words.t('historyIntro')}
      back={{ to: '/configuration', text: words.t('title') }}
    >
      <ConfigTabs />
      <Waiting of={newest} rows={8} />
      {first !== undefined && items.length === 0 ? (
        <EmptyState title={words.t('noHistory')}>{words.t('noHistoryText')}</EmptyState>
      ) : null}
      {items.map((revision, index) => (
        <Revision
          key={revision.id}
          revision={revision}
          newest={index === 0}
          changed={() => newest.reload()}
        />
      ))}
      {next.value === undefined ? null : (
        <div class="actions">
          <Button
            onClick={async () => {
              const answer = await get<HistoryPage>('/config/history', { limit: PAGE, after: next.value })
              if (!answer.ok) {
                announce(problemText(answer.problem), 'bad')
                return
              }
              older.value = [...older.value, ...answer.value.items]
              next.value = answer.value.next
            }}
          >
            {words.t('older')}
          </Button>
        </div>
      )}
    </Page>
  )
}

export const page = { words: [words, settingWords, ...problemDictionaries], view: View }

function Revision({
  revision,
  newest,
  changed,
}: {
  revision: RevisionView
  newest: boolean
  changed: () => void
}) {
  const { id, at, author, node, changes } = revision
  const names = [...new Set(changes.map(({ path }) => settingText.name(path)))]
  const shown = names.length > 4 ? `${names.slice(0, 4).join(', ')} …` : names.join(', ')
  return (
    <Card
      title={shown}
      aside={
        may('admin') ? (
          <Button
            label={words.t('revertLabel', { name: shown })}
            confirm={{
              title: words.t('revertTitle'),
              text: <Back revision={revision} />,
              action: words.t('revert'),
            }}
            onClick={async () => {
              const answer = await post<Applied>('/config/revert', { revision: id })
              if (answer.ok)
                announce(words.t(answer.value.revision === undefined ? 'unchanged' : 'revertDone'))
              else announce(problemText(answer.problem), 'bad')
              changed()
            }}
          >
            {words.t('revert')}
          </Button>
        ) : undefined
      }
    >
      <p>
        <Time at={at} long /> · {authorText(author)} · {memberName(node)} · <ShortId id={id} />
        {newest ? <strong> · {words.t('newest')}</strong> : null}
      </p>
      <details>
        <summary>{words.t('whatChanged', { count: changes.length })}</summary>
        <DiffView changes={changes} name={settingText.name} />
      </details>
    </Card>
  )
}

/** The same change the other way round. */
function Back({ revision }: { revision: RevisionView }) {
  return (
    <div class="stack">
      <p>{words.t('revertText')}</p>
      <DiffView
        changes={revision.changes.map(({ path, before, after }) => ({ path, before: after, after: before }))}
        name={settingText.name}
      />
    </div>
  )
}
