/**
 * The yardstick of every benchmark, ours and the other gateways': figures from a simulator's record of what crossed
 * the serial lines, and what a tree of processes costs. Nobody measures itself: times come from the modems' side of
 * the wire and from /proc. Reads /proc; fsyncTime() writes a file of its own. Linux only.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** One AT+CMGS as a modem saw it; ns of the monotonic clock. The simulator's submissions fit. */
export interface Sending {
  modem: string
  /** AT+CMGS was complete. */
  commandAt: number
  /** The prompt was written. */
  promptAt: number
  /** Ctrl-Z was read. */
  endAt: number
  /** The answer was written; 0 when there never was one. */
  answeredAt: number
}

export interface Quantiles {
  count: number
  p50: number
  p99: number
  max: number
}

export interface LineFigures {
  /** Answered messages, over the whole run. */
  messages: number
  /** From the first AT+CMGS to the last answer, seconds. */
  wallS: number
  perSecond: number
  /**
   * The part of the run in which every line had work: from the moment the last line began to the last AT+CMGS. When
   * that is less than half of the run, lines were kept waiting for work, and the whole run counts.
   */
  steadyS: number
  /** Share of the steady time that a line waited for the network, mean of the lines, 0 to 1. */
  utilisation: number
  /**
   * The gateway's own time a message, ms: from an answer to the next AT+CMGS on that line, plus from the prompt
   * to Ctrl-Z. What lies between is the modem's and the network's.
   */
  ownMs: Quantiles
}

/**
 * @param lines how many lines there were; one that never sent counts as idle
 * @returns undefined when fewer than two messages were answered
 */
export function lineFigures(record: readonly Sending[], lines: number): LineFigures | undefined {
  const sendings = record.filter(({ answeredAt }) => answeredAt > 0).sort((a, b) => a.commandAt - b.commandAt)
  const first = sendings[0]
  const last = sendings.at(-1)
  if (first === undefined || last === undefined || sendings.length < 2) return undefined
  const byLine = Map.groupBy(sendings, ({ modem }) => modem)
  const end = sendings.reduce((latest, { answeredAt }) => Math.max(latest, answeredAt), 0)
  const allBegun = [...byLine.values()].reduce((latest, [one]) => Math.max(latest, one?.commandAt ?? 0), 0)
  const begun = (last.commandAt - allBegun) * 2 < end - first.commandAt ? first.commandAt : allBegun
  const steadyNs = last.commandAt - begun
  let waited = 0
  const own: number[] = []
  for (const sent of byLine.values()) {
    let before: Sending | undefined
    for (const one of sent) {
      waited += Math.max(0, Math.min(one.answeredAt, last.commandAt) - Math.max(one.endAt, begun))
      if (before !== undefined) {
        own.push((one.commandAt - before.answeredAt + one.endAt - one.promptAt) / 1e6)
      }
      before = one
    }
  }
  const wallS = (end - first.commandAt) / 1e9
  return {
    messages: sendings.length,
    wallS,
    perSecond: sendings.length / wallS,
    steadyS: steadyNs / 1e9,
    utilisation: waited / (steadyNs * Math.max(lines, byLine.size)),
    ownMs: quantiles(own),
  }
}

/** All zero when there is nothing to order. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return {
    count: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    max: sorted.at(-1) ?? 0,
  }
}

export interface Usage {
  processes: number
  /** User and system time, of ended children too, seconds. */
  cpuS: number
  /** Resident memory added up over the processes; shared pages count once a process. Bytes. */
  rss: number
  /** The same with shared pages divided among those who share them. Bytes; 0 when /proc does not tell. */
  pss: number
  /** Bytes sent to block devices by living processes (/proc/PID/io). */
  written: number
}

/** proc(5): times in /proc/PID/stat are in clock ticks, 100 a second on every Linux that we run on. */
const ticksPerSecond = 100
const pageBytes = 4096

/** What the given processes and all their descendants have used so far. Processes that are gone count nothing. */
export function usage(roots: readonly number[]): Usage {
  const sum: Usage = { processes: 0, cpuS: 0, rss: 0, pss: 0, written: 0 }
  for (const { pid, ticks } of tree(roots)) {
    sum.processes++
    sum.cpuS += ticks / ticksPerSecond
    sum.rss += Number(proc(pid, 'statm').split(' ')[1] ?? 0) * pageBytes
    sum.pss += Number(/^Pss:\s+([0-9]+) kB/m.exec(proc(pid, 'smaps_rollup'))?.[1] ?? 0) * 1024
    sum.written += Number(/^write_bytes: ([0-9]+)/m.exec(proc(pid, 'io'))?.[1] ?? 0)
  }
  return sum
}

/** The processes that descend from the given ones, themselves included, with the CPU ticks of each. */
function tree(roots: readonly number[]): { pid: number; ticks: number }[] {
  const children = Map.groupBy(
    readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .flatMap((name) => stat(Number(name))),
    ({ parent }) => parent,
  )
  const found = new Map<number, { pid: number; ticks: number }>()
  const waiting = roots.flatMap(stat)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next.pid)) continue
    found.set(next.pid, next)
    waiting.push(...(children.get(next.pid) ?? []))
  }
  return [...found.values()]
}

function stat(pid: number): { pid: number; parent: number; ticks: number }[] {
  // The name, in brackets, may hold anything; the fields begin after the last bracket.
  const text = proc(pid, 'stat')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 15) return []
  const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0)
  return [{ pid, parent: Number(fields[1]), ticks }]
}

function proc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** How long the disk under a directory takes to make 4 kB durable, ms. */
export function fsyncTime(directory: string, times = 200): Quantiles {
  const path = join(directory, `fsync-${process.pid}`)
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 'x')
  const took: number[] = []
  try {
    for (let index = 0; index < times; index++) {
      const start = performance.now()
      writeSync(file, block)
      fsyncSync(file)
      took.push(performance.now() - start)
    }
  } finally {
    closeSync(file)
    rmSync(path)
  }
  return quantiles(took)
}

export interface Machine {
  cpu: string
  cores: number
  memoryGB: number
  kernel: string
  node: string
  /** Type of the file system, statfs(2) magic in hexadecimal. */
  disk: string
  fsyncMs: { p50: number; p99: number }
}

/** @param directory on the disk that the benchmark uses */
export function machine(directory: string): Machine {
  const { p50, p99 } = fsyncTime(directory)
  return {
    cpu: cpus()[0]?.model ?? process.arch,
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    disk: statfsSync(directory).type.toString(16),
    fsyncMs: { p50: round(p50), p99: round(p99) },
  }
}

/** A figure as it is printed: one JSON line each. */
export interface Row {
  figure: string
  /** `twinline`, or the peer and its version. */
  subject: string
  /** `default` or `tuned` for a peer. */
  settings?: string
  value: number | Record<string, number>
  unit: string
  /** What the figure was taken under: lines, network time, messages … */
  under: Record<string, string | number>
  /** The goal, where there is one. */
  reach?: string
}

/** Four significant digits: more is noise. */
export const round = (value: number) => Number(value.toPrecision(4))

export function printRow(row: Row, on: Machine): void {
  const value =
    typeof row.value === 'number'
      ? round(row.value)
      : Object.fromEntries(Object.entries(row.value).map(([name, number]) => [name, round(number)]))
  process.stdout.write(`${JSON.stringify({ ...row, value, machine: on })}\n`)
}
