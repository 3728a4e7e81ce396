/**
 * `→ Active` and `→ Standby`: what is about to happen is said before it is done, with its price for clients, and how
 * long it took is said after it.
 */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Notice, Progress } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { post, withQuery } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { memberName } from '../shell/session.ts'
import { type Member, toActive, toStandby, type Way } from './member-model.ts'
import type { PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { words } from './words.ts'

export function SwitchButtons(props: {
  member: Member
  members: readonly Member[]
  pair: PairView
  changed: () => void
}) {
  const { member, members, pair, changed } = props
  const moving = useSignal<string | undefined>(undefined)
  const name = memberName(member.node)
  const active = toActive(pair, members, member.node)
  const standby = toStandby(members, member.node)

  async function move(way: Way): Promise<void> {
    moving.value = words.t('moving', { member: memberName(way.takes) })
    const began = performance.now()
    const answer = await post<PairView>(withQuery(`/pair/${way.command}`, { node: way.at }))
    moving.value = undefined
    if (answer.ok)
      announce(words.t('moved', { member: memberName(way.takes), span: spanText(performance.now() - began) }))
    else announce(problemText(answer.problem), 'bad')
    changed()
  }

  return (
    <>
      {active.can ? (
        <Button
          kind={member.here && pair.standing === 'removed' ? 'danger' : 'plain'}
          label={words.t('toActiveLabel', { member: name })}
          confirm={question(active, pair)}
          onClick={() => move(active)}
        >
          {words.t('toActive')}
        </Button>
      ) : null}
      {standby.can ? (
        <Button
          label={words.t('toStandbyLabel', { member: name })}
          confirm={question(standby, pair)}
          onClick={() => move(standby)}
        >
          {words.t('toStandby')}
        </Button>
      ) : null}
      {!active.can && active.why !== 'is-so' && active.why !== 'nobody' ? (
        <p class="quiet">{words.t(`cannot.${active.why}`, { member: name })}</p>
      ) : null}
      {!standby.can && standby.why === 'not-ready' ? (
        <p class="quiet">{words.t('cannot.nobody-ready')}</p>
      ) : null}
      {moving.value === undefined ? null : <Progress label={moving.value} />}
    </>
  )
}

/** What will happen, in the order in which it does. */
function question(way: Way, pair: PairView) {
  const [takes, gives] = [memberName(way.takes), memberName(way.gives)]
  const removed = pair.standing === 'removed'
  const unheard =
    way.command === 'takeover' &&
    pair.members.some(({ node, signal }) => node === way.gives && signal !== 'LIVE')
  const handover = pair.promises.find(({ fault }) => fault === 'handover')?.outage ?? 0
  const steps = removed
    ? [words.t('step.alone'), words.t('step.flagged')]
    : way.gives === '' || unheard
      ? [words.t('step.takes', { takes }), words.t('step.unheard'), words.t('step.flagged')]
      : [
          words.t('step.gives', { gives }),
          ...(pair.vip === undefined ? [] : [words.t('step.address', { takes, address: pair.vip.address })]),
          words.t('step.goesOn', { takes }),
          words.t('step.clients', { span: spanText(handover) }),
          words.t('step.nothingLost'),
        ]
  return {
    title: words.t('moveTitle', { member: takes }),
    text: (
      <>
        <ol class="what-happens">
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        {removed || unheard ? (
          <Notice tone="warn">{words.t('moveWarning')}</Notice>
        ) : (
          <p class="quiet">{words.t('wayBack')}</p>
        )}
      </>
    ),
    action: words.t('moveAction', { member: takes }),
    kind: removed || unheard ? ('danger' as const) : ('primary' as const),
  }
}
