/** One member: its role in the words of operators, its copy of everything, its paths, and what can be asked of it. */
import { Button } from '../components/button.tsx'
import { Card, Facts } from '../components/layout.tsx'
import { ShortId } from '../components/short-id.tsx'
import { Status } from '../components/status.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { saidText } from '../shell/said.ts'
import { may, memberName } from '../shell/session.ts'
import { number } from '../shell/words.ts'
import { Fingerprint } from './fingerprint.tsx'
import { type Member, SAME_CLOCK_MS, SKEW_MS } from './member-model.ts'
import { roleText } from './role-text.ts'
import type { PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { SwitchButtons } from './switching.tsx'
import { words } from './words.ts'

export function MemberCard(props: {
  member: Member
  members: readonly Member[]
  pair: PairView
  changed: () => void
}) {
  const { member, members, pair, changed } = props
  const name = memberName(member.node)
  return (
    <Card
      class={member.here ? 'card-here' : ''}
      title={
        <>
          {name}
          {name === member.node ? null : <span class="quiet"> · {member.node}</span>}
        </>
      }
      aside={<Status tone={member.tone}>{roleText(member.standing)}</Status>}
      foot={
        may('operator') && pair.role !== 'single' ? (
          <>
            <SwitchButtons member={member} members={members} pair={pair} changed={changed} />
            {member.here || !may('admin') ? null : <RemoveButton member={member} changed={changed} />}
          </>
        ) : undefined
      }
    >
      {member.here ? <p class="here-mark">{words.t('answersHere')}</p> : null}
      {member.here ? (
        <p>
          {words.t('because')} {saidText(pair.reason)}
        </p>
      ) : null}
      <Facts rows={factsOf(member)} />
      {member.here ? null : (
        <details>
          <summary>{words.t('details')}</summary>
          <Facts rows={detailsOf(member)} />
          <p class="quiet">{words.t('fingerprint')}</p>
          <Fingerprint value={member.fingerprint} />
        </details>
      )}
    </Card>
  )
}

function factsOf(member: Member): [string, preact.ComponentChildren][] {
  const { addresses, lines, queue, replication, behind, position, revision, skewMs } = member
  return [
    [
      words.t('ownAddress'),
      addresses.length === 0 ? undefined : <span class="figures">{addresses.join(', ')}</span>,
    ],
    [words.t('lines'), lines === undefined ? undefined : linesText(lines)],
    [words.t('queue'), queue === undefined ? undefined : number(queue)],
    [
      words.t('copy'),
      replication === undefined ? undefined : (
        <Status tone={replication === 'current' ? 'ok' : replication === 'disconnected' ? 'bad' : 'busy'}>
          {words.t(`replication.${replication}`)}
          {behind === undefined ? '' : ` · ${words.t('behind', { count: behind })}`}
        </Status>
      ),
    ],
    [words.t('position'), position === undefined ? undefined : number(position)],
    [words.t('revision'), revision === undefined ? undefined : <ShortId id={revision} />],
    [
      words.t('clock'),
      skewMs === undefined ? undefined : (
        <Status tone={Math.abs(skewMs) > SKEW_MS ? 'warn' : 'ok'}>
          {Math.abs(skewMs) < SAME_CLOCK_MS
            ? words.t('clockSame', { span: spanText(SAME_CLOCK_MS) })
            : words.t(skewMs < 0 ? 'clockBehind' : 'clockAhead', { span: spanText(Math.abs(skewMs)) })}
        </Status>
      ),
    ],
  ]
}

function detailsOf(member: Member): [string, preact.ComponentChildren][] {
  return [
    [
      words.t('heard'),
      member.silentMs === undefined ? words.t('never') : words.t('ago', { span: spanText(member.silentMs) }),
    ],
    [words.t('priority'), member.priority === undefined ? undefined : number(member.priority)],
    [words.t('term'), member.term],
    ...member.paths.map(({ address, up, roundTripMs }): [string, preact.ComponentChildren] => [
      words.t('path'),
      <Status tone={up ? 'ok' : 'bad'}>
        {address} ·{' '}
        {up
          ? roundTripMs === undefined
            ? words.t('pathUp')
            : spanText(Math.max(roundTripMs, 1))
          : words.t('pathDown')}
      </Status>,
    ]),
  ]
}

const linesText = ({ ready, total }: NonNullable<Member['lines']>) =>
  total === undefined ? words.t('linesReady', { count: ready }) : words.t('linesOf', { ready, total })

function RemoveButton({ member, changed }: { member: Member; changed: () => void }) {
  const name = memberName(member.node)
  return (
    <Button
      kind="quiet"
      label={words.t('removeLabel', { member: name })}
      confirm={{
        title: words.t('removeTitle', { member: name }),
        text: (
          <>
            <p>{words.t('removeText', { member: name })}</p>
            <p>{words.t(member.standing === 'silent' ? 'removeSilent' : 'removeHeard', { member: name })}</p>
          </>
        ),
        action: words.t('remove'),
        kind: 'danger',
        type: member.node,
      }}
      onClick={async () => {
        const answer = await post('/pair/remove', { node: member.node })
        if (answer.ok) announce(words.t('removed', { member: name }))
        else announce(problemText(answer.problem), 'bad')
        changed()
      }}
    >
      {words.t('remove')}
    </Button>
  )
}
