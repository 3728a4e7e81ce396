/** The figures by name. Each takes its own appliance and modems, and ends by itself. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../system/appliance.ts'
import { crashAgainAndAgain } from '../system/crash.ts'
import { answered, type Bench, queue, type Rig, type Setting, startRig } from './bench.ts'
import { faultRows } from './faults.ts'
import { alert, postMessages } from './load.ts'
import { lineFigures, quantiles, usage } from './measure.ts'

type Figure = (bench: Bench, lineCounts: readonly number[]) => Promise<void>

async function withRig<T>(bench: Bench, setting: Setting, body: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await startRig(bench, setting)
  try {
    return await body(rig)
  } finally {
    await rig.stop()
  }
}

/** A network that takes 2 s: is a line ever idle for our sake, and what does a message cost? */
async function busy(bench: Bench, setting: Setting) {
  return withRig(bench, { ...setting, idle: true }, async (rig) => {
    const count = setting.lines * (Math.ceil(bench.seconds / 2) + 1)
    await queue(rig, count)
    await enableLines(rig, setting.lines)
    // What starting costs is not what a message costs.
    await answered(rig, setting.lines, 30_000)
    const already = await rig.modems.count()
    const before = usage([rig.appliance.pid])
    await answered(rig, count, bench.seconds * 1_000 + 30_000)
    const after = usage([rig.appliance.pid])
    const { record, violations } = await rig.modems.record()
    const figures = lineFigures(record, setting.lines)
    if (!figures) throw new Error('no steady time')
    const cpuS = after.cpuS - before.cpuS
    return { figures, violations: violations.length, cpuS, sent: record.length - already }
  })
}

const utilisation: Figure = async (bench, lineCounts) => {
  for (const lines of lineCounts) {
    const { figures, cpuS, sent, violations } = await busy(bench, { lines, networkMs: 2_000 })
    const under = { lines, networkMs: 2_000, messages: figures.messages, violations }
    bench.print({
      figure: 'network utilisation',
      value: figures.utilisation * 100,
      unit: '%',
      under,
      reach: '≥ 99.9',
    })
    bench.print({
      figure: 'own time a message',
      value: { ...figures.ownMs },
      unit: 'ms',
      under,
      reach: 'p50 ≤ 1, p99 ≤ 5',
    })
    bench.print({
      figure: 'CPU per 1,000 messages',
      value: (cpuS / sent) * 1_000,
      unit: 's',
      under,
      reach: '≤ 1',
    })
  }
}

/** No network time at all: what the gateway itself can do, every intent durable. */
const throughput: Figure = async (bench, lineCounts) => {
  for (const lines of lineCounts) {
    const count = Math.min(10_000, 1_000 * bench.seconds)
    await withRig(bench, { lines, networkMs: 0, idle: true }, async (rig) => {
      await queue(rig, count, 64)
      await enableLines(rig, lines)
      const before = usage([rig.appliance.pid])
      await answered(rig, count, 60_000)
      const after = usage([rig.appliance.pid])
      const { record, violations } = await rig.modems.record()
      const figures = lineFigures(record, lines)
      if (!figures) throw new Error('no steady time')
      const { p50 } = bench.on.fsyncMs
      const reach = lines === 1 ? Math.min(1_000, 800 / (p50 + 0.2)) : 1_500
      const under = {
        lines,
        networkMs: 0,
        messages: figures.messages,
        fsyncP50: p50,
        violations: violations.length,
      }
      bench.print({
        figure: 'messages',
        value: figures.perSecond,
        unit: '1/s',
        under,
        reach: `≥ ${Math.round(reach)}`,
      })
      bench.print({
        figure: 'own time a message',
        value: { ...figures.ownMs },
        unit: 'ms',
        under,
        reach: 'p50 ≤ 1, p99 ≤ 5',
      })
      bench.print({
        figure: 'CPU a message',
        value: ((after.cpuS - before.cpuS) / count) * 1_000,
        unit: 'ms',
        under,
      })
    })
  }
}

const accept: Figure = async (bench) => {
  const connections = 64
  await withRig(bench, { lines: 1, networkMs: 2_000, idle: true }, async (rig) => {
    for (const [round, count] of [4_000, 40_000].entries()) {
      const load = await postMessages(rig.appliance.address, rig.token, {
        connections,
        count,
        withinMs: 60_000,
        body: alert,
      })
      const { p50, p99, max } = quantiles(load.latencies)
      const under = {
        connections,
        messages: load.accepted,
        refused: load.refused,
        round: round === 0 ? 'cold' : 'warm',
      }
      bench.print({
        figure: 'accepted over HTTP',
        value: load.accepted / load.wallS,
        unit: '1/s',
        under,
        reach: '≥ 4000',
      })
      bench.print({ figure: 'time to 202', value: { p50, p99, max }, unit: 'ms', under })
    }
  })
}

/** One message at a time on an idle line: from the 202 to AT+CMGS, on the machine's monotonic clock. */
const firstCommand: Figure = async (bench) => {
  await withRig(bench, { lines: 1, networkMs: 0 }, async (rig) => {
    const count = 300
    const acceptedAt: number[] = []
    for (let n = 0; n < count; n++) {
      await postMessages(rig.appliance.address, rig.token, {
        connections: 1,
        count: 1,
        withinMs: 5_000,
        body: alert,
      })
      acceptedAt.push(Number(process.hrtime.bigint()))
      await answered(rig, n + 1, 10_000)
      await pause(5)
    }
    const { record } = await rig.modems.record()
    const took = record.map(({ commandAt }, n) => Math.max(0, commandAt - (acceptedAt[n] ?? 0)) / 1e6)
    const { p50, p99, max } = quantiles(took)
    bench.print({
      figure: 'first AT+CMGS after accepted',
      value: { p50, p99, max },
      unit: 'ms',
      under: { lines: 1, messages: count },
      reach: 'p99 ≤ 20',
    })
  })
}

const memory: Figure = async (bench) => {
  const lines = 16
  await withRig(bench, { lines, networkMs: 2_000, environment: { NODE_OPTIONS: '' } }, async (rig) => {
    await pause(20_000)
    const idle = usage([rig.appliance.pid])
    const under = { lines, processes: idle.processes }
    bench.print({ figure: 'resident memory, idle', value: idle.rss / 1e6, unit: 'MB', under, reach: '≤ 130' })
    for (let n = 0; n < lines; n++) await rig.appliance.call('POST', `/api/v1/lines/gsm${n}/disable`)
    await fillQueue(rig, 1_000_000)
    await pause(20_000)
    const full = usage([rig.appliance.pid])
    const queued = { ...under, queued: 1_000_000 }
    bench.print({
      figure: 'resident memory, queue full',
      value: full.rss / 1e6,
      unit: 'MB',
      under: queued,
      reach: '≤ 160',
    })
  })
}

/** What one delivery costs with a short queue and with a long one: throughput and CPU, lines that never wait. */
const depthCost: Figure = async (bench) => {
  const lines = 4
  const sample = 6_000
  const cost: Record<string, { msWall: number; msCpu: number }> = {}
  for (const queued of [1_000, 1_000_000]) {
    await withRig(bench, { lines, networkMs: 0, idle: true }, async (rig) => {
      await fillQueue(rig, Math.max(queued, sample + 1_000))
      await enableLines(rig, lines)
      await answered(rig, 1_000, 30_000)
      const before = usage([rig.appliance.pid])
      await answered(rig, 1_000 + sample, 60_000)
      const after = usage([rig.appliance.pid])
      const { record } = await rig.modems.record()
      const figures = lineFigures(record.slice(1_000, 1_000 + sample), lines)
      const seen = Math.max(1, record.length - 1_000)
      cost[queued] = {
        msWall: 1_000 / (figures?.perSecond ?? Number.NaN),
        msCpu: ((after.cpuS - before.cpuS) / seen) * 1_000,
      }
    })
  }
  const few = cost['1000']
  const many = cost['1000000']
  if (!few || !many) throw new Error('a run is missing')
  const under = { lines, networkMs: 0, sample, wallMsFew: few.msWall, wallMsMany: many.msWall }
  bench.print({
    figure: 'cost of a delivery, 1,000,000 queued against 1,000',
    value: many.msWall / few.msWall,
    unit: '×',
    under,
    reach: '≤ 1.1',
  })
}

/** An SD card: every fsync takes 10 ms longer, and the modem's prompt 30 ms. */
const slowDisk: Figure = async (bench) => {
  const library = join(bench.directory(), 'slow-fsync.so')
  const source = join(import.meta.dirname, 'slow-fsync.c')
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`needs a C compiler (apt-get install gcc libc6-dev): ${made.stderr}`)
  for (const lines of [1, 4]) {
    const setting = { lines, networkMs: 2_000, promptMs: 30 }
    const fast = await busy(bench, setting)
    const slow = await busy(bench, { ...setting, environment: { LD_PRELOAD: library, SLOW_FSYNC_MS: '10' } })
    const under = { lines, networkMs: 2_000, promptMs: 30, messages: slow.figures.messages }
    const lost = (fast.figures.utilisation - slow.figures.utilisation) * 100
    bench.print({
      figure: 'network utilisation lost to +10 ms fsync',
      value: lost,
      unit: '%',
      under,
      reach: '≤ 0.2',
    })
    const p50 = slow.figures.ownMs.p50 - fast.figures.ownMs.p50
    const p99 = slow.figures.ownMs.p99 - fast.figures.ownMs.p99
    bench.print({
      figure: 'own time lost to +10 ms fsync',
      value: { p50, p99 },
      unit: 'ms',
      under,
      reach: '≤ 2',
    })
  }
  rmSync(library, { force: true })
}

/** One message at a time, report and all, so that nothing shares a transaction by luck. */
const written: Figure = async (bench) => {
  await withRig(
    bench,
    { lines: 1, networkMs: 0, reports: true, modemOptions: { reports: '20' } },
    async (rig) => {
      const count = 500
      const before = usage([rig.appliance.pid])
      for (let n = 0; n < count; n++) {
        await postMessages(rig.appliance.address, rig.token, {
          connections: 1,
          count: 1,
          withinMs: 5_000,
          body: alert,
        })
        await answered(rig, n + 1, 10_000)
        await pause(25)
      }
      await pause(2_000)
      const after = usage([rig.appliance.pid])
      const each = (after.written - before.written) / count / 1_000
      bench.print({
        figure: 'written to disk a message',
        value: each,
        unit: 'kB',
        under: { messages: count },
        reach: '≤ 64',
      })
    },
  )
}

const idle: Figure = async (bench) => {
  const lines = 16
  await withRig(bench, { lines, networkMs: 0 }, async (rig) => {
    await pause(10_000)
    const before = usage([rig.appliance.pid])
    const seconds = 60
    await pause(seconds * 1_000)
    const after = usage([rig.appliance.pid])
    const under = { lines, seconds }
    bench.print({
      figure: 'idle CPU',
      value: ((after.cpuS - before.cpuS) / seconds) * 100,
      unit: '% of a core',
      under,
      reach: '≤ 1',
    })
    const kB = (after.written - before.written) / 1_000
    bench.print({ figure: 'written while idle', value: kB, unit: 'kB', under })
  })
}

const crash: Figure = async (bench) => {
  const plan = { directory: bench.directory(), kills: 100, lines: 4, pty: true, random: Math.random }
  const account = await crashAgainAndAgain(plan)
  const reach = 'lost 0, unflagged 0, duplicated ≤ kills × lines'
  bench.print({
    figure: 'kill -9 at random moments',
    value: { ...account },
    unit: 'count',
    under: { lines: plan.lines },
    reach,
  })
}

export const figures: Readonly<Record<string, Figure>> = {
  utilisation,
  throughput,
  accept,
  firstCommand,
  memory,
  depthCost,
  slowDisk,
  written,
  idle,
  crash,
  faults: faultRows,
}

async function enableLines(rig: Rig, lines: number): Promise<void> {
  await Promise.all(
    Array.from({ length: lines }, (_, n) => rig.appliance.call('POST', `/api/v1/lines/gsm${n}/enable`)),
  )
}

/** Fills the queue with messages of 1,000 recipients, which is quicker than so many messages of one. */
async function fillQueue(rig: Rig, count: number): Promise<void> {
  const size = 1_000
  const load = await postMessages(rig.appliance.address, rig.token, {
    connections: 4,
    count: count / size,
    withinMs: 900_000,
    body: (n) => ({
      to: Array.from({ length: size }, (_, k) => `+4915${String(n * size + k).padStart(8, '0')}`),
      text: `Alert ${n}: pump 3 in station 12 has stopped`,
      validity: '7d',
    }),
  })
  if (load.refused > 0) throw new Error(`${load.refused} refused`)
  await until(async () => {
    const { body } = await rig.appliance.call('GET', '/api/v1/status')
    return JSON.stringify(body).includes('queued')
  }, 'the status')
}
