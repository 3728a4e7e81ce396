/** Earlier versions of a member's own file: who changed it, what differed, and the way back to the file before it. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Card, Notice, Waiting } from '../components/layout.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { saidText } from '../shell/said.ts'
import { authorText } from './author.ts'
import { DiffView } from './diff-view.tsx'
import { ofMember } from './own-member.tsx'
import type { OwnChecked, OwnHistory } from './own-shapes.ts'
import type { OwnTrial } from './own-trial.ts'
import { ownText } from './own-words.ts'
import { CONFIRM_WITHIN, Review } from './review.tsx'
import { words } from './words.ts'

type Version = OwnHistory['items'][number]

export function OwnHistoryCard(props: { node: string; trial: OwnTrial; disabled: boolean }) {
  const history = useRemote<OwnHistory>(ofMember('/own-configuration/history', props.node), {
    refresh: ['audit'],
  })
  const back = useSignal<{ version: string; changes: OwnChecked['diff'] } | undefined>(undefined)
  const items = history.data.value?.items

  /** What would differ from now, which is more than the change itself where others came after it. */
  async function look({ id }: Version): Promise<void> {
    const path = ofMember('/own-configuration/check', props.node)
    const answer = await post<OwnChecked>(path, { version: id })
    const problem = answer.ok ? answer.value.problems[0] : undefined
    if (!answer.ok) announce(problemText(answer.problem), 'bad')
    else if (problem !== undefined) {
      const name = problem.path === '' ? '' : `${ownText.name(problem.path)}: `
      announce(words.t('versionUnusable', { why: name + saidText(problem.message) }), 'bad')
    } else if (answer.value.diff.length === 0) announce(words.t('unchanged'))
    else back.value = { version: id, changes: answer.value.diff }
  }

  return (
    <Card title={words.t('fileHistory')}>
      <p>{words.t('fileHistoryText')}</p>
      <Waiting of={history} rows={2} />
      {items?.length === 0 ? <p class="quiet">{words.t('noFileHistory')}</p> : null}
      {items?.map((version) => (
        <details class="entry" key={version.id}>
          <summary>
            <Time at={version.at} long /> · {authorText(version.author)} ·{' '}
            {[...new Set(version.changes.map(({ path }) => ownText.name(path)))].slice(0, 4).join(', ')}
          </summary>
          <div class="stack">
            {version.changes.length === 0 ? (
              <p>{words.t('onlyComments')}</p>
            ) : (
              <DiffView changes={version.changes} name={ownText.name} />
            )}
            {props.disabled ? null : (
              <div class="actions">
                <Button onClick={() => look(version)}>{words.t('fileBefore')}</Button>
              </div>
            )}
          </div>
        </details>
      ))}
      {back.value === undefined ? null : (
        <Review
          changes={back.value.changes}
          name={ownText.name}
          mayKeep={false}
          note={<Notice tone="warn">{words.t('ownRestart')}</Notice>}
          apply={async () => {
            if (back.value === undefined) return undefined
            const refused = await props.trial.apply({ version: back.value.version }, CONFIRM_WITHIN)
            if (refused === undefined) back.value = undefined
            return refused
          }}
          close={() => {
            back.value = undefined
          }}
        />
      )}
    </Card>
  )
}
