/** How much was sent and received, by time and by line, as a chart and as tables. */
import { useMemo } from 'preact/hooks'
import { Card, EmptyState, Page, Waiting } from '../components/layout.tsx'
import { type Column, Table } from '../components/table.tsx'
import { words as shell } from '../components/words.ts'
import { withQuery } from '../shell/api.ts'
import { now } from '../shell/clock.ts'
import { useRemote } from '../shell/remote.ts'
import { type PageModule, place, setQuery } from '../shell/router.ts'
import { memberName } from '../shell/session.ts'
import type { TotalsView } from '../shell/shapes.ts'
import { date, dateTime, number } from '../shell/words.ts'
import { Chart } from './chart.tsx'
import { byLine, bySteps, type LineSums, measures, type Step, type Sums } from './sums.ts'
import { words } from './words.ts'

const HOUR_MS = 3_600_000
const spans = {
  '24h': { step: 'hour', ms: HOUR_MS, steps: 24 },
  '7d': { step: 'hour', ms: HOUR_MS, steps: 7 * 24 },
  '30d': { step: 'day', ms: 24 * HOUR_MS, steps: 30 },
  '365d': { step: 'day', ms: 24 * HOUR_MS, steps: 365 },
} as const
type Span = keyof typeof spans
const spanNames: readonly Span[] = ['24h', '7d', '30d', '365d']

const figures = <T extends Sums>(): Column<T>[] =>
  measures.map((name) => ({ title: words.t(name), kind: 'figures', cell: (row) => number(row[name]) }))

const spanAsked = (): Span => {
  const asked = place.value.query.get('span')
  return spanNames.find((name) => name === asked) ?? '24h'
}

const question = (span: Span): string => withQuery('/totals', { since: span, step: spans[span].step })

function TotalsPage() {
  const span = spanAsked()
  const { step, ms, steps: spanSteps } = spans[span]
  const totals = useRemote<TotalsView>(question(span), { every: 30_000 })
  const items = totals.data.value?.items
  const steps = useMemo(() => {
    const to = now.peek()
    return bySteps(items ?? [], ms, to - spanSteps * ms, to)
  }, [items, ms, spanSteps])
  const daily = step === 'day'
  const lineColumns: Column<LineSums>[] = [
    { title: words.t('line'), kind: 'lead', cell: ({ line, node }) => `${line} · ${memberName(node)}` },
    ...figures<LineSums>(),
  ]
  const stepColumns: Column<Step>[] = [
    {
      title: words.t('time'),
      kind: 'lead',
      cell: ({ at }) => <span class="figures">{daily ? date(at) : dateTime(at)}</span>,
    },
    ...figures<Step>(),
  ]
  return (
    <Page title={shell.t('totals')} intro={words.t('intro')}>
      <fieldset class="chips" aria-label={words.t('span')}>
        {spanNames.map((name) => (
          <button
            key={name}
            type="button"
            class="chip"
            aria-pressed={name === span}
            onClick={() => setQuery({ span: name })}
          >
            {words.t(`span.${name}`)}
          </button>
        ))}
      </fieldset>
      <Waiting of={totals} />
      {items === undefined ? null : items.length === 0 ? (
        <EmptyState title={words.t('nothing')}>{words.t('nothingText')}</EmptyState>
      ) : (
        <>
          <Card title={words.t(daily ? 'byDay' : 'byHour')}>
            <Chart steps={steps} daily={daily} />
            <details class="more">
              <summary>{words.t('asTable')}</summary>
              <Table
                label={words.t(daily ? 'byDay' : 'byHour')}
                columns={stepColumns}
                rows={steps.toReversed()}
                rowKey={({ at }) => String(at)}
              />
            </details>
          </Card>
          <Card title={words.t('byLine')}>
            <Table
              label={words.t('byLine')}
              columns={lineColumns}
              rows={byLine(items)}
              rowKey={({ node, line }) => `${node}/${line}`}
            />
          </Card>
        </>
      )}
    </Page>
  )
}

export const page: PageModule = { words: [words], asks: () => [question(spanAsked())], view: TotalsPage }
