/** The queue: every message with its deliveries, newest first, searched and filtered by the appliance, acted on in bulk. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { MessageCounts } from '#intake/http/queue-schemas.ts'
import { Button } from '../components/button.tsx'
import { Icon } from '../components/icons.tsx'
import { EmptyState, Page } from '../components/layout.tsx'
import { words as shell } from '../components/words.ts'
import { words as lineWords } from '../lines/words.ts'
import { withQuery } from '../shell/api.ts'
import { onLive } from '../shell/live.ts'
import { type Pages, usePages } from '../shell/pages.ts'
import { reasonWords } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import type { PageModule } from '../shell/router.ts'
import { may } from '../shell/session.ts'
import type { MessageView } from '../shell/shapes.ts'
import { number } from '../shell/words.ts'
import { type Action, AT_ONCE, actOn } from './actions.ts'
import { Filters, filters, StateFilter } from './filters.tsx'
import { MessageTable, messageKey } from './list.tsx'
import { MoveDialog } from './move-dialog.tsx'
import { words } from './words.ts'

const REFRESH_PAUSE_MS = 500

/** Asks again for what is in view whenever messages change; what came on top does not push away what is being read. */
function useLivePages(pages: Pages<MessageView>): void {
  useEffect(() => {
    let pending: ReturnType<typeof setTimeout> | undefined
    const stop = onLive('message', () => {
      pending ??= setTimeout(() => {
        pending = undefined
        void pages.refresh()
      }, REFRESH_PAUSE_MS)
    })
    return () => {
      clearTimeout(pending)
      stop()
    }
  }, [])
}

/** How many messages there are with these filters, where the counts can tell. */
function totalOf(counts: MessageCounts | undefined, given: Record<string, string>): number | undefined {
  const states = (given['state'] ?? '').split(',').filter(Boolean)
  if (counts === undefined || Object.keys(given).some((name) => name !== 'state')) return undefined
  return Object.entries(counts.states)
    .filter(([state]) => states.length === 0 || states.includes(state))
    .reduce((sum, [, count]) => sum + count, 0)
}

function QueuePage() {
  const given = filters()
  const pages = usePages<MessageView>(withQuery('/messages', { ...given, archived: 'no' }), messageKey)
  const counts = useRemote<MessageCounts>('/messages/counts', { refresh: ['message'] })
  const chosen = useSignal<ReadonlySet<string>>(new Set())
  const moving = useSignal(false)
  useLivePages(pages)
  const filtered = Object.keys(given).length > 0
  // Nobody shall act on what is no longer in view.
  useEffect(() => {
    chosen.value = new Set()
  }, [JSON.stringify(given)])
  const after = (): void => {
    chosen.value = new Set()
    void pages.refresh()
    counts.reload()
  }
  const toggle = (id: string): void => {
    const next = new Set(chosen.peek())
    if (!next.delete(id) && next.size < AT_ONCE) next.add(id)
    chosen.value = next
  }
  const run = async (action: Action): Promise<void> => {
    if (await actOn(action, [...chosen.peek()])) after()
  }
  return (
    <Page
      title={shell.t('queue')}
      actions={
        may('operator') ? (
          <a class="button button-primary" href="/queue/new">
            <Icon name="plus" />
            <span>{words.t('new')}</span>
          </a>
        ) : undefined
      }
    >
      <div class="stack">
        <StateFilter counts={counts.data.value} />
        <Filters />
      </div>
      {may('operator') ? (
        <BulkBar
          count={chosen.value.size}
          run={run}
          move={() => {
            moving.value = true
          }}
          all={() => {
            const ids = Array.from({ length: Math.min(pages.size(), AT_ONCE) }, (_, n) => pages.row(n)?.id)
            chosen.value = new Set(ids.filter((id) => id !== undefined))
          }}
          none={() => {
            chosen.value = new Set()
          }}
        />
      ) : null}
      <MessageTable
        label={shell.t('queue')}
        pages={pages}
        total={totalOf(counts.data.value, given)}
        choice={may('operator') ? { ids: chosen.value, toggle } : undefined}
        empty={
          filtered ? (
            <EmptyState title={words.t('nothingFound')}>{words.t('nothingFoundText')}</EmptyState>
          ) : (
            <EmptyState title={words.t('nothing')}>{words.t('nothingText')}</EmptyState>
          )
        }
      />
      {moving.value ? (
        <MoveDialog
          ids={[...chosen.value]}
          done={after}
          close={() => {
            moving.value = false
          }}
        />
      ) : null}
    </Page>
  )
}

function BulkBar(props: {
  count: number
  run: (action: Action) => Promise<void>
  move: () => void
  all: () => void
  none: () => void
}) {
  const { count } = props
  return (
    <div class={count === 0 ? 'bulk' : 'bulk bulk-on'}>
      <p class="figures" role="status">
        {count === 0 ? words.t('chosenNone') : words.t('chosen', { count, most: number(AT_ONCE) })}
      </p>
      <div class="actions">
        <Button kind="quiet" onClick={props.all}>
          {words.t('chooseShown')}
        </Button>
        {count === 0 ? null : (
          <>
            <Button onClick={() => props.run('retry')}>{words.t('retry')}</Button>
            <Button onClick={props.move}>{words.t('moveTo')}</Button>
            <Button kind="danger" onClick={() => props.run('cancel')}>
              {words.t('cancel')}
            </Button>
            <Button kind="quiet" onClick={props.none}>
              {words.t('chooseNone')}
            </Button>
          </>
        )}
      </div>
    </div>
  )
}

export const page: PageModule = {
  words: [words, lineWords, reasonWords],
  asks: () => [
    withQuery('/messages', { ...filters(), archived: 'no', limit: 100 }),
    '/messages/counts',
    '/lines?node=*',
  ],
  view: QueuePage,
}
