/** What was received, newest first, and what was done about it; a text whose parts have not all come says so. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Dialog } from '../components/dialog.tsx'
import { EmptyState, Facts, Page } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { type Column, LongTable } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { words as shell } from '../components/words.ts'
import { onLive } from '../shell/live.ts'
import { usePages } from '../shell/pages.ts'
import type { PageModule } from '../shell/router.ts'
import { saidText } from '../shell/said.ts'
import { memberName } from '../shell/session.ts'
import type { ReceivedView } from '../shell/shapes.ts'
import { number } from '../shell/words.ts'
import { GivenUp, ReceivedActions } from './received-actions.tsx'
import { words } from './words.ts'

const keyOf = ({ id }: ReceivedView): string => id

function InboxPage() {
  const pages = usePages<ReceivedView>('/inbox', keyOf)
  const open = useSignal<ReceivedView | undefined>(undefined)
  useEffect(() => onLive('message', () => void pages.refresh()), [])
  const columns: Column<ReceivedView>[] = [
    { title: words.t('from'), kind: 'name', cell: ({ from }) => from },
    {
      title: words.t('text'),
      kind: 'wide',
      cell: (row) => (
        <button
          type="button"
          class="row-link"
          onClick={() => {
            open.value = row
          }}
        >
          {row.fax === undefined ? row.text : words.t('faxOf', { count: row.fax.pages })}
        </button>
      ),
    },
    { title: words.t('parts'), kind: 'state', cell: (row) => <Completeness row={row} /> },
    {
      title: words.t('line'),
      kind: 'place',
      cell: ({ line, node }) => (
        <span class="two">
          <span>{line}</span>
          <span class="quiet">{memberName(node)}</span>
        </span>
      ),
    },
    { title: words.t('received'), kind: 'time', cell: ({ at }) => <Time at={at} /> },
  ]
  return (
    <Page title={shell.t('inbox')} intro={words.t('inboxIntro')}>
      <GivenUp />
      <LongTable
        label={shell.t('inbox')}
        columns={columns}
        pages={pages}
        rowKey={keyOf}
        empty={<EmptyState title={words.t('inboxEmpty')}>{words.t('inboxEmptyText')}</EmptyState>}
      />
      {open.value === undefined ? null : (
        <Dialog
          title={words.t('receivedFrom', { from: open.value.from })}
          wide
          onClose={() => {
            open.value = undefined
          }}
        >
          <div class="stack">
            {open.value.fax === undefined ? <p class="message-text">{open.value.text}</p> : null}
            <Facts
              rows={[
                [
                  words.t('pages'),
                  open.value.fax === undefined ? undefined : (
                    <>
                      <a href={`/api/v1/inbox/${open.value.id}/document`} target="_blank" rel="noreferrer">
                        {words.t('faxPages', { count: open.value.fax.pages })}
                      </a>{' '}
                      <a href={`/api/v1/inbox/${open.value.id}/document?type=tiff`} download>
                        {words.t('asTiff')}
                      </a>
                    </>
                  ),
                ],
                [words.t('station'), open.value.fax?.station],
                [
                  words.t('reason'),
                  open.value.fax?.problem === undefined ? undefined : saidText(open.value.fax.problem),
                ],
                [words.t('parts'), <Completeness row={open.value} />],
                [words.t('sentAt'), <Time at={open.value.sentAt} long />],
                [words.t('received'), <Time at={open.value.at} long />],
                [words.t('line'), `${open.value.line} · ${memberName(open.value.node)}`],
              ]}
            />
            <ReceivedActions id={open.value.id} />
          </div>
        </Dialog>
      )}
    </Page>
  )
}

function Completeness({ row: { complete, parts, fax } }: { row: ReceivedView }) {
  if (complete) return <Status tone="ok">{words.t('complete')}</Status>
  return (
    <Status tone="warn">
      {fax === undefined
        ? words.t('partsOf', { received: number(parts.received), total: number(parts.total) })
        : words.t('cutOff')}
    </Status>
  )
}

export const page: PageModule = { words: [words], view: InboxPage }
