/** twinline support: what somebody who is asked for help wants to see, as one zip file. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { loadConfig } from '#config/load.ts'
import { maskedText } from '#config/masking.ts'
import { errorText } from '#core/errors.ts'
import { machine, masked, zipped } from '#intake/http/support.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { call } from './client.ts'
import { download } from './download.ts'
import { programVersion } from './help.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTarget, targetsOf } from './target.ts'

const usage = `twinline support --out FILE [--node NODE | --all]

  --out FILE    where the zip file goes
  --node NODE   of another member of the pair
  --all         of every member of the pair: a zip file with one of each

Holds the newest lines of the log, configuration, state of lines, queue and pair, the failover log and versions. Secrets,
numbers and mail addresses are masked, texts of messages are not in it. Of an appliance that does not run (--config) it
holds configuration, what is wrong with it, failover log and versions; add its log (journalctl -u twinline). With --host
it needs a token with the scope admin.

${connectionUsage}`

export async function support(argv: string[]): Promise<number> {
  const options = {
    ...connectionOptions,
    out: { type: 'string' },
    node: { type: 'string' },
    all: { type: 'boolean' },
  } as const
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  if (values.out === undefined) throw new UsageError('where to? Give --out FILE', usage)
  const { config, out, all } = values
  if (all && values.node !== undefined) throw new UsageError('either --node or --all', usage)
  const node = all ? '*' : values.node
  if (config !== undefined && !(await runs(config))) {
    if (node !== undefined)
      throw new Ended(exit.unreachable, 'this appliance does not run: ask another member of the pair')
    await ofStopped(config, out)
  } else {
    const [target] = targetsOf(values, usage)
    if (target === undefined) throw new UsageError('which appliance?', usage)
    const path = node === undefined ? '/support' : `/support?node=${encodeURIComponent(node)}`
    await download(target, { method: 'GET', path }, out)
  }
  console.log(`${out}: ${Math.ceil((await stat(out)).size / 1e3)} kB`)
  return exit.accepted
}

/** Days of the failover log that are in it. */
const DAYS = 14

/** @returns false also when its configuration cannot be read: then it does not start */
async function runs(config: string): Promise<boolean> {
  try {
    return (
      (await call(localTarget(loadConfig(config).data), { method: 'GET', path: '/status' })).result !==
      'notSent'
    )
  } catch {
    return false
  }
}

/** What can be had without the appliance. */
async function ofStopped(file: string, out: string): Promise<void> {
  const files: Record<string, Uint8Array> = {}
  const add = (name: string, text: string) => {
    files[name] = Buffer.from(masked(text))
  }
  let data: string | undefined
  try {
    add('configuration.yaml', maskedText(await readFile(file, 'utf8')))
    data = loadConfig(file).data
    add('configuration-problems.txt', 'none\n')
  } catch (error) {
    add('configuration-problems.txt', `${errorText(error)}\n`)
  }
  const now = Math.round(performance.timeOrigin + performance.now())
  const versions = { twinline: programVersion(), nodejs: process.versions.node, running: false }
  const disk = await machine(data ?? dirname(file)).catch((error: unknown) => ({ disk: errorText(error) }))
  add('versions.json', `${JSON.stringify({ ...versions, ...disk }, undefined, 2)}\n`)
  const folder = data === undefined ? undefined : join(data, 'failover')
  const names = folder === undefined ? [] : await readdir(folder).catch(() => [])
  for (const name of names.sort().slice(-DAYS)) {
    if (folder !== undefined) add(`failover/${name}`, await readFile(join(folder, name), 'utf8'))
  }
  await writeFile(out, await zipped(files, now), { mode: 0o600 })
  console.error('The appliance does not run: add its log (journalctl -u twinline).')
}
