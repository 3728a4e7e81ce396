/**
 * What every figure shares: a directory, an appliance on simulated modems, and a printed row.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type RunningAppliance, startAppliance, until } from '../system/appliance.ts'
import { alert, postMessages } from './load.ts'
import { type Machine, machine, printRow, type Row } from './measure.ts'
import { type Modems, startModems } from './modems.ts'

export interface Bench {
  on: Machine
  /** Seconds of sending in a run. */
  seconds: number
  /** Device files of somebody else's modems, instead of ours. */
  foreignPorts: readonly string[]
  print(row: Omit<Row, 'subject'>): void
  directory(): string
  end(): void
}

export function openBench(options: { directory: string; seconds: number; ports: readonly string[] }): Bench {
  const base = mkdtempSync(join(resolve(options.directory), 'twinline-bench-'))
  const on = machine(base)
  let runs = 0
  return {
    on,
    seconds: options.seconds,
    foreignPorts: options.ports,
    print: (row) => printRow({ subject: 'twinline', ...row }, on),
    directory() {
      const directory = join(base, `run${runs++}`)
      mkdirSync(directory)
      return directory
    },
    end: () => rmSync(base, { recursive: true, force: true }),
  }
}

export interface Setting {
  lines: number
  networkMs: number
  promptMs?: number
  reports?: boolean
  environment?: Record<string, string>
  /** Lines are switched off, so that what is accepted stays queued. */
  idle?: boolean
  modemOptions?: Record<string, string>
  /** More of the configuration, as YAML. */
  more?: string
}

export interface Rig {
  appliance: RunningAppliance
  modems: Modems
  token: string
  stop(): Promise<void>
}

/** An appliance on its modems, lines ready. */
export async function startRig(bench: Bench, setting: Setting): Promise<Rig> {
  const directory = bench.directory()
  const modems = await startModems(join(directory, 'modems'), setting.lines, {
    network: String(setting.networkMs),
    prompt: String(setting.promptMs ?? 0),
    reports: setting.reports ? '1000' : 'none',
    ...setting.modemOptions,
  })
  const appliance = await startAppliance({
    directory,
    ports: modems.ports.map((port) => `serial://${port}?baud=115200`),
    reports: setting.reports ?? false,
    ...(setting.more ? { more: setting.more } : {}),
    ...(setting.environment ? { environment: setting.environment } : {}),
  })
  await appliance.ready(setting.lines)
  if (setting.idle) {
    for (let n = 0; n < setting.lines; n++) await appliance.call('POST', `/api/v1/lines/gsm${n}/disable`)
  }
  return {
    appliance,
    modems,
    token: await appliance.token(),
    async stop() {
      await appliance.kill('SIGKILL')
      await modems.stop()
    },
  }
}

/** Queues messages over HTTP; they are being sent meanwhile. */
export async function queue(rig: Rig, count: number, connections = 16): Promise<void> {
  const { accepted } = await postMessages(rig.appliance.address, rig.token, {
    connections,
    count,
    withinMs: 600_000,
    body: alert,
  })
  if (accepted !== count) throw new Error(`${accepted} of ${count} accepted`)
}

/** Waits until the modems have answered so many messages, or the time is over. */
export async function answered(rig: Rig, count: number, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  await until(
    async () => performance.now() > deadline || (await rig.modems.count()) >= count,
    `${count} answers`,
    withinMs + 10_000,
  )
}
