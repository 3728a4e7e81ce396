/** twinline totals: how much traffic went through each appliance and line, as a whole or over time. */
import { parseDuration } from '#core/duration.ts'
import type { Shape } from '#intake/http/schemas.ts'
import type * as schemas from '#intake/http/status-schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type Totals = Shape<typeof schemas.totals>
type Row = Totals['items'][number]
type Sums = Totals['total']

const usage = `twinline totals [--since 24h] [--by hour|day] [--node NODE] [--json]

  --since 24h    how far back, or a time such as 2026-11-01T00:00:00Z; everything when absent
  --by day       a row for each day or hour (of this machine's time zone) instead of one for all the time
  --node NODE    only the lines of this appliance
  --json         print as JSON: every hour, or with --by what the table has

Every member knows the figures of all: those of a member that is down as well.

${connectionUsage}`

const options = {
  ...connectionOptions,
  since: { type: 'string' },
  by: { type: 'string' },
  node: { type: 'string' },
} as const

/** A span of time as rows show it; the whole time has no name. */
const spans = {
  hour: (time: string) => `${localTime(time).slice(0, 13)}:00`,
  day: (time: string) => localTime(time).slice(0, 10),
} as const

export async function totals(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const { since, by, node } = values
  if (since !== undefined) checkSince(since)
  if (by !== undefined && by !== 'hour' && by !== 'day') {
    throw new UsageError(`--by ${JSON.stringify(by)} is not known; allowed: hour, day`, usage)
  }
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`
  const found = await ask<Totals>(targetsOf(values, usage), { method: 'GET', path: `/totals${query}` })
  const items = node === undefined ? found.items : found.items.filter((item) => item.node === node)
  const total = node === undefined ? found.total : sumOf(items)
  if (by === undefined && values.json) {
    printJson({ ...found, items, total })
    return exit.accepted
  }
  const rows = grouped(items, by === undefined ? () => '' : (row) => spans[by](row.hour))
  if (values.json) {
    printJson({ since: found.since, by, items: rows, total })
    return exit.accepted
  }
  if (since !== undefined) console.log(`since ${localTime(found.since)}`)
  const time = by === undefined ? [] : [by]
  printTable(
    [...time, 'node', 'line', ...names],
    [
      ...rows.map((row) => [...(by === undefined ? [] : [row.span]), row.node, row.line, ...cells(row)]),
      ['total', ...time.map(() => ''), '', ...cells(total)],
    ],
  )
  return exit.accepted
}

const names = ['sent', 'delivered', 'failed', 'unknown', 'received'] as const

const cells = (sums: Sums): number[] => names.map((name) => sums[name])

const nothing = (): Sums => ({ sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 })

function add(sums: Sums, more: Sums): void {
  for (const name of names) sums[name] += more[name]
}

function sumOf(items: readonly Sums[]): Sums {
  const sums = nothing()
  for (const item of items) add(sums, item)
  return sums
}

/** The hours of each span, node and line added up, in this order. */
function grouped(
  items: readonly Row[],
  spanOf: (row: Row) => string,
): (Sums & { span: string; node: string; line: string })[] {
  const groups = new Map<string, Sums & { span: string; node: string; line: string }>()
  for (const row of items) {
    const span = spanOf(row)
    const key = JSON.stringify([span, row.node, row.line])
    const group = groups.get(key) ?? { span, node: row.node, line: row.line, ...nothing() }
    add(group, row)
    groups.set(key, group)
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/** As the appliance reads it, but said as a mistake of the command line. */
function checkSince(text: string): void {
  if (parseDuration(text) !== undefined) return
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return
  throw new UsageError(
    `--since ${JSON.stringify(text)} is neither a span such as 24h nor a time such as 2026-11-01T00:00:00Z`,
    usage,
  )
}
