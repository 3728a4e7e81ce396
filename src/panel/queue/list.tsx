/** Messages as a long table: of the queue with boxes to choose many, of the archive without. */
import type { ComponentChildren } from 'preact'
import { type Column, LongTable } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import type { Pages } from '../shell/pages.ts'
import { memberName, session } from '../shell/session.ts'
import type { MessageView } from '../shell/shapes.ts'
import { MessageStatus } from './states.tsx'
import { words } from './words.ts'

export const messageKey = (message: MessageView): string => message.id

/** Two lines in one cell: what it is, and below it, smaller, what belongs to it. */
function Two({ first, second }: { first: string; second: string | undefined }) {
  return (
    <span class="two">
      <span>{first}</span>
      {second === undefined ? null : <span class="quiet">{second}</span>}
    </span>
  )
}

function Recipients({ deliveries, count }: MessageView) {
  const more = (count ?? deliveries.length) - 1
  return (
    <Two
      first={deliveries[0]?.to ?? ''}
      second={more > 0 ? words.t('andMore', { count: more }) : undefined}
    />
  )
}

/** Of the newest attempt; the member only where there are several. */
function LineOf({ deliveries }: MessageView) {
  const last = deliveries.find(({ line }) => line !== undefined)
  if (last?.line === undefined) return null
  const pair = session.value?.pair != null
  return (
    <Two first={last.line} second={pair && last.node !== undefined ? memberName(last.node) : undefined} />
  )
}

/** What a message is known by in a list: its text, or the document that it carries. */
export const titleOf = ({ text, document }: MessageView): string =>
  [document?.name, text].filter((part) => part !== undefined && part !== '').join(' · ') || words.t('noText')

export interface Choice {
  ids: ReadonlySet<string>
  toggle: (id: string) => void
}

export function MessageTable(props: {
  label: string
  pages: Pages<MessageView>
  choice?: Choice | undefined
  total?: number | undefined
  empty: ComponentChildren
}) {
  const { choice } = props
  const boxes: Column<MessageView>[] =
    choice === undefined
      ? []
      : [
          {
            title: words.t('choose'),
            silent: true,
            kind: 'tight',
            cell: (message) => (
              <label class="box">
                <span class="unseen">{words.t('chooseOne', { text: titleOf(message).slice(0, 40) })}</span>
                <input
                  type="checkbox"
                  checked={choice.ids.has(message.id)}
                  onChange={() => choice.toggle(message.id)}
                />
              </label>
            ),
          },
        ]
  const columns: Column<MessageView>[] = [
    { title: words.t('state'), kind: 'state', cell: (message) => <MessageStatus message={message} /> },
    {
      title: words.t('text'),
      kind: 'wide',
      cell: (message) => (
        <a class="row-link" href={`/queue/${message.id}`}>
          {titleOf(message)}
        </a>
      ),
    },
    { title: words.t('to'), kind: 'name', cell: Recipients },
    { title: words.t('line'), kind: 'place', cell: LineOf },
    { title: words.t('accepted'), kind: 'time', cell: ({ at }) => <Time at={at} /> },
  ]
  return (
    <LongTable
      label={props.label}
      columns={[...boxes, ...columns]}
      pages={props.pages}
      rowKey={messageKey}
      chosen={({ id }) => choice?.ids.has(id) === true}
      {...(props.total === undefined ? {} : { total: props.total })}
      empty={props.empty}
    />
  )
}
