/** The Prometheus text as a scraper reads it. */
import { expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import type { Line, LineStatus } from '#lines/contract.ts'
import { createMetrics, family } from '#notify/metrics.ts'
import type { QueueDepth, TotalsRow } from '#store/contract.ts'

const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/

/** Reads the format strictly: HELP, TYPE, then the samples of one family, each line ended, no family twice. */
function read(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true)
  const samples = new Map<string, number>()
  const seen = new Set<string>()
  let name = ''
  let helped = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment?.[1] === 'HELP') helped = comment[2] ?? ''
    else if (comment?.[1] === 'TYPE') {
      name = comment[2] ?? ''
      expect(name).toBe(helped)
      expect(seen.has(name)).toBe(false)
      expect(['counter', 'gauge']).toContain(comment[3])
      expect(name.endsWith('_total')).toBe(comment[3] === 'counter')
      seen.add(name)
    } else {
      const [, of, labels, value] = sample.exec(line) ?? []
      expect(of, line).toBe(name)
      const key = labels ? `${of}{${labels}}` : `${of}`
      expect(samples.has(key), key).toBe(false)
      samples.set(key, Number(value))
    }
  }
  return samples
}

function metricsOf(options: {
  depth?: Partial<QueueDepth>
  totals?: TotalsRow[]
  lines?: LineStatus[]
  now?: number
}) {
  const clock = { ...systemClock(0), now: () => options.now ?? 10_000 }
  return createMetrics({
    store: {
      depth: async () => ({
        queued: 0,
        submitting: 0,
        awaitingReport: 0,
        unknown: 0,
        oldest: undefined,
        ...options.depth,
      }),
      totals: async () => options.totals ?? [],
    },
    lines: () => (options.lines ?? []).map((status) => ({ status: () => status }) as Line),
    clock,
    node: 'al"pha\\\n',
    version: '1.2.3',
    role: () => 'ACTIVE',
  })
}

const line: LineStatus = {
  id: 'gsm0',
  kind: 'gsm',
  channel: 'sms',
  state: 'recovering',
  busy: true,
  port: 'sim://gsm',
  signal: -85,
  recoveries: 3,
}

test('the queue by state and the age of its oldest delivery in seconds', async () => {
  const depth = { queued: 5, submitting: 1, awaitingReport: 7, unknown: 2, oldest: 2_500 }
  const samples = read(await metricsOf({ depth }).render())
  expect(samples.get('twinline_queue_deliveries{state="queued"}')).toBe(5)
  expect(samples.get('twinline_queue_deliveries{state="awaitingReport"}')).toBe(7)
  expect(samples.get('twinline_queue_oldest_seconds')).toBe(7.5)
  expect(read(await metricsOf({}).render()).get('twinline_queue_oldest_seconds')).toBe(0)
})

test('lines by state, signal, and what they carried in all hours', async () => {
  const row = { node: 'alpha', line: 'gsm0', sent: 5, delivered: 4, failed: 1, unknown: 0, received: 2 }
  const totals = [
    { ...row, hour: 0 },
    { ...row, hour: 1 },
    { ...row, hour: 0, line: 'gsm1' },
  ]
  const samples = read(await metricsOf({ totals, lines: [line] }).render())
  expect(samples.get('twinline_line_state{line="gsm0",state="recovering"}')).toBe(1)
  expect(samples.get('twinline_line_state{line="gsm0",state="ready"}')).toBe(0)
  expect(samples.get('twinline_line_signal_dbm{line="gsm0"}')).toBe(-85)
  expect(samples.get('twinline_line_recoveries_total{line="gsm0"}')).toBe(3)
  expect(samples.get('twinline_line_messages_total{node="alpha",line="gsm0",outcome="sent"}')).toBe(10)
  expect(samples.get('twinline_line_messages_total{node="alpha",line="gsm1",outcome="received"}')).toBe(2)
})

test('what intakes took and refused is counted', async () => {
  const metrics = metricsOf({})
  metrics.accepted('http')
  metrics.accepted('http')
  metrics.refused('http', 'empty-text')
  const samples = read(await metrics.render())
  expect(samples.get('twinline_accepted_total{intake="http"}')).toBe(2)
  expect(samples.get('twinline_refused_total{intake="http",code="empty-text"}')).toBe(1)
})

test('quotes, backslashes and line breaks are escaped', async () => {
  const samples = read(await metricsOf({}).render())
  expect(samples.get('twinline_info{node="al\\"pha\\\\\\n",version="1.2.3"}')).toBe(1)
  expect(family('a', 'gauge', 'one\ntwo\\', [[{}, 1]])).toBe('# HELP a one\\ntwo\\\\\n# TYPE a gauge\na 1\n')
})

test('a family without samples is left out', () => {
  expect(family('a', 'gauge', 'b', [])).toBe('')
})
