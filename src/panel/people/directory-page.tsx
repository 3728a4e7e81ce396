/** /people/directory: the import of contacts from a directory (LDAP): whether it works, what it took and what it did not. */
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Facts, Notice, Page, Waiting } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { type Column, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { saidText } from '../shell/said.ts'
import { may, memberName } from '../shell/session.ts'
import { PeopleTabs } from './people-tabs.tsx'
import type { LdapRefusal, LdapRun, LdapView } from './shapes.ts'
import { words } from './words.ts'

/** A run takes seconds; its end is not told otherwise. */
const LOOK_MS = 3_000

function View() {
  const ldap = useRemote<LdapView>('/ldap', { refresh: ['configuration', 'status'], every: LOOK_MS })
  const view = ldap.data.value
  return (
    <Page
      title={words.t('directoryTitle')}
      intro={words.t('directoryIntro')}
      back={{ to: '/people', text: words.t('title') }}
      actions={
        view?.configured && may('admin') ? (
          <Button
            disabled={view.running}
            onClick={async () => {
              const answer = await post<LdapView>('/ldap/import')
              if (answer.ok) announce(words.t('directoryAsked'))
              else announce(problemText(answer.problem), 'bad')
              ldap.reload()
            }}
          >
            {words.t('directoryNow')}
          </Button>
        ) : undefined
      }
    >
      <PeopleTabs />
      {view === undefined ? (
        <Waiting of={ldap} />
      ) : view.configured ? (
        <State view={view} />
      ) : (
        <EmptyState title={words.t('noDirectory')}>
          {words.t('noDirectoryText', { member: memberName(view.node) })}
          {may('admin') ? (
            <a href={`/configuration/appliance?node=${view.node}#ldap`}>{words.t('directoryLink')}</a>
          ) : null}
        </EmptyState>
      )}
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

function State({ view }: { view: LdapView }) {
  const { last, running } = view
  return (
    <>
      {last?.failure === undefined ? null : (
        <Notice tone="bad" title={words.t(last.reachable ? 'directoryRefuses' : 'directoryAway')}>
          <p>{saidText(last.failure)}</p>
          <p>{words.t('directoryStays')}</p>
        </Notice>
      )}
      <Card title={words.t('directoryState')}>
        <Facts
          rows={[
            [
              words.t('directoryServer'),
              <>
                {view.url}{' '}
                {last === undefined ? null : (
                  <Status tone={last.reachable ? 'ok' : 'bad'}>
                    {words.t(last.reachable ? 'reachable' : 'notReachable')}
                  </Status>
                )}
              </>,
            ],
            [words.t('directoryBase'), `${view.base ?? ''} ${view.filter ?? ''}`],
            [words.t('directoryMember'), memberName(view.node)],
            [
              words.t('directoryLast'),
              running ? (
                words.t('directoryRunning')
              ) : last === undefined ? (
                words.t('directoryNever')
              ) : (
                <Time at={last.at} long />
              ),
            ],
            [
              words.t('directorySucceeded'),
              view.succeeded === undefined ? words.t('directoryNever') : <Time at={view.succeeded} long />,
            ],
            [
              words.t('directoryNext'),
              view.next === undefined ? undefined : (
                <>
                  <Time at={view.next} long /> · {words.t('directoryEvery', { span: view.every ?? '' })}
                </>
              ),
            ],
          ]}
        />
      </Card>
      {last === undefined || last.failure !== undefined ? null : <Taken run={last} />}
    </>
  )
}

function Taken({ run }: { run: LdapRun }) {
  const columns: Column<LdapRefusal>[] = [
    { title: words.t('directoryEntry'), kind: 'lead', cell: ({ entry }) => entry },
    {
      title: words.t('directoryWhat'),
      cell: ({ field }) => words.maybe(field === undefined ? 'directoryWhole' : field) ?? field ?? '',
    },
    { title: words.t('directoryWhy'), cell: ({ text }) => saidText(text) },
  ]
  return (
    <Card title={words.t('directoryTaken')}>
      <Facts
        rows={[
          [words.t('directoryContacts'), <span class="figures">{run.contacts}</span>],
          [
            words.t('directoryChanges'),
            words.t('directoryCounts', { made: run.made, changed: run.changed, removed: run.removed }),
          ],
          [words.t('directoryRefused'), <span class="figures">{run.refused}</span>],
        ]}
      />
      {run.refused === 0 ? null : (
        <>
          <Table
            label={words.t('directoryRefused')}
            columns={columns}
            rows={run.refusals}
            rowKey={({ entry, field, text }) => `${entry} ${field ?? ''} ${text}`}
          />
          {run.refused > run.refusals.length ? (
            <p class="quiet">{words.t('shownOf', { shown: run.refusals.length, all: run.refused })}</p>
          ) : null}
        </>
      )}
    </Card>
  )
}
