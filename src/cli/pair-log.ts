/** twinline pair log: what the guards of all members saw and did on one day. */
import type * as schemas from '#intake/http/audit-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { printable, printJson } from './print.ts'
import { ask, targetsOf } from './target.ts'

const usage = `twinline pair log [--day 2026-11-21] [--json]

  --day 2026-11-21   which day, in the appliance's local time (default: today)
  --json             print as JSON, with the days that have lines

${connectionUsage}`

/** @param argv what follows `pair log` */
export async function pairLog(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(
    argv,
    { ...connectionOptions, day: { type: 'string' } },
    usage,
  )
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  if (values.day !== undefined && !/^\d{4}-\d\d-\d\d$/.test(values.day)) {
    throw new UsageError(`--day ${JSON.stringify(values.day)} is no day; write one such as 2026-11-21`, usage)
  }
  const query = values.day === undefined ? '' : `?day=${values.day}`
  const found = await ask<Shape<typeof schemas.failoverDay>>(targetsOf(values, usage), {
    method: 'GET',
    path: `/pair/failover${query}`,
  })
  if (values.json) printJson(found)
  else for (const line of found.lines) console.log(printable(line))
  return exit.accepted
}
