/** One message: what it says, to whom, how each delivery stands, and everything that happened to it on both appliances. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card, Facts, Page, Waiting } from '../components/layout.tsx'
import { Table } from '../components/table.tsx'
import { Ago, Time } from '../components/time.tsx'
import { Timeline, type TimelineItem } from '../components/timeline.tsx'
import { words as shell } from '../components/words.ts'
import { words as lineWords } from '../lines/words.ts'
import { reasonText, reasonWords } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import type { PageModule, PageProps } from '../shell/router.ts'
import { may, memberName } from '../shell/session.ts'
import type { DeliveryView, MessageDetail, TimelineView } from '../shell/shapes.ts'
import { dateTime, number, zoneName } from '../shell/words.ts'
import { actOn } from './actions.ts'
import { faxStep } from './fax-step.ts'
import { MoveDialog } from './move-dialog.tsx'
import { DeliveryStatus, MessageStatus, type State, stateTones, stateWord } from './states.tsx'
import { words } from './words.ts'
import { spanInWords } from './written-span.ts'

const isState = (text: string): text is State => text in stateTones

function titleOf(entry: TimelineView, before: TimelineView | undefined, delivery: DeliveryView): string {
  const { channel, parts } = delivery
  const place = { part: number((entry.part ?? parts - 1) + 1), parts: number(parts) }
  const step = channel === 'fax' ? faxStep(entry, before) : undefined
  if (step !== undefined)
    return words.t(step === 'dialled' && (entry.part ?? 0) > 0 ? 'fax.dialledAgain' : `fax.${step}`, place)
  const title = words.maybe(`event.${entry.event}`) ?? entry.event
  return entry.part === undefined || parts < 2 ? title : `${title} · ${words.t('partOf', place)}`
}

function entryView(
  entry: TimelineView,
  before: TimelineView | undefined,
  delivery: DeliveryView,
): TimelineItem {
  const where = [entry.line, entry.node === undefined ? undefined : memberName(entry.node)].filter(
    (part) => part !== undefined,
  )
  return {
    at: entry.at,
    tone: isState(entry.state) ? stateTones[entry.state] : 'off',
    title: titleOf(entry, before, delivery),
    ...(where.length === 0 ? {} : { where: where.join(' · ') }),
    ...(entry.reason === undefined ? {} : { text: reasonText(entry.reason) }),
  }
}

/** Retrying makes sense for what ended without success, cancelling for what has not gone out. */
const retryable = new Set<State>(['failed', 'expired', 'cancelled', 'unknown'])
const cancellable = new Set<State>(['queued', 'claimed', 'submitting', 'unknown'])
const movable = new Set<State>(['queued', 'claimed'])

function Actions({ message, reload }: { message: MessageDetail; reload: () => void }) {
  const moving = useSignal(false)
  const has = (states: ReadonlySet<State>): boolean =>
    message.deliveries.some(({ state }) => states.has(state))
  const run = async (action: 'retry' | 'cancel'): Promise<void> => {
    await actOn(action, [message.id])
    reload()
  }
  return (
    <>
      {has(retryable) ? (
        <Button kind="primary" icon="restart" onClick={() => run('retry')}>
          {words.t('retry')}
        </Button>
      ) : null}
      {has(movable) ? (
        <Button
          onClick={() => {
            moving.value = true
          }}
        >
          {words.t('moveTo')}
        </Button>
      ) : null}
      {has(cancellable) ? (
        <Button kind="danger" onClick={() => run('cancel')}>
          {words.t('cancel')}
        </Button>
      ) : null}
      {moving.value ? (
        <MoveDialog
          ids={[message.id]}
          done={reload}
          close={() => {
            moving.value = false
          }}
        />
      ) : null}
    </>
  )
}

function MessagePage({ params }: PageProps) {
  const waits = useSignal(false)
  const remote = useRemote<MessageDetail>(`/messages/${encodeURIComponent(params['id'] ?? '')}`, {
    refresh: ['message'],
    // What it waits for are lines, of which no event of a message tells.
    ...(waits.value ? { every: 3_000 } : {}),
  })
  const picked = useSignal<string | undefined>(undefined)
  const message = remote.data.value
  useEffect(() => {
    waits.value = message?.deliveries.some(({ state }) => state === 'queued') === true
  }, [message])
  if (message === undefined)
    return (
      <Page title={words.t('message')} back={{ to: '/queue', text: shell.t('queue') }}>
        <Waiting of={remote} />
      </Page>
    )
  const all = message.count ?? message.deliveries.length
  const delivery = message.deliveries.find(({ id }) => id === picked.value) ?? message.deliveries[0]
  const timeline = message.timeline.filter((entry) => entry.delivery === delivery?.id)
  return (
    <Page
      title={words.t('message')}
      back={{ to: '/queue', text: shell.t('queue') }}
      actions={may('operator') ? <Actions message={message} reload={remote.reload} /> : undefined}
    >
      <div class="halves">
        <Card title={words.t('content')} aside={<MessageStatus message={message} />}>
          {message.text === '' ? null : <p class="message-text">{message.text}</p>}
          <Facts
            rows={[
              [
                words.t('document'),
                message.document === undefined ? undefined : (
                  <a href={`/api/v1/messages/${message.id}/document`} download>
                    {words.t('documentOf', { name: message.document.name, pages: message.document.pages })}
                  </a>
                ),
              ],
              [words.t('accepted'), <Time at={message.at} long />],
              [words.t('source'), message.source],
              [words.t('priority'), words.maybe(`priority.${message.priority}`) ?? number(message.priority)],
              [words.t('validity'), spanInWords(message.validity)],
              [words.t('tag'), message.tag],
              [words.t('onUnknown'), words.maybe(`onUnknown.${message.onUnknown}`) ?? message.onUnknown],
              [words.t('replicated'), message.replicated ? words.t('yes') : words.t('notYet')],
              [words.t('number'), <span class="mono">{message.id}</span>],
            ]}
          />
        </Card>
        <Card title={words.t('timeline')}>
          {delivery === undefined ? null : (
            <>
              <DeliveryFacts delivery={delivery} />
              <Timeline entries={timeline.map((entry, n) => entryView(entry, timeline[n - 1], delivery))} />
            </>
          )}
        </Card>
      </div>
      {all < 2 ? null : (
        <Card
          title={words.t('recipients', { count: all })}
          aside={
            all > message.deliveries.length
              ? words.t('firstOnly', { shown: message.deliveries.length })
              : undefined
          }
        >
          <Table
            label={words.t('recipients', { count: all })}
            rows={message.deliveries}
            rowKey={({ id }) => id}
            columns={[
              {
                title: words.t('to'),
                kind: 'lead',
                cell: ({ id, to }) => (
                  <button
                    type="button"
                    class="row-link"
                    aria-pressed={id === delivery?.id}
                    onClick={() => {
                      picked.value = id
                    }}
                  >
                    {to}
                  </button>
                ),
              },
              { title: words.t('state'), cell: ({ state }) => <DeliveryStatus state={state} /> },
              { title: words.t('line'), cell: ({ line }) => line ?? '–' },
              { title: words.t('attempts'), kind: 'figures', cell: ({ attempts }) => number(attempts) },
            ]}
          />
        </Card>
      )}
    </Page>
  )
}

function waitingText({ line, reason, until }: NonNullable<DeliveryView['waiting']>[number]): string {
  const why = reasonText(reason)
  if (until === undefined) return `${line} · ${why}`
  return words.t('waitsUntil', { line, why, time: `${dateTime(until)} (${zoneName(until)})` })
}

function DeliveryFacts({ delivery }: { delivery: DeliveryView }) {
  const waits = delivery.state === 'queued'
  return (
    <Facts
      rows={[
        [words.t('to'), delivery.to],
        [words.t('channel'), words.maybe(`channel.${delivery.channel}`) ?? delivery.channel],
        [words.t('state'), stateWord(delivery.state)],
        [words.t('reason'), delivery.reason === undefined ? undefined : reasonText(delivery.reason)],
        [
          words.t('waitsFor'),
          delivery.waiting?.map((line) => <div key={line.line}>{waitingText(line)}</div>),
        ],
        [
          words.t('nextAttempt'),
          waits && delivery.waiting === undefined ? <Ago at={delivery.due} /> : undefined,
        ],
        [words.t('expires'), waits ? <Time at={delivery.expires} /> : undefined],
        [
          words.t(delivery.channel === 'fax' ? 'pages' : 'parts'),
          delivery.parts > 1
            ? words.t('confirmedOf', { confirmed: number(delivery.confirmed), parts: number(delivery.parts) })
            : undefined,
        ],
        [words.t('attempts'), number(delivery.attempts)],
        [words.t('duplicate'), delivery.possibleDuplicate ? words.t('duplicateText') : undefined],
      ]}
    />
  )
}

export const page: PageModule = {
  words: [words, lineWords, reasonWords],
  view: MessagePage,
}
