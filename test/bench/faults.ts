/**
 * Modems that misbehave while two lines work: mute for a minute, a reset in mid-transmission, a full SIM. What counts is
 * when the other line takes over, when the own line is back, and that nothing is lost.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork, type Submission } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, servePty } from '#simulator/serve.ts'
import { startAppliance, until } from '../system/appliance.ts'
import type { Bench } from './bench.ts'
import { alert, postMessages } from './load.ts'

interface Field {
  network: SimulatedNetwork
  modems: SimulatedModem[]
  send(count: number): Promise<void>
  stop(): Promise<void>
}

async function field(bench: Bench, lines: number, options: Record<string, string>): Promise<Field> {
  const directory = bench.directory()
  const network = new SimulatedNetwork()
  const modems: SimulatedModem[] = []
  const served: Served[] = []
  for (let line = 0; line < lines; line++) {
    const parsed = parseModemOptions({ network: '500', reports: 'none', boot: '1000', ...options }, line)
    if (isProblem(parsed)) throw new Error(parsed.problem)
    const modem = new SimulatedModem(parsed, undefined, network, `line${line}`)
    modems.push(modem)
    served.push(await servePty(modem, join(directory, `line${line}`)))
  }
  const box = await startAppliance({
    directory: join(directory, 'box'),
    ports: served.map(({ address }) => address),
  })
  await box.ready(lines)
  const token = await box.token()
  return {
    network,
    modems,
    async send(count) {
      await postMessages(box.address, token, { connections: 4, count, withinMs: 10_000, body: alert })
    },
    async stop() {
      await box.kill('SIGKILL')
      for (const modem of modems) modem.stop()
      for (const one of served) await one.stop()
    },
  }
}

const nowNs = () => Number(process.hrtime.bigint())
const seconds = (fromNs: number, to: Submission | undefined) =>
  to ? (to.commandAt - fromNs) / 1e9 : Number.NaN
const firstAfter = (network: SimulatedNetwork, ns: number, modem: string) =>
  network.submissions.find((one) => one.modem === modem && one.commandAt > ns)

async function mute(bench: Bench): Promise<void> {
  const { network, modems, send, stop } = await field(bench, 2, {})
  try {
    const muteMs = 60_000
    await send(400)
    await pause(2_250)
    modems[0]?.mute(muteMs, 'lost')
    const mutedAt = nowNs()
    await pause(muteMs)
    const backAt = nowNs()
    await until(() => firstAfter(network, backAt, 'line0') !== undefined, 'the muted line again', 60_000)
    bench.print({
      figure: 'modem mute for 60 s',
      value: {
        otherLineNextS: seconds(mutedAt, firstAfter(network, mutedAt, 'line1')),
        ownLineBackS: seconds(backAt, firstAfter(network, backAt, 'line0')),
      },
      unit: 's',
      under: { lines: 2, networkMs: 500 },
      reach: 'other line at once; own line ≤ 2 s after the modem',
    })
  } finally {
    await stop()
  }
}

async function reset(bench: Bench): Promise<void> {
  const { network, modems, send, stop } = await field(bench, 1, {})
  try {
    await send(60)
    await pause(2_250)
    modems[0]?.reset('lost')
    const resetAt = nowNs()
    await until(() => firstAfter(network, resetAt, 'line0') !== undefined, 'the line again', 60_000)
    const back = seconds(resetAt, firstAfter(network, resetAt, 'line0'))
    const under = { lines: 1, networkMs: 500, modemBootMs: 1_000 }
    bench.print({ figure: 'modem reset in mid-transmission', value: back, unit: 's', under, reach: '≤ 5' })
  } finally {
    await stop()
  }
}

async function simFull(bench: Bench): Promise<void> {
  const { network, modems, send, stop } = await field(bench, 1, {
    sm: '20',
    me: '20',
    smUsed: '20',
    meUsed: '20',
  })
  try {
    await until(() => modems[0]?.state().stores.SM === 0, 'the SIM swept', 60_000)
    await send(4)
    await until(
      () => network.submissions.filter(({ answeredAt }) => answeredAt > 0).length >= 4,
      'four sent',
      30_000,
    )
    const { SM, ME } = modems[0]?.state().stores ?? { SM: -1, ME: -1 }
    const under = { lines: 1, capacity: 20 }
    bench.print({
      figure: 'messages left in a full SIM and modem',
      value: { SM, ME },
      unit: 'count',
      under,
      reach: 'swept',
    })
  } finally {
    await stop()
  }
}

export async function faultRows(bench: Bench): Promise<void> {
  await mute(bench)
  await reset(bench)
  await simFull(bench)
}
