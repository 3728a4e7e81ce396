/** The real GSM line before a modem of a stranger (odd-modem.ts), over TCP or a terminal. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { GsmLineConfig } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { StatusReport } from '#lines/contract.ts'
import { loadProfiles, type Profiles } from '#lines/profile.ts'
import type { InboundPart } from '#messages/inbound.ts'
import type { Outcome } from '#messages/outcome.ts'
import { createGsmLine, type GsmLine } from '#sms/gsm-line.ts'
import { memoryOf, transmission, until } from './gsm-bench.ts'
import { type Oddities, OddModem } from './odd-modem.ts'

export const profiles = loadProfiles(join(import.meta.dirname, '../../firmware-config/modems'))

const generic = profiles.matching('', '')
/** Deadlines short enough for a test that waits for them. */
export const hasty: Profiles = {
  names: ['generic'],
  named: () => undefined,
  matching: () => ({
    ...generic,
    timeouts: { ...generic.timeouts, command: 1_000, prompt: 1_000, submit: 2_000 },
  }),
}
/** Set to wait as long as the shipped profiles do: two more minutes. */
export const soak = process.env['TWINLINE_SOAK'] !== undefined

export interface Odd {
  modem: OddModem
  line: GsmLine
  inbound: Omit<InboundPart, 'node'>[]
  reports: StatusReport[]
  logged: string[]
  /** ms from the start until it was ready. */
  ready(limitMs?: number): Promise<number>
  send(text: string, to?: string): Promise<Outcome & { references: number[] }>
}

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

export async function odd(
  oddities: Partial<Oddities> = {},
  over: 'tcp' | 'pty' | 'later' = 'tcp',
  known: Profiles = profiles,
): Promise<Odd> {
  const modem = new OddModem(oddities)
  const port = await modem.listen()
  opened.push(() => modem.stop())
  if (over === 'later') await modem.vanish()
  const inbound: Odd['inbound'] = []
  const reports: StatusReport[] = []
  const logged: string[] = []
  const say = (fields: object, text: string) => logged.push(`${text} ${JSON.stringify(fields)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log }
  const config: GsmLineConfig = {
    id: 'gsm0',
    kind: 'gsm',
    port:
      over === 'pty'
        ? { scheme: 'serial', path: await terminal(port), baud: 115_200, rtscts: false }
        : { scheme: 'tcp', host: '127.0.0.1', port },
    reports: true,
    concatenation: 8,
    disabled: false,
  }
  const line = createGsmLine(config, {
    node: 'a',
    clock: systemClock(0),
    log,
    profiles: known,
    memory: memoryOf(new Map()),
    events: {
      ready: () => {},
      down: () => {},
      inbound: async (part) => void inbound.push(part),
      report: async (report) => void reports.push(report),
      call: () => {},
    },
  })
  opened.push(() => line.stop())
  const started = performance.now()
  line.start()
  return {
    modem,
    line,
    inbound,
    reports,
    logged,
    ready: async (limitMs = 10_000) => {
      await until('ready', () => line.free(), limitMs).catch((error: unknown) => {
        const dialogue = line.dialogue().map(({ direction, text }) => `${direction} ${text}`)
        throw new Error(`${String(error)}\n${JSON.stringify(line.status())}\n${dialogue.join('\n')}`)
      })
      return performance.now() - started
    },
    send: async (text, to = '+491701234567') => {
      const references: number[] = []
      const outcome = await line.transmit({
        ...transmission(text, { to }),
        confirmed: (_part, reference) => void references.push(reference),
        accepted: (reference) => void references.push(reference),
      })
      return { ...outcome, references }
    },
  }
}

/** A pseudo terminal whose other side is the modem's socket. */
async function terminal(port: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-odd-'))
  const path = join(directory, 'tty')
  const child: ChildProcess = spawn(
    'socat',
    [`PTY,link=${path},raw,echo=0,wait-slave`, `TCP:127.0.0.1:${port}`],
    {
      stdio: 'ignore',
    },
  )
  opened.push(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    }
    rmSync(directory, { recursive: true, force: true })
  })
  await until('a terminal', () => existsSync(path))
  return path
}
