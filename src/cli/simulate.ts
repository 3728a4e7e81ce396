/** `twinline simulate`: virtual modems on ptys or TCP ports, to try, to test and to measure with. */
import { createWriteStream, type WriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { serveControl } from '#simulator/control.ts'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import {
  describeOptions,
  isProblem,
  type ModemOptions,
  optionNames,
  parseModemOptions,
} from '#simulator/options.ts'
import { type Served, servePty, serveTcp } from '#simulator/serve.ts'
import { parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'

const ownOptions = {
  lines: { type: 'string' },
  pty: { type: 'string' },
  tcp: { type: 'boolean' },
  control: { type: 'string' },
  record: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const usage = `twinline simulate [--lines N] [--pty DIR | --tcp] [--control PORT] [--record FILE] [MODEM OPTIONS]

Runs simulated GSM modems until Ctrl-C and prints the address of each, ready for \`port\` in a configuration.
  --lines 1         how many modems
  --pty DIR         on ptys DIR/line0, DIR/line1 … (needs socat)
  --tcp             on TCP ports of the loopback (the default)
  --control PORT    take JSON commands there, 0 for any free port (see src/simulator/control.ts)
  --record FILE     append every submission and violation as a line of JSON
  --json            print the addresses as JSON

Modem options, for all modems (IMEI, IMSI, ICCID, number and seed count up by themselves):
${describeOptions()
  .map(({ name, meaning, allowed, usual }) => {
    return `  ${`--${name}`.padEnd(17)} ${meaning}: ${allowed}${usual === '' ? '' : ` [${usual}]`}`
  })
  .join('\n')}`

/** @returns the exit code, after Ctrl-C */
export async function simulate(argv: string[]): Promise<number> {
  const modemFlags = Object.fromEntries(optionNames.map((name) => [name, { type: 'string' as const }]))
  const { values, positionals } = parseArguments(argv, { ...modemFlags, ...ownOptions }, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  if (values.pty !== undefined && values.tcp)
    throw new UsageError('--pty and --tcp exclude each other', usage)
  const lines = wholeNumber('lines', values.lines ?? '1', 1, 256)
  const controlPort =
    values.control === undefined ? undefined : wholeNumber('control', values.control, 0, 65_535)
  const given = new Map<string, unknown>(Object.entries(values))
  const record: Record<string, string> = {}
  for (const name of optionNames) {
    const value = given.get(name)
    if (typeof value === 'string') record[name] = value
  }
  const network = new SimulatedNetwork()
  const modems = Array.from({ length: lines }, (_, line) => {
    return new SimulatedModem(readOptions(record, line), undefined, network, `line${line}`)
  })
  const stops: (() => void | Promise<void>)[] = []
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
    for (const modem of modems) modem.stop()
    network.stop()
  }
  // Heard from the start, so that Ctrl-C while ptys are being made leaves none behind.
  const ended = interrupted()
  try {
    if (values.record !== undefined) stops.push(recordTo(values.record, network))
    const served: Served[] = []
    for (const modem of modems) {
      const at = values.pty === undefined ? undefined : resolve(values.pty, modem.name)
      const one = at === undefined ? await serveTcp(modem) : await servePty(modem, at)
      stops.push(() => one.stop())
      served.push(one)
    }
    const controlled =
      controlPort === undefined ? undefined : await serveControl(modems, network, controlPort)
    if (controlled !== undefined) stops.push(controlled.stop)
    print(served, controlled?.port, values.json === true)
    await ended
    return exit.accepted
  } finally {
    await stopAll()
  }
}

function readOptions(record: Record<string, string>, line: number): ModemOptions {
  const own = line === 0 ? record : withoutIdentity(record)
  const options = parseModemOptions(own, line)
  if (isProblem(options))
    throw new UsageError(`--${options.option}: ${options.problem}; allowed: ${options.allowed}`, usage)
  return options
}

/** What tells modems apart goes to the first one only. */
function withoutIdentity(record: Record<string, string>): Record<string, string> {
  const { imei: _imei, imsi: _imsi, iccid: _iccid, number: _number, ...rest } = record
  return rest
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`, usage)
}

function print(served: readonly Served[], controlPort: number | undefined, json: boolean): void {
  const addresses = served.map(({ address }) => address)
  if (json) {
    console.log(
      JSON.stringify({ lines: addresses, ...(controlPort === undefined ? {} : { control: controlPort }) }),
    )
    return
  }
  for (const [line, address] of addresses.entries()) console.log(`line${line} ${address}`)
  if (controlPort !== undefined) console.log(`control 127.0.0.1:${controlPort}`)
}

function recordTo(file: string, network: SimulatedNetwork): () => Promise<void> {
  const stream: WriteStream = createWriteStream(file, { flags: 'a' })
  stream.on('error', (error) => {
    console.error(`twinline: ${file} cannot be written: ${error.message}`)
  })
  network.onSubmission = (submission) =>
    void stream.write(`${JSON.stringify({ kind: 'submission', ...submission })}\n`)
  network.onViolation = (violation) =>
    void stream.write(`${JSON.stringify({ kind: 'violation', ...violation })}\n`)
  return () => new Promise((done) => stream.end(() => done()))
}

function interrupted(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done())
  })
}
