/** twinline status: an appliance at a glance. */

import type { Shape } from '#intake/http/schemas.ts'
import type * as schemas from '#intake/http/status-schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printable, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type Status = Shape<typeof schemas.status>
type Line = Status['lines'][number]

const usage = `twinline status [--json]

${connectionUsage}`

export async function status(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, connectionOptions, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const found = await ask<Status>(targetsOf(values, usage), { method: 'GET', path: '/status' })
  if (values.json) printJson(found)
  else print(found)
  return exit.accepted
}

function print({ node, role, version, ready, reason, queue, lines }: Status): void {
  const readiness = ready ? 'ready' : `not ready: ${reason ?? 'no line can send'}`
  console.log(printable(`${node}  ${role.toLowerCase()}  ${readiness}  (twinline ${version})`))
  const oldest = queue.oldest === undefined ? '' : `, the oldest from ${localTime(queue.oldest)}`
  console.log(
    `queue: ${queue.queued} queued${oldest}, ${queue.submitting} being sent, ` +
      `${queue.awaitingReport} awaiting a report, ${queue.unknown} unknown`,
  )
  if (lines.length === 0) {
    console.log('no lines')
    return
  }
  console.log('')
  printTable(
    ['line', 'state', 'signal', 'network', 'modem', 'port', 'last success'],
    lines.map((line) => [
      line.id,
      `${line.state}${line.busy ? ', busy' : ''}`,
      line.signal === undefined ? '' : `${line.signal} dBm`,
      network(line),
      [line.modem?.manufacturer, line.modem?.model].filter(Boolean).join(' '),
      line.port,
      line.lastSuccess === undefined ? '' : localTime(line.lastSuccess),
    ]),
  )
  for (const { id, reason } of lines)
    if (reason !== undefined) console.log(printable(`${id}: ${reason.text}`))
}

const network = ({ network }: Line): string =>
  [network?.operator, network?.technology, network?.registration].filter(Boolean).join(' ')
