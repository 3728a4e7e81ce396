/**
 * twinline run: one appliance in the foreground until it is told to stop. Without a configuration it is a trial: a
 * simulated modem, plain HTTP on loopback, and a few lines that say what to type next.
 */
import { flushCompileCache } from 'node:module'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { type Logger, pino } from 'pino'
import { loadConfig } from '#config/load.ts'
import { putBackOwnFile, ROLLBACK, trialUntil } from '#config/own-file.ts'
import { nodeName } from '#config/schema.ts'
import { sharedDefaults } from '#config/shared.ts'
import { ConfigInvalid } from '#config/source.ts'
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { CodedError, errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { type Recent, recentLines } from '#core/recent.ts'
import { superviseBySystemd } from '#notify/systemd.ts'
import { type Appliance, startAppliance } from '../app.ts'
import { parseArguments } from './arguments.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTarget } from './target.ts'
import { tokensOverHttp } from './token-access.ts'
import { trialBanner } from './trial.ts'

const usage = `twinline run [--config FILE] [--verbose]

  --config FILE   the configuration; without it a trial with a simulated modem, data in .twinline/
  --verbose       logs everything, whatever log.level says: above all each step of the synchronisation with the
                  other members (lines with "part":"replication")

SIGTERM or Ctrl-C stops it after what it is sending; a second one stops it at once. Logs go to stdout as JSON.`

const options = {
  config: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The name of the token that a trial shows; the one of the trial before is revoked. */
const TRIAL_TOKEN = 'trial'
const TRIAL_PORT = 8080

/** An appliance that has not stopped by then is not going to, ms. */
const STOP_MS = 30_000
/** A terminal's Ctrl-C reaches us twice under npm: once by itself and once passed on. */
const SAME_SIGNAL_MS = 1_000
/** Log lines that wait for a reader who does not read, bytes; beyond them lines are dropped. */
const LOG_BUFFER = 4_000_000

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  return serve({
    ...(values.config === undefined ? {} : { file: resolve(values.config) }),
    verbose: values.verbose === true,
  })
}

interface Wish {
  /** The configuration; absent in a trial. */
  file?: string
  verbose: boolean
}

interface Running {
  appliance: Appliance
  log: OwnLog
  /** Settles when the appliance is to be started anew. */
  anew: Promise<{ changed: boolean }>
}

/** Runs the appliance until something ends it; what asks for a new start gets one within this process. */
async function serve(wish: Wish): Promise<number> {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: LOG_BUFFER })
  const recent = recentLines()
  const write = (line: string) => {
    recent.add(line)
    destination.write(line)
  }
  let running: Running | undefined
  const ending = untilEnd(() => running?.log)
  const start = () => startOnce(wish, { write }, recent, ending.fail)
  if (wish.file !== undefined && (trialUntil(wish.file) ?? Number.POSITIVE_INFINITY) <= systemClock(0).now())
    putBackOwnFile(wish.file, rolledBack())
  try {
    running = await start()
  } catch (error) {
    // The changed file does not let it start: nobody could confirm it.
    if (wish.file === undefined || trialUntil(wish.file) === undefined) throw explained(error)
    running = await startWithFileBefore(wish.file, error, start)
  }
  const supervision = superviseBySystemd({
    healthy: () => running?.appliance.alive() ?? true,
    log: running.log,
  })
  supervision.ready()
  // Not only at its end, which a power cut leaves out: the start after that would be slow and large again.
  flushCompileCache()
  for (;;) {
    const { appliance, log, anew }: Running = running
    const next = await Promise.race([ending.promise, anew])
    if (typeof next === 'number') {
      supervision.stopping()
      await appliance.stop()
      log.info({}, 'stopped')
      return next
    }
    log.info({}, 'starting anew')
    running = undefined
    const late = setTimeout(() => process.exit(exit.refused), STOP_MS).unref()
    await appliance.stop()
    clearTimeout(late)
    // The heap would grow to twice what is needed before V8 collected the one that has just ended.
    globalThis.gc?.()
    try {
      running = await start()
    } catch (error) {
      if (wish.file === undefined || !next.changed) throw explained(error)
      running = await startWithFileBefore(wish.file, error, start)
    }
  }
}

const rolledBack = () => ({ author: ROLLBACK, at: systemClock(0).now() })

async function startWithFileBefore(
  file: string,
  error: unknown,
  start: () => Promise<Running>,
): Promise<Running> {
  console.error(`twinline: ${errorText(error)}`)
  console.error(`twinline: the configuration file before the last change is put back: ${file}`)
  putBackOwnFile(file, rolledBack())
  try {
    const running = await start()
    running.log.warn({ file }, `started with the file before its last change: ${errorText(error)}`)
    return running
  } catch (again) {
    throw explained(again)
  }
}

async function startOnce(
  { file, verbose }: Wish,
  stream: { write(line: string): void },
  recent: Recent,
  onFailure: (error: Error) => void,
): Promise<Running> {
  const config = file === undefined ? await trialConfig() : loadConfig(file)
  // A trial speaks to a person, who wants to see only what goes wrong.
  const log = openLog(config, verbose ? 'debug' : file === undefined ? 'warn' : undefined, stream)
  const { promise: anew, resolve: restart } = Promise.withResolvers<{ changed: boolean }>()
  const appliance = await startAppliance(config, {
    log,
    setLevel: log.setLevel,
    onFailure,
    recent: recent.lines,
    restart: (changed) => restart({ changed }),
    ...(file === undefined ? {} : { file }),
  })
  log.info({ addresses: appliance.addresses, pid: process.pid }, 'started')
  const setup = appliance.setupCode()
  if (file === undefined) {
    process.stdout.write(trialBanner(appliance.addresses[0] ?? '', await trialToken(config), setup))
  } else if (setup !== undefined) {
    // In the log and, whatever its level is, on the console: who reads either owns the box.
    const text = `no user exists yet: open ${appliance.addresses[0] ?? 'the panel'} and enter the setup code ${setup}`
    log.warn({}, text)
    console.error(`twinline: ${text}`)
  }
  return { appliance, log, anew }
}

/** Resolves with the exit code when a signal or a failure ends the run. */
function untilEnd(log: () => Log | undefined): { promise: Promise<number>; fail: (error: Error) => void } {
  const { promise, resolve } = Promise.withResolvers<number>()
  let first: number | undefined
  function end(code: number): void {
    // Whatever keeps the appliance from starting or stopping, or the process from ending, does so no longer than this.
    setTimeout(() => process.exit(exit.refused), STOP_MS).unref()
    resolve(code)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (first !== undefined && performance.now() - first > SAME_SIGNAL_MS) process.exit(exit.refused)
      first ??= performance.now()
      log()?.info({ signal }, 'stopping')
      end(exit.accepted)
    })
  }
  return {
    promise,
    fail(error) {
      log()?.error({ error: error.message }, 'cannot go on')
      console.error(`twinline: cannot go on: ${error.message}`)
      end(exit.refused)
    },
  }
}

interface OwnLog extends Log {
  setLevel(level: Config['log']['level']): void
}

/** @param fixed the level, whatever the settings say */
function openLog(
  { node, log: { level } }: Config,
  fixed: Config['log']['level'] | undefined,
  stream: { write(line: string): void },
): OwnLog {
  // A child keeps the level that it was made with, so each is told of another one.
  const children: Logger[] = []
  const log = pino(
    {
      level: fixed ?? level,
      base: { node },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Nobody logs these on purpose; this is for the day somebody logs a whole object.
      redact: ['pin', 'token', 'text', '*.pin', '*.token', '*.text', 'authorization', '*.authorization'],
      onChild: (child) => children.push(child),
    },
    stream,
  )
  return Object.assign(log, {
    setLevel(wanted: Config['log']['level']) {
      if (fixed !== undefined) return
      for (const each of [log, ...children]) each.level = wanted
    },
  })
}

async function trialConfig(): Promise<Config> {
  return {
    node: nodeName(hostname()),
    data: join(process.cwd(), '.twinline'),
    http: { listen: { host: '127.0.0.1', port: (await free(TRIAL_PORT)) ? TRIAL_PORT : 0 } },
    lines: [
      {
        id: 'gsm0',
        kind: 'gsm',
        // As a real network takes its time: two seconds to send, a moment more for the report.
        port: { scheme: 'sim', kind: 'gsm', options: { network: '2000', reports: '1000' } },
        reports: true,
        concatenation: 8,
        disabled: false,
      },
    ],
    ...sharedDefaults(),
    given: [],
  }
}

/** A new token in the place of the one that the trial before has shown. */
async function trialToken({ data }: Config): Promise<string> {
  const tokens = tokensOverHttp([localTarget(data)])
  for (const { id, name } of await tokens.list()) if (name === TRIAL_TOKEN) await tokens.revoke(id)
  return (await tokens.create(TRIAL_TOKEN, ['send', 'read'])).token
}

function free(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** What to do about the failures that a start can meet. */
const advice: Record<string, string> = {
  'address-in-use': 'Stop the other program, or choose another port.',
  'address-forbidden': 'Choose a port above 1023, or let the service manager give this right.',
  'data-in-use': 'Another twinline runs with this data directory: stop it, or give each one its own.',
  'data-newer': 'Install the newer twinline again, or restore a backup of this version.',
}

function explained(error: unknown): unknown {
  // A mistake in the configuration has words and an exit code of its own.
  if (!(error instanceof CodedError) || error instanceof ConfigInvalid) return error
  const hint = advice[error.code]
  return new Ended(exit.refused, `cannot start: ${errorText(error)}${hint === undefined ? '' : `. ${hint}`}`)
}
