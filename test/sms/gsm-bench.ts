/** A GSM line before a simulated modem, over TCP or a pty, with everything that the line reports written down. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GsmLineConfig, PortAddress } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { LineMemory, LineState, StatusReport, Transmission } from '#lines/contract.ts'
import { loadProfiles, type Profiles } from '#lines/profile.ts'
import type { InboundPart } from '#messages/inbound.ts'
import type { Delivery } from '#messages/message.ts'
import { newDelivery } from '#messages/message.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'
import { SimulatedModem } from '#simulator/modem.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, servePty, serveTcp } from '#simulator/serve.ts'
import { createGsmLine, type GsmLine } from '#sms/gsm-line.ts'
import { messageOf } from '../messages/message-of.ts'

const shipped = join(import.meta.dirname, '../../firmware-config/modems')

/** The generic profile as shipped, with lines of it replaced. */
function profilesWith(directory: string, changes: Record<string, string>): Profiles {
  mkdirSync(directory)
  let text = readFileSync(join(shipped, 'generic.yaml'), 'utf8')
  for (const [key, line] of Object.entries(changes)) {
    const start = new RegExp(`^${key}:.*(\\n  .*)*$`, 'm')
    text = start.test(text) ? text.replace(start, () => line) : `${text}\n${line}\n`
  }
  writeFileSync(join(directory, 'generic.yaml'), text)
  return loadProfiles(directory)
}

export function memoryOf(known: Map<string, string>): LineMemory {
  return {
    recall: (name) => Promise.resolve(known.get(name)),
    remember: (name, value) => {
      known.set(name, value)
      return Promise.resolve()
    },
  }
}

export interface Bench {
  modem: SimulatedModem
  line: GsmLine
  known: Map<string, string>
  inbound: Omit<InboundPart, 'node'>[]
  reports: StatusReport[]
  calls: string[]
  downs: Reason[]
  logged: string[]
  /** Set it to make the store refuse what arrives. */
  refuse: { inbound: boolean }
  ready(): Promise<void>
  state(wanted: LineState): Promise<void>
  send(text: string, options?: SendOptions): Promise<Outcome>
  /** Takes a second line to the same modem, as after a restart of the program. */
  again(): GsmLine
  stop(): Promise<void>
}

export interface SendOptions {
  to?: string
  from?: number
  concatenation?: number
  intend?: (part: number) => Promise<void>
  stop?: () => Reason | undefined
  yield?: () => boolean
  confirmed?: number[]
}

export interface BenchOptions {
  over?: 'tcp' | 'pty'
  modem?: Record<string, string>
  line?: Partial<GsmLineConfig>
  known?: Map<string, string>
  start?: boolean
  /** Lines of the generic profile to replace, by key. */
  profile?: Record<string, string>
}

/** Deadlines short enough for a test that waits for them. */
export const hasty = { timeouts: 'timeouts: { command: 1s, prompt: 1s, submit: 2s, boot: 5s, network: 10s }' }

/** Polls, because what is waited for is a state and not an event; fails the test when it never comes. */
export async function until(what: string, holds: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it never came to: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const modemOptions = parseModemOptions(options.modem ?? {})
  if (isProblem(modemOptions)) throw new Error(modemOptions.problem)
  const modem = new SimulatedModem(modemOptions)
  const directory = mkdtempSync(join(tmpdir(), 'twinline-line-'))
  const served =
    options.over === 'pty' ? await servePty(modem, join(directory, 'line0')) : await serveTcp(modem)
  const port = addressOf(served, directory)
  const config: GsmLineConfig = {
    id: 'gsm0',
    kind: 'gsm',
    port,
    reports: true,
    concatenation: 8,
    disabled: false,
    ...options.line,
  }
  const clock = systemClock(0)
  const profiles = options.profile
    ? profilesWith(join(directory, 'modems'), options.profile)
    : loadProfiles(shipped)
  const known = options.known ?? new Map<string, string>()
  const inbound: Omit<InboundPart, 'node'>[] = []
  const reports: StatusReport[] = []
  const calls: string[] = []
  const downs: Reason[] = []
  const logged: string[] = []
  const refuse = { inbound: false }
  const say = (fields: object, text: string) => logged.push(`${text} ${JSON.stringify(fields)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log }
  const make = (): GsmLine =>
    createGsmLine(config, {
      node: 'a',
      clock,
      log,
      memory: memoryOf(known),
      profiles,
      events: {
        ready: () => {},
        down: (_line, reason) => downs.push(reason),
        inbound: async (part) => {
          if (refuse.inbound) throw new Error('the disk is full')
          inbound.push(part)
        },
        report: async (report) => {
          reports.push(report)
        },
        call: (_line, from) => calls.push(from),
      },
    })
  const line = make()
  const state = (wanted: LineState) =>
    until(`line is ${wanted}`, () => line.status().state === wanted).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${JSON.stringify(line.status())}\n${logged.join('\n')}`)
    })
  if (options.start !== false) line.start()
  return {
    modem,
    line,
    known,
    inbound,
    reports,
    calls,
    downs,
    logged,
    refuse,
    state,
    ready: () => state('ready'),
    send: (text, send) => line.transmit(transmission(text, send)),
    again: make,
    stop: async () => {
      await line.stop()
      await served.stop()
      modem.stop()
      modem.network.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function addressOf(served: Served, directory: string): PortAddress {
  const tcp = /^tcp:\/\/127\.0\.0\.1:(\d+)$/.exec(served.address)
  return tcp
    ? { scheme: 'tcp', host: '127.0.0.1', port: Number(tcp[1]) }
    : { scheme: 'serial', path: join(directory, 'line0'), baud: 115_200, rtscts: false }
}

export function transmission(text: string, options: SendOptions = {}): Transmission {
  const message = messageOf({ id: 'message', at: Date.now(), node: 'a', text, validity: 1_800_000 })
  const delivery: Delivery = newDelivery(message, 0, options.to ?? '+491701234567', 'sms', 1)
  return {
    message,
    delivery,
    from: options.from ?? 0,
    concatenation: options.concatenation ?? 7,
    intend: options.intend ?? (() => Promise.resolve()),
    stop: options.stop ?? (() => undefined),
    confirmed: (part) => options.confirmed?.push(part),
    accepted: () => options.confirmed?.push(-1),
    yield: options.yield ?? (() => false),
    signal: new AbortController().signal,
    recorded: () => Promise.resolve(),
  }
}
