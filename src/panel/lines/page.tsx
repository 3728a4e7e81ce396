/** All lines of all members, live. A line of another member that stands by is shown as not connected. */
import { useSignal } from '@preact/signals'
import { EmptyState, Notice, Page, Waiting } from '../components/layout.tsx'
import { words as shell } from '../components/words.ts'
import { words as queueWords } from '../queue/words.ts'
import { status } from '../shell/live.ts'
import { reasonWords } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import type { PageModule } from '../shell/router.ts'
import { may, memberName, session } from '../shell/session.ts'
import type { LineListView, LineView } from '../shell/shapes.ts'
import { LineCard, type LineTool } from './card.tsx'
import { FindLater } from './find-later.tsx'
import { MuteDialog, TestDialog, TraceDialog } from './tools.tsx'
import { words } from './words.ts'

const keyOf = (line: LineView): string => `${line.node ?? ''}/${line.id}`

/** The answering member's lines come live; those of others are as of the last question. */
function merged(asked: readonly LineView[], own: readonly LineView[], here: string): LineView[] {
  const newest = new Map(own.map((line) => [line.id, line]))
  return asked.map((line) => {
    const live = line.node === undefined || line.node === here ? newest.get(line.id) : undefined
    if (live === undefined) return line
    return line.node === undefined ? live : { ...live, node: line.node }
  })
}

/** Members whose lines cannot be asked for: an empty place would look as if they had none. */
function Missing({ shown }: { shown: ReadonlySet<string> }) {
  const missing = (status.value?.members ?? []).filter(
    ({ node, role }) => !shown.has(node) && (role === 'silent' || role === 'away' || role === 'unknown'),
  )
  return (
    <>
      {missing.map(({ node, name }) => (
        <Notice key={node} tone="warn" title={words.t('linesOf', { name })}>
          {words.t('linesUnknown', { name })}
        </Notice>
      ))}
    </>
  )
}

function LinesPage() {
  const remote = useRemote<LineListView>('/lines?node=*', { every: 3_000 })
  const open = useSignal<{ key: string; tool: LineTool } | undefined>(undefined)
  const here = session.value?.appliance.node ?? ''
  const asked = remote.data.value?.items
  const lines = asked === undefined ? [] : merged(asked, status.value?.lines ?? [], here)
  const groups = Map.groupBy(lines, (line) => line.node ?? here)
  const chosen = lines.find((line) => keyOf(line) === open.value?.key)
  const tool = {
    close: () => {
      open.value = undefined
    },
    reload: remote.reload,
  }
  return (
    <Page title={shell.t('lines')} intro={words.t('intro')}>
      <Waiting of={remote} rows={3} />
      {asked !== undefined && asked.length === 0 ? (
        <EmptyState title={words.t('empty')}>{words.t('emptyText')}</EmptyState>
      ) : null}
      <div class={groups.size > 1 ? 'halves halves-top' : undefined}>
        {[...groups].map(([node, items]) => (
          <section key={node} class="stack stack-top" aria-label={memberName(node)}>
            {groups.size > 1 ? <h2>{words.t('linesOf', { name: memberName(node) })}</h2> : null}
            <div class="cards">
              {items.map((line) => (
                <LineCard
                  key={keyOf(line)}
                  line={line}
                  reload={remote.reload}
                  open={(name) => {
                    open.value = { key: keyOf(line), tool: name }
                  }}
                />
              ))}
            </div>
          </section>
        ))}
      </div>
      {asked === undefined ? null : <Missing shown={new Set(groups.keys())} />}
      {may('admin') ? <FindLater reload={remote.reload} /> : null}
      {chosen === undefined || open.value === undefined ? null : open.value.tool === 'test' ? (
        <TestDialog line={chosen} {...tool} />
      ) : open.value.tool === 'mute' ? (
        <MuteDialog line={chosen} {...tool} />
      ) : (
        <TraceDialog line={chosen} {...tool} />
      )}
    </Page>
  )
}

export const page: PageModule = {
  words: [words, queueWords, reasonWords],
  view: LinesPage,
}
