/**
 * Figures of a pair that is well: how fast it accepts, what its heartbeats cost on the wire, and how late its guard
 * is on a loaded machine. Times on the wire are the kernel's (tcpdump), so that a busy machine cannot blur them.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { monotonic } from './holdings.ts'
import type { Member } from './member.ts'
import { HTTP_PORT } from './member.ts'
import { addressOf, INTERFACE, inBridge, spawnAt, VIP } from './network.ts'

export const GUARD_PORT = 8883
export const LOG_PORT = 8884

export interface LoadOutcome {
  accepted: number
  refused: number
  perSecond: number
  p50: number
  p99: number
  max: number
}

export async function load(
  token: string,
  order: { connections: number; count: number; withinMs: number },
): Promise<LoadOutcome> {
  const { connections, count, withinMs } = order
  const words = [`http://${VIP}:${HTTP_PORT}`, token, connections, count, withinMs].map(String)
  const argv = [process.execPath, join(import.meta.dirname, 'load-process.ts'), ...words]
  const child = spawnAt('client', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    said += bytes.toString()
  })
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(withinMs + 30_000) })
  if (code !== 0) throw new Error(`the load ended with ${code}`)
  return JSON.parse(said)
}

/** What crosses the bridge for the guards and for the log, as octets of Ethernet frames without their checksum. */
export class WireCounters {
  readonly #from = monotonic()

  constructor() {
    const rules = (['heartbeat', 'replication'] as const).flatMap((name) => {
      const port = name === 'heartbeat' ? GUARD_PORT : LOG_PORT
      return ['sport', 'dport'].map((end) => `tcp ${end} ${port} counter name ${name}`)
    })
    inBridge(
      'nft',
      `table bridge traffic\ndelete table bridge traffic\ntable bridge traffic {\ncounter heartbeat {}\ncounter replication {}\nchain forward { type filter hook forward priority -10\n${rules.join('\n')}\n}\n}`,
    )
  }

  /** kB an hour since it began. */
  read(): { heartbeat: number; replication: number } {
    const hours = (monotonic() - this.#from) / 3_600_000
    const { nftables } = JSON.parse(inBridge('nft', '-j', 'list', 'counters', 'table', 'bridge', 'traffic'))
    const rate = (name: string) => {
      const { counter } = nftables.find((one: { counter?: { name: string } }) => one.counter?.name === name)
      // The bridge counts what is inside a frame; its header is 14 octets.
      return (counter.bytes + 14 * counter.packets) / 1_000 / hours
    }
    return { heartbeat: rate('heartbeat'), replication: rate('replication') }
  }
}

/** Resident memory of a process, MB. */
export function residentMB(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return (pages * 4_096) / 1e6
}

/**
 * How late a guard's heartbeats leave its box, from the kernel's stamps of the frames: the time between two on one
 * connection, less the interval. One connection has nothing but heartbeats on it, so the busiest one is it.
 */
export class Lateness {
  readonly #child: ChildProcess
  readonly #flows = new Map<string, number[]>()

  static async start(member: Member): Promise<Lateness> {
    const filter = `src host ${addressOf[member.name]} and tcp port ${GUARD_PORT} and greater 120`
    const argv = ['tcpdump', '-i', INTERFACE, '-nn', '-tt', '-l', '-Z', 'root', ...filter.split(' ')]
    const child = spawnAt(member.name, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
    const lateness = new Lateness(child)
    if (child.stderr) await once(child.stderr, 'data', { signal: AbortSignal.timeout(10_000) })
    return lateness
  }

  private constructor(child: ChildProcess) {
    this.#child = child
    if (!child.stdout) throw new Error('a pipe has no end')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^([0-9.]+) IP (\S+ > \S+): .* length ([1-9]\d*)/.exec(line)
      if (!found) return
      const flow = found[2] ?? ''
      const at = Number(found[1]) * 1_000
      const times = this.#flows.get(flow)
      if (times) times.push(at)
      else this.#flows.set(flow, [at])
    })
  }

  /** @param interval of the profile, ms */
  async end(interval: number): Promise<{ samples: number; p50: number; p999: number; max: number }> {
    await pause(500)
    this.#child.kill('SIGKILL')
    const [busiest = []] = [...this.#flows.values()].sort((x, y) => y.length - x.length)
    const late = busiest
      .slice(1)
      .map((at, n) => at - (busiest[n] ?? at) - interval)
      .sort((x, y) => x - y)
    const at = (share: number) => late[Math.min(late.length - 1, Math.floor(share * late.length))] ?? 0
    return { samples: late.length, p50: at(0.5), p999: at(0.999), max: at(1) }
  }
}
