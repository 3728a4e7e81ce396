/** twinline totals: how much traffic went through each appliance and line. */
import type * as schemas from '#intake/http/schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type Totals = Shape<typeof schemas.totals>
type Sums = Totals['total']

const usage = `twinline totals [--since 24h] [--json]

  --since 24h   how far back, or a time such as 2026-11-01T00:00:00Z; everything when absent
  --json        print every hour as JSON

${connectionUsage}`

export async function totals(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(
    argv,
    { ...connectionOptions, since: { type: 'string' } },
    usage,
  )
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const query = values.since === undefined ? '' : `?since=${encodeURIComponent(values.since)}`
  const found = await ask<Totals>(targetsOf(values, usage), { method: 'GET', path: `/totals${query}` })
  if (values.json) {
    printJson(found)
    return exit.accepted
  }
  const rows = [...byLine(found.items).entries()].sort(([a], [b]) => (a < b ? -1 : 1))
  if (values.since !== undefined) console.log(`since ${localTime(found.since)}`)
  printTable(
    ['node', 'line', 'sent', 'delivered', 'failed', 'unknown', 'received'],
    [
      ...rows.map(([key, sums]) => [...key.split('\t'), ...cells(sums)]),
      ['total', '', ...cells(found.total)],
    ],
  )
  return exit.accepted
}

const cells = ({ sent, delivered, failed, unknown, received }: Sums) => [
  sent,
  delivered,
  failed,
  unknown,
  received,
]

/** The hours of each node and line added up. */
function byLine(items: Totals['items']): Map<string, Sums> {
  const sums = new Map<string, Sums>()
  for (const { node, line, sent, delivered, failed, unknown, received } of items) {
    const key = `${node}\t${line}`
    const sum = sums.get(key) ?? { sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 }
    sum.sent += sent
    sum.delivered += delivered
    sum.failed += failed
    sum.unknown += unknown
    sum.received += received
    sums.set(key, sum)
  }
  return sums
}
