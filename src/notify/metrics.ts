/**
 * The appliance's figures in the Prometheus text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Everything but two counters is asked for when
 * somebody looks, so a figure costs nothing until then.
 */
import type { Clock } from '#core/clock.ts'
import type { Line } from '#lines/contract.ts'
import { lineStates } from '#lines/contract.ts'
import type { Store } from '#store/contract.ts'

export interface MetricSources {
  store: Pick<Store, 'depth' | 'totals'>
  lines(): readonly Line[]
  clock: Clock
  node: string
  version: string
  role(): string
}

export interface Metrics {
  /** One more message that an intake took. */
  accepted(intake: string): void
  /** One more that it refused, with the code that it answered. */
  refused(intake: string, code: string): void
  render(): Promise<string>
}

type Labels = Record<string, string>
type Sample = readonly [labels: Labels, value: number]

const escapeLabel = (text: string): string =>
  text.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))
const escapeHelp = (text: string): string =>
  text.replace(/[\\\n]/g, (sign) => (sign === '\n' ? '\\n' : '\\\\'))

/** One family of samples; nothing at all when it has none. */
export function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly Sample[],
): string {
  if (samples.length === 0) return ''
  const lines = samples.map(([labels, value]) => {
    const list = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
    return `${name}${list.length === 0 ? '' : `{${list.join(',')}}`} ${value}\n`
  })
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

const totalNames = ['sent', 'delivered', 'failed', 'unknown', 'received'] as const

export function createMetrics({ store, lines, clock, node, version, role }: MetricSources): Metrics {
  // Both are bounded: there are few intakes, and the codes are those of docs/errors.md.
  const accepted = new Map<string, number>()
  const refused = new Map<string, Map<string, number>>()
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)

  async function queue(): Promise<string> {
    const depth = await store.depth()
    const states: Sample[] = [
      [{ state: 'queued' }, depth.queued],
      [{ state: 'submitting' }, depth.submitting],
      [{ state: 'awaitingReport' }, depth.awaitingReport],
      [{ state: 'unknown' }, depth.unknown],
    ]
    const age = depth.oldest === undefined ? 0 : Math.max(0, clock.now() - depth.oldest) / 1000
    return (
      family('twinline_queue_deliveries', 'gauge', 'Unfinished deliveries by state.', states) +
      family('twinline_queue_oldest_seconds', 'gauge', 'Age of the oldest queued delivery.', [[{}, age]])
    )
  }

  async function totals(): Promise<string> {
    const sums = new Map<string, { labels: Labels; sum: Record<(typeof totalNames)[number], number> }>()
    for (const row of await store.totals(0)) {
      const key = JSON.stringify([row.node, row.line])
      const entry = sums.get(key) ?? {
        labels: { node: row.node, line: row.line },
        sum: { sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 },
      }
      for (const name of totalNames) entry.sum[name] += row[name]
      sums.set(key, entry)
    }
    const samples = [...sums.values()].flatMap(({ labels, sum }) =>
      totalNames.map((name): Sample => [{ ...labels, outcome: name }, sum[name]]),
    )
    return family('twinline_line_messages_total', 'counter', 'Messages of a line by outcome.', samples)
  }

  function lineFigures(): string {
    const all = lines().map((line) => line.status())
    const states = all.flatMap((line) =>
      lineStates.map((state): Sample => [{ line: line.id, state }, line.state === state ? 1 : 0]),
    )
    const signal = all.flatMap((line): Sample[] =>
      line.signal === undefined ? [] : [[{ line: line.id }, line.signal]],
    )
    return (
      family('twinline_line_state', 'gauge', 'The state a line is in is 1, the others are 0.', states) +
      family('twinline_line_signal_dbm', 'gauge', 'Signal strength in dBm.', signal) +
      family(
        'twinline_line_busy',
        'gauge',
        'A transmission is under way.',
        all.map((line): Sample => [{ line: line.id }, line.busy ? 1 : 0]),
      ) +
      family(
        'twinline_line_recoveries_total',
        'counter',
        'How often a line stopped working since the program started.',
        all.map((line): Sample => [{ line: line.id }, line.recoveries]),
      )
    )
  }

  return {
    accepted(intake) {
      add(accepted, intake)
    },
    refused(intake, code) {
      const codes = refused.get(intake) ?? new Map<string, number>()
      refused.set(intake, codes)
      add(codes, code)
    },
    async render() {
      const [queueText, totalsText] = await Promise.all([queue(), totals()])
      return [
        family('twinline_info', 'gauge', 'Who this is.', [[{ node, version }, 1]]),
        family('twinline_active', 'gauge', 'This appliance is the active one.', [
          [{}, role() === 'ACTIVE' ? 1 : 0],
        ]),
        queueText,
        lineFigures(),
        totalsText,
        family(
          'twinline_accepted_total',
          'counter',
          'Messages accepted since the program started.',
          [...accepted].map(([intake, value]): Sample => [{ intake }, value]),
        ),
        family(
          'twinline_refused_total',
          'counter',
          'Requests refused since the program started.',
          [...refused].flatMap(([intake, codes]) =>
            [...codes].map(([code, value]): Sample => [{ intake, code }, value]),
          ),
        ),
        family('twinline_resident_memory_bytes', 'gauge', 'Resident memory.', [
          [{}, process.memoryUsage.rss()],
        ]),
      ].join('')
    },
  }
}
