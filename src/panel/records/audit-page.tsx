/** /records: who did what, as one unbroken chain for each member, and whether the chains and all their copies agree. */
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Notice, Page, Skeleton, Waiting } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { type Column, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { authorText } from '../configuration/author.ts'
import { words as configWords } from '../configuration/words.ts'
import { get, withQuery } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { rare } from '../shell/rare.ts'
import { useRemote } from '../shell/remote.ts'
import { place, setQuery } from '../shell/router.ts'
import { saidText } from '../shell/said.ts'
import { memberName, session } from '../shell/session.ts'
import { number } from '../shell/words.ts'
import { pageStart } from './audit-model.ts'
import { RecordsTabs } from './records-tabs.tsx'
import type { AuditPage, AuditRecord, AuditReport } from './shapes.ts'
import { words } from './words.ts'

const PAGE = 50

function View() {
  const own = session.value?.appliance.node ?? ''
  const node = place.value.query.get('node') ?? own
  const report = useRemote<AuditReport>('/audit/verify')
  const newest = report.data.value?.chains.find((chain) => chain.node === node)?.records
  const members = session.value?.pair?.members.map((member) => member.node) ?? [own]
  return (
    <Page title={words.t('title')} intro={words.t('auditIntro')}>
      <RecordsTabs />
      <Verification report={report.data.value} again={() => report.reload()} />
      {report.data.value === undefined ? <Waiting of={report} /> : null}
      {members.length > 1 ? (
        <label class="field filter">
          <span class="field-label">{words.t('whose')}</span>
          <select
            class="input"
            value={node}
            onChange={(event) => setQuery({ node: event.currentTarget.value })}
          >
            {members.map((member) => (
              <option key={member} value={member}>
                {memberName(member)}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      {newest === undefined ? null : <Records key={node} node={node} newest={newest} />}
    </Page>
  )
}

export const page = {
  words: [words, configWords, ...problemDictionaries],
  view: View,
}

function Verification({ report, again }: { report: AuditReport | undefined; again: () => void }) {
  if (report === undefined) return null
  const { whole, chains, silent } = report
  return (
    <Card title={words.t('verifyTitle')} aside={<Button onClick={again}>{words.t('verify')}</Button>}>
      <Notice tone={whole ? 'ok' : 'bad'}>{words.t(whole ? 'whole' : 'broken')}</Notice>
      <ul class="plain-list">
        {chains.map(({ node, records, fault, copies }) => (
          <li key={node}>
            <Status tone={fault === undefined ? 'ok' : 'bad'}>
              {memberName(node)}:{' '}
              {fault === undefined
                ? words.t('records', { count: records })
                : words.t(`fault.${fault.fault}`, { number: fault.number })}
            </Status>
            {copies.map((copy) => (
              <span key={copy.member} class="quiet">
                {' '}
                ·{' '}
                {words.t(copy.agrees ? 'copyAgrees' : 'copyDiffers', {
                  member: memberName(copy.member),
                  records: copy.records,
                })}
              </span>
            ))}
          </li>
        ))}
      </ul>
      {silent.length === 0 ? null : (
        <Notice tone="warn">{words.t('silent', { list: silent.map(memberName).join(', ') })}</Notice>
      )}
    </Card>
  )
}

/** A refusal has words of its own where its sentence has none. */
function detailsOf({ what, text }: AuditRecord): string {
  const said = saidText(text)
  return said === text ? (rare()?.refusals[what] ?? said).replace(/ ?\(?\{\w+\}\)?/g, '') : said
}

/** In words, and the code that docs/errors.md and filters of log readers know. */
function What({ code }: { code: string }) {
  const title = rare()?.audit[code]
  return (
    <>
      {title === undefined ? null : <strong>{title}</strong>} <code class="whole quiet">{code}</code>
    </>
  )
}

const columns = (): Column<AuditRecord>[] => [
  { title: words.t('number'), kind: 'figures', cell: (record) => number(record.number) },
  { title: words.t('at'), cell: ({ at }) => <Time at={at} /> },
  { title: words.t('who'), cell: ({ who }) => <span class="whole">{authorText(who)}</span> },
  { title: words.t('what'), kind: 'lead', cell: ({ what }) => <What code={what} /> },
  { title: words.t('text'), kind: 'wide', cell: (record) => detailsOf(record) },
]

/**
 * Newest first; the interface hands out the oldest first, so pages are asked for by their number. New records come on top
 * by themselves: what comes after the newest is asked for, and then what comes after that.
 */
function Records({ node, newest }: { node: string; newest: number }) {
  const records = useSignal<readonly AuditRecord[] | undefined>(undefined)
  const first = useSignal(newest + 1)
  const failed = useSignal<string | undefined>(undefined)
  async function older(): Promise<void> {
    const { after, limit } = pageStart(first.peek(), PAGE)
    const answer = await get<AuditPage>('/audit', { node, after, limit })
    if (!answer.ok) {
      failed.value = problemText(answer.problem)
      announce(failed.value, 'bad')
      return
    }
    records.value = [...(records.peek() ?? []), ...answer.value.items.toReversed()]
    first.value = after + 1
  }
  // Before the page is on the screen: the records are what people come for.
  useLayoutEffect(() => {
    void older()
  }, [])
  const last = records.value?.[0]?.number ?? newest
  const after = useRemote<AuditPage>(withQuery('/audit', { node, after: last, limit: PAGE }), {
    refresh: ['audit'],
  })
  useEffect(() => {
    const fresh = after.data.value?.items.filter(({ number: which }) => which > last) ?? []
    if (fresh.length > 0) records.value = [...fresh.toReversed(), ...(records.peek() ?? [])]
  }, [after.data.value])
  if (records.value === undefined)
    return failed.value === undefined ? <Skeleton rows={8} /> : <Notice tone="bad">{failed.value}</Notice>
  return (
    <>
      {records.value.length === 0 ? (
        <EmptyState title={words.t('noRecords')} />
      ) : (
        <Table
          label={words.t('tab.audit')}
          columns={columns()}
          rows={records.value}
          rowKey={(record) => String(record.number)}
        />
      )}
      {first.value <= 1 ? null : (
        <div class="actions">
          <Button onClick={older}>{words.t('older')}</Button>
        </div>
      )}
    </>
  )
}
