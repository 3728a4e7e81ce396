/**
 * /pair/drill: a fault on purpose, so that a failover is seen before the day it is needed. What the fault does, how it
 * ends and what it costs is said first; what it cost is measured by the appliances and kept.
 */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Facts, Notice, Page, Progress, Waiting } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { authorText } from '../configuration/author.ts'
import { words as configWords } from '../configuration/words.ts'
import { FailoverLog } from '../records/failover-log.tsx'
import { words as recordWords } from '../records/words.ts'
import { post, withQuery } from '../shell/api.ts'
import { connection } from '../shell/live.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { may, memberName } from '../shell/session.ts'
import { number } from '../shell/words.ts'
import type { Member } from './member-model.ts'
import { membersNow } from './members-now.ts'
import { PairTabs } from './pair-tabs.tsx'
import { roleText } from './role-text.ts'
import type { DrillKind, DrillReport, PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { words } from './words.ts'

const kinds = ['kill', 'freeze', 'cut'] as const satisfies readonly DrillKind[]

function View() {
  const pair = useRemote<PairView>('/pair', { refresh: ['status'], every: 2_000 })
  const reports = useRemote<{ items: DrillReport[] }>('/pair/drills', {
    refresh: ['status', 'failover'],
    every: 2_000,
  })
  const items = reports.data.value?.items ?? []
  const running = items.find(({ state }) => state === 'running')
  const view = pair.data.value
  return (
    <Page
      title={words.t('drillTitle')}
      intro={words.t('drillIntro')}
      back={{ to: '/pair', text: words.t('title') }}
    >
      <PairTabs />
      {running === undefined ? null : <Running report={running} />}
      {view === undefined ? (
        <Waiting of={pair} />
      ) : !may('operator') ? null : (
        <Begin pair={view} running={running !== undefined} begun={() => reports.reload()} />
      )}
      <Reports items={items} />
      {reports.data.value === undefined ? <Waiting of={reports} /> : null}
      <FailoverLog />
    </Page>
  )
}

export const page = {
  words: [words, configWords, recordWords, ...problemDictionaries],
  view: View,
}

function Begin({ pair, running, begun }: { pair: PairView; running: boolean; begun: () => void }) {
  const members = membersNow(pair)
  const node = useSignal(pair.node)
  const kind = useSignal<DrillKind>('freeze')
  const target = members.find((member) => member.node === node.value) ?? members[0]
  if (pair.members.length === 0)
    return <EmptyState title={words.t('drillAlone')}>{words.t('drillAloneText')}</EmptyState>
  if (target === undefined) return null
  return (
    <Card title={words.t('drillBegin')}>
      <fieldset class="choices">
        <legend class="field-label">{words.t('drillWhere')}</legend>
        {members.map((member) => (
          <label class="choice" key={member.node}>
            <input
              type="radio"
              name="node"
              checked={member.node === target.node}
              onChange={() => {
                node.value = member.node
              }}
            />
            <span>
              {memberName(member.node)} · {roleText(member.standing)}
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset class="choices choices-tall">
        <legend class="field-label">{words.t('drillKind')}</legend>
        {kinds.map((one) => (
          <label class="choice" key={one}>
            <input
              type="radio"
              name="kind"
              checked={one === kind.value}
              onChange={() => {
                kind.value = one
              }}
            />
            <span>
              <strong>{words.t(`drill.${one}`)}</strong>{' '}
              <span class="quiet">{words.t(`drill.${one}.text`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <BeginButton pair={pair} target={target} kind={kind.value} running={running} begun={begun} />
    </Card>
  )
}

function BeginButton(props: {
  pair: PairView
  target: Member
  kind: DrillKind
  running: boolean
  begun: () => void
}) {
  const { pair, target, kind, running, begun } = props
  const name = memberName(target.node)
  const outage = pair.promises.find(({ fault }) => fault === expectedFault[kind])?.outage ?? 0
  const cost =
    target.standing === 'active' ? words.t('drillCost', { span: spanText(outage) }) : words.t('drillNoCost')
  return (
    <div class="actions">
      <Button
        kind="danger"
        disabled={running}
        confirm={{
          title: words.t('drillConfirm', { member: name }),
          text: (
            <ol class="what-happens">
              <li>{words.t(`drill.${kind}.text`)}</li>
              <li>{cost}</li>
              <li>{words.t('drillNothingLost')}</li>
              <li>{words.t(`drill.${kind}.ends`)}</li>
            </ol>
          ),
          action: words.t('drillAction'),
          kind: 'danger',
        }}
        onClick={async () => {
          const answer = await post<{ text: string }>(withQuery('/pair/drill', { node: target.node }), {
            kind,
          })
          if (answer.ok) announce(words.t('drillBegun'), 'warn')
          else announce(problemText(answer.problem), 'bad')
          begun()
        }}
      >
        {words.t('drillAction')}
      </Button>
    </div>
  )
}

/** Which promise of the pair a drill puts to the test. */
const expectedFault: Record<DrillKind, string> = { kill: 'box-dead', freeze: 'gateway-hung', cut: 'split' }

function Running({ report }: { report: DrillReport }) {
  const lost = connection.value.since !== undefined
  const { node, takenBy, seconds: after } = report
  return (
    <Notice tone="warn" title={words.t('drillRunning', { member: memberName(node) })}>
      <p>
        {takenBy === undefined || after === undefined
          ? words.t(`drill.${report.kind}.text`)
          : words.t('drillTaken', { member: memberName(takenBy), seconds: number(after, 2) })}
      </p>
      {lost ? <p>{words.t('drillLost')}</p> : null}
      <Progress label={words.t('drillProgress')} />
    </Notice>
  )
}

function Reports({ items }: { items: readonly DrillReport[] }) {
  const done = items.filter(({ state }) => state === 'done')
  return (
    <Card title={words.t('drillReports')}>
      {items.length === 0 ? <EmptyState title={words.t('noDrills')} /> : null}
      {done.map((report) => (
        <article key={report.id} class="report" aria-label={words.t(`drill.${report.kind}`)}>
          <header class="report-head">
            <h3>
              {words.t(`drill.${report.kind}`)} · {memberName(report.node)} · {roleText(report.role)}
            </h3>
            <Status tone={(report.lost ?? 0) > 0 ? 'bad' : 'ok'}>
              {words.t((report.lost ?? 0) > 0 ? 'drillLostSome' : 'drillLostNone')}
            </Status>
          </header>
          <Facts
            rows={[
              [words.t('when'), <Time at={report.at} long />],
              [words.t('drillSeconds'), seconds(report.seconds)],
              [
                words.t('drillTakenBy'),
                report.takenBy === undefined ? words.t('drillNobody') : memberName(report.takenBy),
              ],
              [words.t('drillMessages'), count(report.messages)],
              [words.t('drillLostCount'), count(report.lost)],
              [words.t('drillTwice'), count(report.duplicated)],
              [words.t('drillWho'), authorText(report.who)],
            ]}
          />
        </article>
      ))}
    </Card>
  )
}

const count = (value: number | undefined) => (value === undefined ? undefined : number(value))
const seconds = (value: number | undefined) => (value === undefined ? undefined : `${number(value, 2)} s`)
