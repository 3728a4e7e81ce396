/** twinline recover: one command after any outage, on either appliance. */
import type * as schemas from '#intake/http/pair-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { commandPair } from './pair-command.ts'
import { printable, printJson } from './print.ts'

type Recovery = Shape<typeof schemas.recovery>

const usage = `twinline recover [--from NODE] [--json]

  --from NODE   ask only this member; all when absent
  --json        print the report as JSON

After any outage, on either appliance: brings the members to the same now, and says what happened and what to do.
Exit code 0: they hold the same. 1: they do not yet, and the report says why. With --host it needs the scope admin.

${connectionUsage}`

export async function recover(argv: string[]): Promise<number> {
  const options = { ...connectionOptions, from: { type: 'string' } } as const
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const body = values.from === undefined ? {} : { from: values.from }
  const report = await commandPair<Recovery>(values, usage, 'recover', body)
  if (values.json) printJson(report)
  else print(report)
  return report.same ? exit.accepted : exit.refused
}

function print({ steps, conflicts, duplicates, same, advice }: Recovery): void {
  for (const step of steps) console.log(printable(step))
  if (conflicts.length > 0) {
    console.log('Changed on both sides apart:')
    for (const { path, revision } of conflicts) console.log(printable(`  ${path} (revision ${revision})`))
  }
  if (duplicates.length > 0) {
    console.log('Possibly sent twice:')
    for (const { to, message } of duplicates) console.log(printable(`  to ${to}, message ${message}`))
  }
  for (const sentence of advice) console.log(printable(`! ${sentence}`))
  console.log(same ? 'All members that were asked hold the same.' : 'The members do not hold the same yet.')
}
