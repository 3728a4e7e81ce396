/** twinline witness: the third vote of any number of pairs, on any box that is neither of the two. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { parseListen } from '#config/values.ts'
import { monotonic } from '#core/clock.ts'
import { CodedError } from '#core/errors.ts'
import { startWitness } from '#pair/witness/server.ts'
import { parseArguments } from './arguments.ts'
import { Ended, exit, UsageError } from './outcome.ts'

const usage = `twinline witness --listen ADDRESS:PORT [--state FILE]

  --listen 0.0.0.0:8885   where it answers, over UDP
  --state FILE            its keys and the pairs that it knows (default: witness.json in $STATE_DIRECTORY or
                          ~/.local/state/twinline)

It needs no configuration and knows no messages: it only remembers which member of a pair holds the common address.
A pair makes itself known at its first contact. Run it on a box that fails neither with one member nor with the other.
SIGTERM or Ctrl-C stops it.`

const options = {
  listen: { type: 'string' },
  state: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

export async function witness(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  if (values.listen === undefined) throw new UsageError('say where it listens: --listen 0.0.0.0:8885', usage)
  const listen = parseListen(values.listen)
  if ('allowed' in listen) throw new UsageError(`--listen: ${listen.allowed}`, usage)
  const log = pino({
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  })

  const running = await startWitness({
    listen: listen.value,
    file: values.state ?? defaultState(),
    now: monotonic,
    log,
  }).catch((error: unknown) => {
    throw error instanceof CodedError ? new Ended(exit.refused, `cannot start: ${error.message}`) : error
  })
  const { listening, publicKey } = running
  log.info({ listening, publicKey }, 'the witness answers')
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  await running.stop()
  return exit.accepted
}

function defaultState(): string {
  const { STATE_DIRECTORY, XDG_STATE_HOME } = process.env
  const directory = STATE_DIRECTORY ?? join(XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'twinline')
  return join(directory, 'witness.json')
}
