/** The code of an invitation: big enough to read out, as a picture to scan, with the time that is left. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Card, Notice } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { clockText } from '../configuration/countdown.ts'
import { post } from '../shell/api.ts'
import { now } from '../shell/clock.ts'
import { problemText } from '../shell/problems.ts'
import { codeRows } from './code.ts'
import type { Invitation, PairView } from './shapes.ts'
import { words } from './words.ts'

export function InviteCard({ pair }: { pair: PairView }) {
  const invitation = useSignal<Invitation | undefined>(undefined)
  /** Who was a member when the code was made: whoever is one besides has used it. */
  const before = useSignal<readonly string[]>([])
  async function invite(): Promise<void> {
    const answer = await post<Invitation>('/pair/invite')
    before.value = pair.members.map(({ node }) => node)
    if (answer.ok) invitation.value = answer.value
    else announce(problemText(answer.problem), 'bad')
  }
  const left =
    invitation.value === undefined
      ? 0
      : Math.max(0, Math.floor((Date.parse(invitation.value.expires) - now.value) / 1_000))
  const joined = pair.members.some(({ node }) => !before.value.includes(node))
  const usable = invitation.value !== undefined && left > 0 && !joined
  return (
    <Card title={words.t('inviteTitle')}>
      <p>{words.t('inviteText')}</p>
      {invitation.value === undefined ? null : usable ? (
        <Code invitation={invitation.value} left={left} />
      ) : (
        <Notice tone={joined ? 'ok' : 'warn'}>{words.t(joined ? 'codeUsed' : 'codeOver')}</Notice>
      )}
      <div class="actions">
        <Button kind={usable ? 'plain' : 'primary'} disabled={pair.standing === 'removed'} onClick={invite}>
          {words.t(invitation.value === undefined ? 'invite' : 'inviteAgain')}
        </Button>
      </div>
    </Card>
  )
}

function Code({ invitation: { code, qr }, left }: { invitation: Invitation; left: number }) {
  return (
    <div class="stack">
      <p class="pair-code" translate={false}>
        {codeRows(code).map((row) => (
          <span key={row.join()} class="pair-code-row">
            {row.map((group) => (
              <span key={group}>{group}</span>
            ))}
          </span>
        ))}
      </p>
      <div class="actions">
        {navigator.clipboard === undefined ? null : (
          <Button
            onClick={async () => {
              await navigator.clipboard.writeText(code)
              announce(words.t('copied'))
            }}
          >
            {words.t('copy_code')}
          </Button>
        )}
        <p role="timer" class="figures">
          {words.t('codeLeft', { time: clockText(left) })}
        </p>
      </div>
      {qr === undefined ? null : (
        <img
          class="qr"
          src={`data:image/svg+xml,${encodeURIComponent(qr)}`}
          alt={words.t('qrAlt')}
          width="240"
          height="240"
        />
      )}
      <ol class="what-happens">
        <li>{words.t('inviteStep1')}</li>
        <li>{words.t('inviteStep2')}</li>
        <li>{words.t('inviteStep3')}</li>
      </ol>
    </div>
  )
}
