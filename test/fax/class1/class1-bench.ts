/** A Class 1 driver of ours before a soft modem: a serial port, the byte level, and everything that it reports. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openClass1 } from '#fax/class1/class1-modem.ts'
import type {
  CallInResult,
  CallOutEvents,
  CallOutResult,
  FaxModem,
  FaxSettings,
  ReceivedPage,
} from '#fax/contract.ts'
import { ModemPort } from '#fax/modem-port.ts'
import { writeTiff } from '#fax/tiff.ts'
import type { Timing } from '#fax/timing.ts'
import { AtTrace, type TraceEntry } from '#lines/at-trace.ts'
import { type Port, portOpener } from '#lines/ports.ts'
import { type SoftModem, type SoftModemOptions, startSoftModem } from '../../fax-modem/soft-modem.ts'

export const settings: FaxSettings = { station: '+49 30 1234567', ecm: true, maxRate: 14400 }

export interface Driver {
  modem: FaxModem
  /** The dialogue, for a failed test. */
  dialogue(): string
  /** Resolves at the next RING. */
  rung(): Promise<void>
  close(): Promise<void>
}

/** @param time that of the soft modem */
export async function openDriver(
  path: string,
  time: Timing,
  own: FaxSettings,
  open: (port: ModemPort, own: FaxSettings) => FaxModem = openClass1,
): Promise<Driver> {
  const entries: Omit<TraceEntry, 'n'>[] = []
  const trace = new AtTrace()
  const add = trace.add.bind(trace)
  trace.add = (at, direction, text) => {
    entries.push({ at, direction, text })
    add(at, direction, text)
  }
  let ring = Promise.withResolvers<void>()
  let port: Port | undefined
  const modemPort: ModemPort = new ModemPort({
    write: (bytes) => port?.write(Buffer.from(bytes).toString('latin1')),
    timing: time,
    trace,
    line: (text) => {
      if (text.startsWith('RING')) ring.resolve()
    },
  })
  const opening = await portOpener(0)(
    { scheme: 'serial', path, baud: 115200, rtscts: false },
    { data: (chunk) => modemPort.feed(chunk), closed: () => modemPort.close() },
  )
  if (!('opened' in opening)) throw new Error(opening.why)
  port = opening.opened
  const opened = port
  await modemPort.command('ATE0', { within: 5_000 })
  return {
    modem: open(modemPort, own),
    dialogue: () => {
      const first = entries[0]?.at ?? 0
      return entries
        .map(({ at, direction, text }) => `${((at - first) / 1000).toFixed(2)} ${direction} ${text}`)
        .join('\n')
    },
    rung: async () => {
      await ring.promise
      ring = Promise.withResolvers<void>()
    },
    close: async () => {
      modemPort.close()
      await opened.close()
    },
  }
}

export interface Bench {
  directory: string
  soft: SoftModem
  driver: Driver
  stop(): Promise<void>
}

export async function openBench(
  options: Omit<SoftModemOptions, 'directory'>,
  own: FaxSettings = settings,
  open: (port: ModemPort, own: FaxSettings) => FaxModem = openClass1,
): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'class1-'))
  const soft = await startSoftModem({ seconds: 3_000, ...options, directory })
  const driver = await openDriver(soft.port, soft.timing, own, open)
  return {
    directory,
    soft,
    driver,
    async stop() {
      await driver.close()
      await soft.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export interface SendReport {
  result: CallOutResult
  confirmed: number[]
  intended: string[]
}

/** One call out. @param events replaces what is answered to the driver */
export async function sendFax(
  { modem }: Driver,
  file: string,
  pages: number,
  events: Partial<CallOutEvents> & { from?: number; signal?: AbortSignal } = {},
): Promise<SendReport> {
  const confirmed: number[] = []
  const intended: string[] = []
  const result = await modem.call(
    { number: '5551234', file, pages, from: events.from ?? 0 },
    {
      intend: (page, step) => {
        intended.push(`${step} ${page}`)
        return events.intend?.(page, step) ?? Promise.resolve(undefined)
      },
      confirmed: async (page) => {
        confirmed.push(page)
        await events.confirmed?.(page)
      },
      progress: (text) => events.progress?.(text),
    },
    events.signal ?? new AbortController().signal,
  )
  return { result, confirmed, intended }
}

export interface ReceiveReport {
  result: CallInResult
  pages: ReceivedPage[]
  /** Where they stand as TIFF. */
  file: string
}

/** Waits for a ring and answers it. */
export async function receiveFax(
  { modem, rung }: Driver,
  directory: string,
  signal = new AbortController().signal,
  keep: () => Promise<void> = () => Promise.resolve(),
): Promise<ReceiveReport> {
  const pages: ReceivedPage[] = []
  await rung()
  const result = await modem.answer(
    {
      progress: () => {},
      page: (page) => {
        pages.push(page)
        return keep()
      },
    },
    signal,
  )
  const file = join(directory, `received-${process.hrtime.bigint()}.tif`)
  if (pages.length > 0) {
    writeFileSync(
      file,
      writeTiff(pages.map(({ width, rows, resolution, data }) => ({ width, rows, resolution, data }))),
    )
  }
  return { result, pages, file }
}
