/**
 * Measures other gateways on the same simulated modems as ours, and prints one JSON line a figure.
 *
 *   node test/bench/peers/main.ts [--peers smstools,gammu-smsd,Kannel] [--settings default,tuned] [--lines 1,4,16]
 *                                 [--seconds 30] [--directory DIR]
 *
 * Needs root for nothing but the Debian packages: apt-get install smstools gammu-smsd kannel socat. A peer that is not
 * installed is named and skipped. Each run ends after --seconds of sending at the latest, whatever the peer has done.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type LineFigures, lineFigures, machine, printRow, type Sending, usage } from '../measure.ts'
import { type Modems, startModems } from '../modems.ts'
import { gammu } from './gammu.ts'
import { kannel } from './kannel.ts'
import { end, ended, type Peer, type RunningPeer, type Settings, type Text, versionOf } from './peer.ts'
import { smstools } from './smstools.ts'

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: 'smstools,gammu-smsd,Kannel' },
    settings: { type: 'string', default: 'default,tuned' },
    lines: { type: 'string', default: '1,4,16' },
    seconds: { type: 'string', default: '30' },
    directory: { type: 'string', default: '.' },
  },
})

/** Sending begins within this, or the run is given up. */
const beginMs = 60_000

interface Run {
  peer: Peer
  settings: Settings
  lines: number
  networkMs: number
  queued: number
}

type Measure = (run: Run, modems: Modems, running: RunningPeer) => Promise<void>

const seconds = Number(values.seconds)
const base = mkdtempSync(join(resolve(values.directory), 'twinline-peers-'))
const on = machine(base)

async function everything(): Promise<void> {
  const wanted = values.peers.toLowerCase().split(',')
  for (const peer of [smstools, gammu, kannel].filter(({ name }) => wanted.includes(name.toLowerCase()))) {
    if (!existsSync(peer.program)) {
      process.stderr.write(`${peer.name}: not installed, skipped (apt-get install ${peer.packageName})\n`)
      continue
    }
    for (const settings of (['default', 'tuned'] as const).filter((name) => values.settings.includes(name))) {
      for (const lines of values.lines.split(',').map(Number)) {
        const perLine = Math.ceil(seconds / 2) + 2
        await attempt({ peer, settings, lines, networkMs: 2_000, queued: lines * perLine }, busy)
        await attempt({ peer, settings, lines, networkMs: 0, queued: Math.min(1_000, 100 * seconds) }, fast)
      }
    }
    await attempt({ peer, settings: 'tuned', lines: 1, networkMs: 600_000, queued: 1 }, accepting)
  }
}

/** One run in a directory of its own; a peer that fails is reported and the next run begins. */
async function attempt(run: Run, measure: Measure): Promise<void> {
  const directory = mkdtempSync(join(base, 'run-'))
  const home = join(directory, 'peer')
  mkdirSync(home)
  const modems = await startModems(join(directory, 'modems'), run.lines, {
    network: String(run.networkMs),
    reports: 'none',
  })
  try {
    const { peer, settings } = run
    const queued = texts(run.queued)
    const running = await peer.start({ directory: home, ports: modems.ports, settings, queued })
    try {
      await measure(run, modems, running)
    } finally {
      for (const child of running.children.toReversed()) await end(child)
    }
  } catch (error) {
    const { peer, settings, lines, networkMs } = run
    const failed = { subject: peer.name, settings, lines, networkMs, because: String(error) }
    process.stderr.write(`${JSON.stringify({ failed })}\n`)
  } finally {
    await modems.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function texts(count: number): Text[] {
  return Array.from({ length: count }, (_, index) => ({
    to: `+4915100${String(index % 100_000).padStart(5, '0')}`,
    text: `Alert ${index}: pump 3 in station 12 has stopped`,
  }))
}

/** Waits for the first answer, then lets it work until everything is sent or the time is over. */
async function work(
  run: Run,
  modems: Modems,
  running: RunningPeer,
): Promise<{ cpuS: number; rss: number; sent: number }> {
  const pids = running.children.map(({ pid }) => pid ?? 0)
  const already = await answered(1, beginMs, modems, running)
  if (already === 0) throw new Error(`nothing was sent within ${beginMs} ms`)
  const before = usage(pids)
  const sent = (await answered(run.queued, seconds * 1_000, modems, running)) - already
  const after = usage(pids)
  return { cpuS: after.cpuS - before.cpuS, rss: after.rss, sent }
}

/** Waits for so many answers, or for the time. @returns how many there are */
async function answered(
  count: number,
  withinMs: number,
  modems: Modems,
  running: RunningPeer,
): Promise<number> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const now = await modems.count()
    if (now >= count || performance.now() > deadline) return now
    if (running.children.some(ended)) throw new Error('it has ended by itself')
    await pause(100)
  }
}

/** A network that takes 2 s: is a line ever idle, and what does the waiting cost? */
async function busy(run: Run, modems: Modems, running: RunningPeer): Promise<void> {
  const cost = await work(run, modems, running)
  const { record, violations } = await modems.record()
  const figures = steady(record, run)
  const under = {
    lines: run.lines,
    networkMs: run.networkMs,
    messages: figures.messages,
    steadyS: figures.steadyS,
  }
  const print = printer(run, under)
  print('network utilisation', figures.utilisation * 100, '%')
  print('own time a message', { ...figures.ownMs }, 'ms')
  print('CPU per 1,000 messages', (cost.cpuS / Math.max(1, cost.sent)) * 1_000, 's')
  print('resident memory', cost.rss / 1e6, 'MB')
  if (violations.length > 0) print('violations of 3GPP TS 27.005', violations.length, 'count')
}

/** A network that answers at once: how many messages a second get through? */
async function fast(run: Run, modems: Modems, running: RunningPeer): Promise<void> {
  await work(run, modems, running)
  const { record } = await modems.record()
  const figures = steady(record, run)
  const under = {
    lines: run.lines,
    networkMs: run.networkMs,
    messages: figures.messages,
    wallS: figures.wallS,
  }
  printer(run, under)('messages a second', figures.perSecond, '1/s')
}

/** Modems that never answer in time: how fast are messages taken? */
async function accepting(run: Run, _modems: Modems, running: RunningPeer): Promise<void> {
  const batch = texts(run.peer.acceptCount)
  const start = performance.now()
  await running.accept(batch)
  const rate = batch.length / ((performance.now() - start) / 1_000)
  printer(run, { messages: batch.length, by: run.peer.acceptsBy })('accept rate', rate, '1/s')
}

function steady(record: readonly Sending[], run: Run): LineFigures {
  const figures = lineFigures(record, run.lines)
  if (figures === undefined) throw new Error(`${record.length} messages: nothing to measure`)
  return figures
}

function printer(run: Run, under: Record<string, string | number>) {
  const subject = `${run.peer.name} ${versionOf(run.peer.packageName)}`
  return (figure: string, value: number | Record<string, number>, unit: string) =>
    printRow({ figure, subject, settings: run.settings, value, unit, under }, on)
}

try {
  await everything()
} finally {
  rmSync(base, { recursive: true, force: true })
}
