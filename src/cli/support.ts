/** twinline support: what somebody who is asked for help wants to see, as one zip file. */
import { stat } from 'node:fs/promises'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { download } from './download.ts'
import { exit, UsageError } from './outcome.ts'
import { targetsOf } from './target.ts'

const usage = `twinline support --out FILE

  --out FILE   where the zip file goes

Holds the newest lines of the log, configuration, state of lines, queue and pair, the failover log and versions. Secrets,
numbers and mail addresses are masked, texts of messages are not in it. The appliance must run; when it does not start,
its log says why (journalctl -u twinline). With --host it needs a token with the scope admin.

${connectionUsage}`

export async function support(argv: string[]): Promise<number> {
  const options = { ...connectionOptions, out: { type: 'string' } } as const
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  if (values.out === undefined) throw new UsageError('where to? Give --out FILE', usage)
  const [target] = targetsOf(values, usage)
  if (target === undefined) throw new UsageError('which appliance?', usage)
  await download(target, { method: 'GET', path: '/support' }, values.out)
  console.log(`${values.out}: ${Math.ceil((await stat(values.out)).size / 1e3)} kB`)
  return exit.accepted
}
