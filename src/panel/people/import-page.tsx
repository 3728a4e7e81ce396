/** /people/import: a table of contacts, looked at by the appliance before anything of it is taken; all of it or nothing. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Card, Facts, Notice, Page, ProblemNotice, Progress } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { type Problem, post } from '../shell/api.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { go } from '../shell/router.ts'
import { saidText } from '../shell/said.ts'
import { bytes, number } from '../shell/words.ts'
import { PeopleTabs } from './people-tabs.tsx'
import type { ImportReport } from './shapes.ts'
import { firstLines, markedLines, TABLE_LIMIT } from './table-preview.ts'
import { words } from './words.ts'

interface Table {
  name: string
  text: string
}

function View() {
  const table = useSignal<Table | undefined>(undefined)
  const report = useSignal<ImportReport | undefined>(undefined)
  const problem = useSignal<Problem | undefined>(undefined)
  const slip = useSignal<string | undefined>(undefined)
  const looking = useSignal(false)

  async function take(file: File | undefined): Promise<void> {
    table.value = undefined
    report.value = undefined
    problem.value = undefined
    slip.value = undefined
    if (file === undefined) return
    if (file.size > TABLE_LIMIT) {
      slip.value = words.t('tableTooLarge', { size: bytes(file.size), most: bytes(TABLE_LIMIT) })
      return
    }
    const text = new TextDecoder('utf-8', { fatal: true })
    try {
      table.value = { name: file.name, text: text.decode(await file.arrayBuffer()) }
    } catch {
      slip.value = words.t('tableNotUtf8')
      return
    }
    looking.value = true
    const answer = await send(table.value.text, true)
    looking.value = false
    if (answer.ok) report.value = answer.value
    else problem.value = answer.problem
  }

  async function apply(): Promise<void> {
    if (table.value === undefined) return
    const answer = await send(table.value.text, false)
    if (!answer.ok) {
      problem.value = answer.problem
      return
    }
    announce(words.t('imported', { added: answer.value.added.length, changed: answer.value.changed.length }))
    go('/people')
  }

  return (
    <Page
      title={words.t('importTitle')}
      intro={words.t('importIntro')}
      back={{ to: '/people', text: words.t('title') }}
    >
      <PeopleTabs />
      <Card title={words.t('table')}>
        <p>{words.t('columnsText')}</p>
        <pre class="value" translate={false}>
          {'id,name,sms,mail,groups\nops,Operations,+491701234567,ops@example.com,night;all\n'}
        </pre>
        <Field name="table" label={words.t('tableFile')} help={words.t('tableFileHelp')} problem={slip.value}>
          {(bind) => (
            <input
              {...bind}
              type="file"
              accept=".csv,text/csv"
              onChange={(event) => void take(event.currentTarget.files?.[0])}
            />
          )}
        </Field>
        {looking.value ? <Progress label={words.t('looking')} /> : null}
      </Card>
      {problem.value === undefined ? null : <ProblemNotice problem={problem.value} />}
      {report.value === undefined || table.value === undefined ? null : (
        <Preview table={table.value} report={report.value} apply={apply} />
      )}
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

const send = (text: string, preview: boolean) =>
  post<ImportReport>(`/contacts/import?preview=${preview}`, new Blob([text], { type: 'text/csv' }))

function Preview({
  table,
  report,
  apply,
}: {
  table: Table
  report: ImportReport
  apply: () => Promise<void>
}) {
  const { problems, added, changed, unchanged, newGroups } = report
  const { lines, more } = markedLines(table.text, problems)
  const nothing = added.length + changed.length + newGroups.length === 0
  return (
    <Card title={words.t('preview', { name: table.name })}>
      {problems.length > 0 ? (
        <>
          <Notice tone="bad" title={words.t('tableProblems', { count: problems.length })}>
            {words.t('tableProblemsText')}
          </Notice>
          <table class="table">
            <caption class="unseen">{words.t('tableProblems', { count: problems.length })}</caption>
            <thead>
              <tr>
                <th scope="col" class="cell-tight">
                  {words.t('line')}
                </th>
                <th scope="col">{words.t('inTable')}</th>
                <th scope="col">{words.t('wrong')}</th>
              </tr>
            </thead>
            <tbody>
              {lines.map(({ line, text, problems: texts }) => (
                <tr key={line}>
                  <td class="cell-tight figures" data-title={words.t('line')}>
                    {line}
                  </td>
                  <td class="cell-name" data-title={words.t('inTable')}>
                    <span class="mono">{text}</span>
                  </td>
                  <td data-title={words.t('wrong')}>
                    <ul class="plain-list">
                      {texts.map((one) => (
                        <li key={one}>{saidText(one)}</li>
                      ))}
                    </ul>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {more === 0 ? null : <p>{words.t('moreLines', { count: more })}</p>}
        </>
      ) : (
        <>
          <Notice tone={nothing ? 'info' : 'ok'}>{words.t(nothing ? 'tableSame' : 'tableGood')}</Notice>
          <pre class="value" translate={false}>
            {firstLines(table.text).join('\n')}
          </pre>
          <Facts
            rows={[
              [words.t('added'), listed(added)],
              [words.t('changedOnes'), listed(changed)],
              [words.t('unchangedOnes'), number(unchanged)],
              [words.t('newGroups'), listed(newGroups)],
            ]}
          />
          <div class="actions">
            <Button kind="primary" disabled={nothing} onClick={apply}>
              {words.t('importAction', { count: added.length + changed.length })}
            </Button>
          </div>
        </>
      )}
    </Card>
  )
}

const TOLD = 20

const listed = (ids: readonly string[]) =>
  ids.length === 0
    ? number(0)
    : ids.length > TOLD
      ? `${number(ids.length)}: ${words.t('andMore', { list: ids.slice(0, TOLD).join(', '), count: ids.length - TOLD })}`
      : `${number(ids.length)}: ${ids.join(', ')}`
