/** The archive: messages whose story is over and which were put away, searched like the queue. */
import { EmptyState, Page } from '../components/layout.tsx'
import { words as shell } from '../components/words.ts'
import { withQuery } from '../shell/api.ts'
import { usePages } from '../shell/pages.ts'
import type { PageModule } from '../shell/router.ts'
import type { MessageView } from '../shell/shapes.ts'
import { Filters, filters } from './filters.tsx'
import { MessageTable, messageKey } from './list.tsx'
import { words } from './words.ts'

function ArchivePage() {
  const pages = usePages<MessageView>(withQuery('/messages', { ...filters(), archived: 'yes' }), messageKey)
  return (
    <Page title={shell.t('archive')} intro={words.t('archiveIntro')}>
      <Filters />
      <MessageTable
        label={shell.t('archive')}
        pages={pages}
        empty={<EmptyState title={words.t('archiveEmpty')}>{words.t('archiveEmptyText')}</EmptyState>}
      />
    </Page>
  )
}

export const page: PageModule = {
  words: [words],
  asks: () => [withQuery('/messages', { ...filters(), archived: 'yes', limit: 100 }), '/lines?node=*'],
  view: ArchivePage,
}
