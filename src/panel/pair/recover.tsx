/** After an outage: bring all members to the same now, and read what happened. Nothing of it is needed for the pair to heal. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Facts, Notice } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { saidText } from '../shell/said.ts'
import { memberName } from '../shell/session.ts'
import type { Member } from './member-model.ts'
import type { Recovery } from './shapes.ts'
import { words } from './words.ts'

export function RecoverButton({ members, done }: { members: readonly Member[]; done: () => void }) {
  const report = useSignal<Recovery | undefined>(undefined)
  const others = members.filter(({ here }) => !here)
  async function recover(): Promise<void> {
    const answer = await post<Recovery>('/pair/recover', {})
    if (answer.ok) report.value = answer.value
    else announce(problemText(answer.problem), 'bad')
    done()
  }
  return (
    <>
      <div class="actions">
        <Button disabled={others.length === 0} onClick={recover}>
          {words.t('recover')}
        </Button>
      </div>
      {report.value === undefined ? null : (
        <Dialog
          wide
          title={words.t('recoverTitle')}
          onClose={() => {
            report.value = undefined
          }}
        >
          <Report report={report.value} />
        </Dialog>
      )}
    </>
  )
}

function Report({ report }: { report: Recovery }) {
  const { steps, members, conflicts, duplicates, same, advice } = report
  return (
    <div class="stack">
      <Notice tone={same ? 'ok' : 'warn'}>{words.t(same ? 'recoverSame' : 'recoverDiffers')}</Notice>
      <ol class="what-happens">
        {steps.map((step) => (
          <li key={step}>{saidText(step)}</li>
        ))}
      </ol>
      <Facts
        rows={members.map(({ node, reached, received, sent, behind }) => [
          memberName(node),
          reached ? words.t('exchanged', { received, sent, behind }) : words.t('notReached'),
        ])}
      />
      {conflicts.length === 0 ? null : (
        <Notice tone="warn" title={words.t('recoverConflicts', { count: conflicts.length })}>
          <p>{conflicts.map(({ path }) => path).join(', ')}</p>
          <a href="/configuration/conflicts">{words.t('conflictsLink')}</a>
        </Notice>
      )}
      {duplicates.length === 0 ? null : (
        <Notice tone="warn" title={words.t('recoverDuplicates', { count: duplicates.length })}>
          <ul>
            {duplicates.slice(0, 50).map(({ message, delivery, to }) => (
              <li key={delivery}>
                <a href={`/queue/${encodeURIComponent(message)}`}>{to}</a>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {advice.map((sentence) => (
        <Notice key={sentence} tone="info">
          {saidText(sentence)}
        </Notice>
      ))}
    </div>
  )
}
