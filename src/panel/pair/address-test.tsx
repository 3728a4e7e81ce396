/** Which member answers at the common address right now: asked by the appliance, and by the person's own browser in a new tab. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Card, Notice } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { get } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { saidText } from '../shell/said.ts'
import { memberName } from '../shell/session.ts'
import { roleText } from './role-text.ts'
import type { AddressAnswer, PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { words } from './words.ts'

export function AddressTest({ pair }: { pair: PairView }) {
  const found = useSignal<AddressAnswer | undefined>(undefined)
  const address = pair.vip?.address ?? ''
  return (
    <Card title={words.t('testTitle')}>
      <p>{words.t('testText', { address })}</p>
      <div class="actions">
        <Button
          onClick={async () => {
            const answer = await get<AddressAnswer>('/pair/address')
            if (answer.ok) found.value = answer.value
            else announce(problemText(answer.problem), 'bad')
          }}
        >
          {words.t('test')}
        </Button>
        {found.value?.url === undefined ? null : (
          <a class="button" href={found.value.url} target="_blank" rel="noreferrer">
            {words.t('openAddress')}
          </a>
        )}
      </div>
      {found.value === undefined ? null : <Outcome answer={found.value} pair={pair} />}
    </Card>
  )
}

function Outcome({ answer, pair }: { answer: AddressAnswer; pair: PairView }) {
  const { node, role, ms, text } = answer
  if (node === undefined)
    return (
      <Notice tone="bad" title={words.t('testNobody')}>
        {text === undefined ? null : saidText(text)}
      </Notice>
    )
  const expected = pair.active ?? pair.node
  const right = node === expected
  return (
    <Notice
      tone={right ? 'ok' : 'warn'}
      title={words.t('testAnswered', {
        member: memberName(node),
        role: roleText(role ?? ''),
        span: spanText(Math.max(1, ms ?? 0)),
      })}
    >
      {words.t(right ? 'testRight' : 'testWrong', { member: memberName(expected) })}
    </Notice>
  )
}
