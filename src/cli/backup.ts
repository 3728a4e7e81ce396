/** twinline backup: everything that an appliance is, as one file under a passphrase, whether it runs or not. */
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { loadConfig } from '#config/load.ts'
import { CodedError } from '#core/errors.ts'
import { makeBackup } from '#store/backup.ts'
import { verifyBackup } from '#store/restore.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { call } from './client.ts'
import { download } from './download.ts'
import { programVersion } from './help.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { askSecret } from './secret-prompt.ts'
import { localTarget, targetsOf } from './target.ts'

const usage = `twinline backup --out FILE [--node NODE]

  --out FILE    where the backup goes; a file that is there is replaced when the new one is whole
  --node NODE   of another member of the pair

Holds the store, the keys by which other members know this appliance, documents, the failover log and the configuration
file. The passphrase is asked for, or is the first line of stdin; without it nobody can bring the backup back, so keep it
elsewhere. With --config it works whether the appliance runs or not. With --host it needs a token with the scope admin.

${connectionUsage}`

/** As the appliance wants it. */
const SHORTEST = 10

export async function backup(argv: string[]): Promise<number> {
  const options = { ...connectionOptions, out: { type: 'string' }, node: { type: 'string' } } as const
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const { out, node } = values
  if (out === undefined) throw new UsageError('where to? Give --out FILE', usage)
  const [target] = targetsOf(values, usage)
  if (target === undefined) throw new UsageError('which appliance?', usage)
  const passphrase = await askPassphrase(usage)
  const looked = (part: string) => verifyBackup(createReadStream(part), passphrase)
  const config = values.config === undefined ? undefined : loadConfig(values.config)
  const stopped =
    config !== undefined &&
    (await call(localTarget(config.data), { method: 'GET', path: '/status' })).result === 'notSent'
  if (stopped && node !== undefined)
    throw new Ended(exit.unreachable, 'this appliance does not run: ask another member of the pair')
  if (stopped && values.config !== undefined) await ofStopped(values.config, passphrase, out, looked)
  else
    await download(
      target,
      {
        method: 'POST',
        path: node === undefined ? '/backup' : `/backup?node=${encodeURIComponent(node)}`,
        body: JSON.stringify({ passphrase }),
      },
      out,
      looked,
    )
  const { size } = await stat(out)
  console.log(`${out}: ${(size / 1e6).toFixed(1)} MB, read back whole`)
  return exit.accepted
}

/** @throws UsageError */
async function askPassphrase(help: string): Promise<string> {
  const passphrase = await askSecret('passphrase', help)
  if (passphrase.length < SHORTEST)
    throw new UsageError(`the passphrase must have at least ${SHORTEST} characters`, help)
  return passphrase
}

async function ofStopped(
  file: string,
  passphrase: string,
  out: string,
  looked: (part: string) => Promise<void>,
): Promise<void> {
  const { data: directory, node } = loadConfig(file)
  const part = `${out}.part`
  try {
    const bytes = await makeBackup({
      directory,
      node,
      version: programVersion(),
      at: Math.round(performance.timeOrigin + performance.now()),
      passphrase,
      configuration: await readFile(file, 'utf8'),
    })
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(part, { mode: 0o600 }))
    await looked(part)
    await rename(part, out)
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof CodedError) throw new Ended(exit.refused, error.message)
    throw error
  }
}
