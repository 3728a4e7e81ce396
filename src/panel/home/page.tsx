/**
 * The home page answers three questions in one look: am I active, is my peer well, are my lines well. Below: what alarms,
 * what waits, the last failover and the members. All of it is the newest `status` event, or before the first one
 * what the page came with.
 */
import type { ComponentChildren } from 'preact'
import { Card, EmptyState, Facts, Notice, Page, Skeleton } from '../components/layout.tsx'
import { StatusShape, type Tone } from '../components/status.tsx'
import { Ago, Time } from '../components/time.tsx'
import { words as shell } from '../components/words.ts'
import { LineSummary } from '../lines/summary.tsx'
import { words as lineWords } from '../lines/words.ts'
import { RoleStatus } from '../shell/header.tsx'
import { status } from '../shell/live.ts'
import { useRemote } from '../shell/remote.ts'
import type { PageModule } from '../shell/router.ts'
import { saidText } from '../shell/said.ts'
import { may, memberName } from '../shell/session.ts'
import type { HomeView } from '../shell/shapes.ts'
import { number } from '../shell/words.ts'
import { words } from './words.ts'

interface Verdict {
  tone: Tone
  answer: string
  text: string
}

export function activeVerdict({ appliance, members }: HomeView): Verdict {
  const active = members.find(({ role }) => role === 'active')
  const elsewhere =
    active === undefined ? words.t('active.nobody') : words.t('active.other', { name: active.name })
  switch (appliance.role) {
    case 'active':
      return { tone: 'ok', answer: words.t('yes'), text: words.t('active.here') }
    case 'single':
      return { tone: 'ok', answer: words.t('yes'), text: words.t('active.single') }
    case 'standby':
      return {
        tone: active === undefined ? 'warn' : 'busy',
        answer: words.t('active.standby'),
        text: elsewhere,
      }
    case 'isolated':
      return { tone: 'bad', answer: words.t('no'), text: words.t('active.isolated') }
    case 'error':
      return { tone: 'bad', answer: words.t('no'), text: words.t('active.error') }
  }
}

export function peerVerdict({ answer, members }: HomeView): Verdict {
  const other = members.find(({ here }) => !here)
  const name = other?.name ?? ''
  switch (answer.peer) {
    case 'well':
      return { tone: 'ok', answer: words.t('yes'), text: words.t('peer.well', { name }) }
    case 'silent':
      return { tone: 'bad', answer: words.t('no'), text: words.t('peer.silent', { name }) }
    case 'away':
      return { tone: 'warn', answer: words.t('peer.awayShort'), text: words.t('peer.away', { name }) }
    case 'none':
      return { tone: 'off', answer: words.t('peer.noneShort'), text: words.t('peer.none') }
  }
}

export function linesVerdict({ answer: { lines } }: HomeView): Verdict {
  const values = { count: lines.ready, ready: lines.ready, total: lines.total }
  if (lines.total === 0)
    return { tone: 'off', answer: words.t('lines.noneShort'), text: words.t('lines.none') }
  if (lines.ready === lines.total)
    return { tone: 'ok', answer: words.t('yes'), text: words.t('lines.all', values) }
  if (lines.ready === 0) return { tone: 'bad', answer: words.t('no'), text: words.t('lines.no', values) }
  return { tone: 'warn', answer: words.t('lines.someShort', values), text: words.t('lines.some', values) }
}

function Answer(props: {
  question: string
  verdict: Verdict
  to: string
  link: string
  children?: ComponentChildren
}) {
  const { tone, answer, text } = props.verdict
  return (
    <section class={`answer answer-${tone}`}>
      <h2 class="answer-question">{props.question}</h2>
      <p class="answer-word">
        <StatusShape tone={tone} />
        <span>{answer}</span>
      </p>
      <p class="answer-text">{text}</p>
      {props.children}
      <p class="answer-link">
        <a href={props.to}>{props.link}</a>
      </p>
    </section>
  )
}

/** Those with which nothing goes out, or nothing would take over. */
const grave = new Set(['not-transmitting', 'no-line-ready', 'member-silent', 'own-disk'])

function Alarm({ alarm: { code, text: written, since } }: { alarm: HomeView['alarms'][number] }) {
  const text = saidText(written)
  const known = words.maybe(`alarm.${code}`)
  // In English the appliance's own sentence often begins with the same words.
  const title = known === undefined || text.startsWith(known) ? undefined : known
  return (
    <Notice tone={grave.has(code) ? 'bad' : 'warn'} title={title ?? text}>
      {title === undefined ? null : <p>{text}</p>}
      <p class="quiet">
        {words.t('since')} <Time at={since} /> (<Ago at={since} />)
      </p>
    </Notice>
  )
}

function Depth({ depth }: { depth: HomeView['depth'] }) {
  const figures = [
    ['queued', depth.queued, '/queue?state=queued'],
    ['submitting', depth.submitting, '/queue?state=submitting'],
    ['awaitingReport', depth.awaitingReport, '/queue?state=sent'],
    ['unknown', depth.unknown, '/queue?state=unknown'],
  ] as const
  return (
    <Card title={words.t('depth')} aside={<a href="/queue">{words.t('toQueue')}</a>}>
      <dl class="depth">
        {figures.map(([name, value, to]) => (
          <div key={name} class={name === 'unknown' && value > 0 ? 'depth-alert' : undefined}>
            <dt>{words.t(`depth.${name}`)}</dt>
            <dd>
              <a href={to}>{number(value)}</a>
            </dd>
          </div>
        ))}
      </dl>
      {depth.oldest === undefined ? (
        <p class="quiet">{words.t('depth.empty')}</p>
      ) : (
        <p class="quiet">
          {words.t('depth.oldest')} <Ago at={depth.oldest} />
        </p>
      )}
    </Card>
  )
}

/** `SWITCH THIS SERVER TO ACTIVE, term 8 of box-b: maximum heart beat fails`, in plain words. */
function failoverText({ node, text }: NonNullable<HomeView['failover']>): string {
  const why = /^SWITCH THIS SERVER TO ACTIVE, term \d+ of \S+: (.+)$/s.exec(text)?.[1]
  if (why === undefined) return saidText(text)
  if (why === 'told to take over') return words.t('failover.told', { member: memberName(node) })
  // The log names members as files do, and this page as people do.
  const named = saidText(why).replaceAll(/[\w.-]+/g, memberName)
  return words.t('failover.took', { member: memberName(node), why: named })
}

function Members({ home }: { home: HomeView }) {
  return (
    <Card title={words.t('members')} aside={<a href="/pair">{words.t('toPair')}</a>}>
      <ul class="members">
        {home.members.map((member) => (
          <li key={member.node}>
            <p class="member-head">
              <strong>{member.name}</strong>
              <RoleStatus role={member.role} />
            </p>
            <Facts
              rows={[
                [words.t('address'), member.address ?? (member.here ? home.appliance.address : undefined)],
                [
                  shell.t('lines'),
                  member.lines === undefined
                    ? undefined
                    : member.lines.total === undefined
                      ? words.t('ready', { count: member.lines.ready })
                      : words.t('readyOf', { ready: member.lines.ready, total: member.lines.total }),
                ],
                [words.t('waiting'), member.queue === undefined ? undefined : number(member.queue)],
                [words.t('behind'), member.lag === undefined || member.here ? undefined : number(member.lag)],
                [
                  words.t('lastSeen'),
                  member.lastSeen === undefined ? undefined : <Ago at={member.lastSeen} />,
                ],
              ]}
            />
          </li>
        ))}
      </ul>
    </Card>
  )
}

function HomePage() {
  const first = useRemote<HomeView>(status.value === undefined ? '/home' : undefined)
  const home = status.value ?? first.data.value
  if (home === undefined)
    return (
      <Page title={shell.t('home')}>
        <Skeleton rows={6} />
      </Page>
    )
  const canPair = home.answer.peer === 'none' && may('admin')
  return (
    <Page title={shell.t('home')}>
      <div class="answers">
        <Answer
          question={words.t('active.question')}
          verdict={activeVerdict(home)}
          to="/pair"
          link={words.t('toPair')}
        />
        <Answer
          question={words.t('peer.question')}
          verdict={peerVerdict(home)}
          to={canPair ? '/pair/join' : '/pair'}
          link={words.t(canPair ? 'toJoin' : 'toPeer')}
        />
        <Answer
          question={words.t('lines.question')}
          verdict={linesVerdict(home)}
          to="/lines"
          link={words.t('toLines')}
        />
      </div>
      {home.alarms.length === 0 ? null : (
        <section class="stack" aria-label={words.t('alarms')}>
          {home.alarms.map((alarm) => (
            <Alarm key={`${alarm.code} ${alarm.text}`} alarm={alarm} />
          ))}
        </section>
      )}
      <div class="halves">
        <Depth depth={home.depth} />
        <Card title={words.t('failover')} aside={<a href="/records">{words.t('toRecords')}</a>}>
          {home.failover === null ? (
            <p class="quiet">{words.t('failover.none')}</p>
          ) : (
            <div>
              <p>{failoverText(home.failover)}</p>
              <p class="quiet">
                <Time at={home.failover.at} long /> (<Ago at={home.failover.at} />)
              </p>
            </div>
          )}
        </Card>
        <Card title={shell.t('lines')} aside={<a href="/lines">{words.t('toLines')}</a>}>
          {home.lines.length === 0 ? (
            <EmptyState title={words.t('lines.none')} />
          ) : (
            <ul class="line-rows">
              {home.lines.map((line) => (
                <LineSummary key={line.id} line={line} />
              ))}
            </ul>
          )}
        </Card>
        <Members home={home} />
      </div>
    </Page>
  )
}

export const page: PageModule = {
  words: [words, lineWords],
  asks: () => (status.peek() === undefined ? ['/home'] : []),
  view: HomePage,
}
