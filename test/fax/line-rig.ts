/** A fax line with its process before a soft modem, without a gateway around it. */
import { join } from 'node:path'
import { expect } from 'vitest'
import { faxRetryDefaults } from '#config/fax.ts'
import type { FaxLineConfig } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { CallInResult, ReceivedPage } from '#fax/contract.ts'
import type { PagesResult } from '#fax/documents/contract.ts'
import { createFaxLine, type FaxLine } from '#fax/fax-line.ts'
import type { Transmission } from '#lines/contract.ts'
import { newDelivery } from '#messages/message.ts'
import { programAt, type SoftModem, type SoftModemOptions, startSoftModem } from '../fax-modem/soft-modem.ts'
import { messageOf } from '../messages/message-of.ts'
import { realTimePriority, SPEED } from '../system/fax-rig.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export const answer = { rings: 2, distinctive: [], callers: [], maxPages: 500, maxDuration: 7_200_000 }

/** What the line was heard to do. */
export interface Heard {
  said: string[]
  pages: ReceivedPage[]
  results: CallInResult[]
}

export interface LineSetting {
  directory: string
  /** Every document comes to these pages. */
  file: () => string
  heard: Heard
  soft?: Partial<SoftModemOptions>
  line?: Partial<FaxLineConfig>
  /** How long its process may say nothing, ms. */
  silence?: number
  speed?: number
}

/** Resolves once the line is ready. */
export async function startLine(setting: LineSetting): Promise<{ modem: SoftModem; line: FaxLine }> {
  const { directory, file, heard, soft, silence = 10_000, speed = SPEED } = setting
  const modem = await startSoftModem({ directory, speed, ringEvery: 1, realTimePriority, ...soft })
  const config: FaxLineConfig = {
    id: 'fax0',
    kind: 'fax',
    port: { scheme: 'serial', path: modem.port, baud: 115_200, rtscts: false },
    disabled: false,
    class: 'auto',
    header: false,
    station: '+49 30 1',
    ecm: true,
    maxRate: 14400,
    resolution: 'fine',
    answer,
    dial: { prefix: '0,', country: '49', international: '00', national: '0' },
    retry: faxRetryDefaults,
    doNotDial: [],
    priority: 100,
    ...setting.line,
  }
  const memory = new Map<string, string>()
  const { program, environment } = programAt(speed)
  // Its process gets what this one has.
  Object.assign(process.env, environment)
  const line = createFaxLine(config, {
    node: 'a',
    clock: systemClock(0),
    log: silent,
    events: { ready: () => heard.said.push('ready'), down: (_, { code }) => heard.said.push(`down ${code}`) },
    memory: {
      recall: async (name) => memory.get(name),
      remember: async (name, value) => void memory.set(name, value),
    },
    documents: {
      pages: async (document): Promise<PagesResult> => ({
        result: 'pages',
        hash: '',
        file: file(),
        pages: document.pages,
        resolution: 196,
        release: async () => {},
      }),
    },
    receiver: {
      begin: () => ({
        keep: async (page) => void heard.pages.push(page),
        end: async (result) => void heard.results.push(result),
      }),
      start: () => {},
      stop: () => {},
    },
    silence,
    main: program ?? main,
  })
  line.start()
  await expect.poll(() => line.status(), { timeout: 30_000 }).toMatchObject({ state: 'ready' })
  return { modem, line }
}

/** A message of so many pages. @param said gets each step that the line takes */
export function transmission(said: string[], pages: number): Transmission {
  const message = messageOf({
    document: { hash: 'a'.repeat(64), type: 'tiff', name: 'x.tif', bytes: 1, pages },
  })
  return {
    message,
    delivery: newDelivery(message, 0, '+49 30 555', 'fax', pages),
    from: 0,
    concatenation: 0,
    intend: async (part, step) => void said.push(`intend ${part} ${step ?? 'dial'}`),
    stop: () => undefined,
    confirmed: (part) => said.push(`confirmed ${part}`),
    accepted: () => said.push('accepted'),
    yield: () => false,
    signal: new AbortController().signal,
    recorded: () => Promise.resolve(),
  }
}
