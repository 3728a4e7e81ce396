/** twinline restore: brings a backup back to the appliance of this machine, and says what becomes of what it had queued. */
import { createReadStream } from 'node:fs'
import { chown, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig, parseConfig } from '#config/load.ts'
import { isWritable, replaceOwnFile } from '#config/own-file.ts'
import { systemClock } from '#core/clock.ts'
import { CodedError } from '#core/errors.ts'
import type * as schemas from '#intake/http/backup-schemas.ts'
import { discard, stage, type Unpacked, unpackBackup } from '#store/restore.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { call } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTime, printable, printJson } from './print.ts'
import { askSecret } from './secret-prompt.ts'
import { ask, localTarget, problemText, targetsOf } from './target.ts'

const usage = `twinline restore FILE --config FILE [--configuration]
twinline restore status [--json]
twinline restore release send|cancel

restore looks at the backup first, and changes nothing when something is wrong with it. Then it is taken at the next
start; an appliance that runs starts anew at once. What was there before stays in the directory before-restore.
  --configuration   the configuration file comes back too
The passphrase is asked for, or is the first line of stdin.

What the backup had queued may have been sent since, so it is held back: in a pair until the members hold the same,
else until you say what becomes of it. What comes in meanwhile is sent as always.
  release send      all of it is sent, flagged as possible duplicates
  release cancel    none of it; each message can be retried

${connectionUsage}`

export async function restore(argv: string[]): Promise<number> {
  const options = { ...connectionOptions, configuration: { type: 'boolean' } } as const
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [what, which, ...rest] = positionals
  if (rest.length > 0 || (which !== undefined && what !== 'release'))
    throw new UsageError(`unexpected ${JSON.stringify(rest[0] ?? which)}`, usage)
  switch (what) {
    case undefined:
      throw new UsageError('give the file of a backup, or say status or release', usage)
    case 'status': {
      const state = await ask<schemas.RestoreState>(targetsOf(values, usage), {
        method: 'GET',
        path: '/restore',
      })
      if (values.json) printJson(state)
      else console.log(sentence(state))
      return exit.accepted
    }
    case 'release': {
      if (which !== 'send' && which !== 'cancel') throw new UsageError('say send or cancel', usage)
      return release(values, which)
    }
    default: {
      if (values.config === undefined || values.host !== undefined)
        throw new UsageError('a restore is of this machine: give --config FILE', usage)
      return fromFile(what, values.config, values.configuration === true)
    }
  }
}

function sentence({ held, deliveries, since, backupAt }: schemas.RestoreState): string {
  if (since === undefined || backupAt === undefined) return 'never restored'
  const when = `restored at ${localTime(since)} from a backup of ${localTime(backupAt)}`
  return held ? `${when}; ${deliveries} deliveries are held back` : `${when}; nothing is held back`
}

async function release(
  values: Parameters<typeof targetsOf>[0],
  deliveries: 'send' | 'cancel',
): Promise<number> {
  const [target] = targetsOf(values, usage)
  if (target === undefined) throw new UsageError('which appliance?', usage)
  const answer = await call(target, {
    method: 'POST',
    path: '/restore/release',
    body: JSON.stringify({ deliveries }),
  })
  if (answer.result === 'notSent')
    throw new Ended(exit.unreachable, `cannot reach ${target.name}: ${answer.reason}`)
  if (answer.result === 'unknown') throw new Ended(exit.unknown, `${target.name}: ${answer.reason}`)
  if (answer.status >= 300) throw new Ended(exit.refused, `${target.name}: ${problemText(answer)}`)
  return exit.accepted
}

async function fromFile(file: string, configFile: string, configuration: boolean): Promise<number> {
  const config = loadConfig(configFile)
  const passphrase = await askSecret('passphrase', usage)
  let unpacked: Unpacked
  try {
    unpacked = await unpackBackup(createReadStream(file), passphrase, config.data)
  } catch (error) {
    if (error instanceof CodedError) throw new Ended(exit.refused, error.message)
    throw error
  }
  try {
    const { manifest } = unpacked
    const text = configuration ? unpacked.configuration : undefined
    if (configuration && text === undefined)
      throw new Ended(exit.refused, 'the backup has no configuration file')
    if (text !== undefined) {
      const { data } = parseConfig(text, configFile)
      if (!isWritable(configFile))
        throw new Ended(exit.refused, `${configFile} cannot be replaced by this user; nothing was restored`)
      if (data !== config.data)
        throw new Ended(
          exit.refused,
          `its configuration keeps the data in ${data}, and here it is in ${config.data}: restore without --configuration, or set data first`,
        )
    } else if (manifest.node !== config.node) {
      throw new Ended(
        exit.refused,
        `this is a backup of ${manifest.node}, and this is ${config.node}: give --configuration, or restore it on ${manifest.node}`,
      )
    }
    await giveTo(config.data, unpacked.directory)
    await stage(unpacked, config.data)
    if (text !== undefined)
      replaceOwnFile(configFile, text, undefined, { author: 'restore', at: systemClock(0).now() })
    console.log(
      printable(`backup of ${manifest.node}, made ${localTime(new Date(manifest.at).toISOString())}: whole`),
    )
  } catch (error) {
    await discard(unpacked)
    throw error
  }
  const answer = await call(localTarget(config.data), { method: 'POST', path: '/restart' })
  console.log(
    answer.result === 'answer' && answer.status < 300
      ? 'the appliance starts anew with it now; twinline restore status says what is held back'
      : 'it is taken at the next start',
  )
  return exit.accepted
}

/** Files that root made in the service's directory would keep the service from starting. */
async function giveTo(data: string, directory: string): Promise<void> {
  const owner = await stat(data)
  if (process.getuid?.() !== 0 || owner.uid === 0) return
  for (const entry of await readdir(directory, { recursive: true })) {
    await chown(join(directory, entry), owner.uid, owner.gid)
  }
  await chown(directory, owner.uid, owner.gid)
}
