/** /configuration/conflicts: what was changed on both sides of a cut. Both values are shown; a person says which holds. */
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Page, Waiting } from '../components/layout.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { type Answer, post } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { may, memberName } from '../shell/session.ts'
import { authorText } from './author.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { settingText, settingWords } from './setting-words.ts'
import type { ConflictsView, ConflictView } from './shapes.ts'
import { valueLines } from './value-text.ts'
import { words } from './words.ts'

function View() {
  const conflicts = useRemote<ConflictsView>('/config/conflicts', { refresh: ['configuration'] })
  const items = conflicts.data.value?.items
  return (
    <Page
      title={words.t('conflictsTitle')}
      intro={words.t('conflictsIntro')}
      back={{ to: '/configuration', text: words.t('title') }}
    >
      <ConfigTabs conflicts={items?.length ?? 0} />
      <Waiting of={conflicts} />
      {items?.length === 0 ? (
        <EmptyState title={words.t('noConflicts')}>{words.t('noConflictsText')}</EmptyState>
      ) : null}
      {items?.map((conflict) => (
        <Conflict
          key={`${conflict.revision} ${conflict.path}`}
          conflict={conflict}
          settled={() => conflicts.reload()}
        />
      ))}
    </Page>
  )
}

export const page = {
  words: [words, settingWords, ...problemDictionaries],
  view: View,
}

function Conflict({ conflict, settled }: { conflict: ConflictView; settled: () => void }) {
  const { revision, path, value, holds, author, at, node } = conflict
  const settle = async (asked: Promise<Answer<unknown>>): Promise<void> => {
    const answer = await asked
    if (answer.ok) announce(words.t('settled'))
    else announce(problemText(answer.problem), 'bad')
    settled()
  }
  return (
    <Card title={settingText.name(path)} aside={<code class="quiet">{path}</code>}>
      <div class="versus">
        <section aria-label={words.t('holdsNow')}>
          <h3>{words.t('holdsNow')}</h3>
          <Value value={holds} />
          {may('admin') ? (
            <Button
              label={words.t('keepLabel', { name: settingText.name(path) })}
              onClick={() => settle(post('/config/dismiss', { revision, path }))}
            >
              {words.t('keepThis')}
            </Button>
          ) : null}
        </section>
        <section aria-label={words.t('otherValue')}>
          <h3>{words.t('otherValue')}</h3>
          <Value value={value} />
          <p class="quiet">
            <Time at={at} long /> · {authorText(author)} · {memberName(node)}
          </p>
          {may('admin') ? (
            <Button
              label={words.t('takeLabel', { name: settingText.name(path) })}
              onClick={() => settle(post('/config/restore', { revision, path }))}
            >
              {words.t('takeThis')}
            </Button>
          ) : null}
        </section>
      </div>
    </Card>
  )
}

function Value({ value }: { value: unknown }) {
  const lines = valueLines(value)
  return (
    <pre class="value" translate={false}>
      {lines.length === 0 ? words.t('asInFile') : lines.join('\n')}
    </pre>
  )
}
