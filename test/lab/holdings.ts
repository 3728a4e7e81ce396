/**
 * Who holds the virtual address when, from the kernels' own events: one resident `ip -ts -o monitor address` a host
 * (netlink; stamps with µs). Refreshes of a lease are events too and change nothing.
 */
import { spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type MemberName, memberNames } from './contract.ts'
import { INTERFACE, spawnAt, VIP } from './network.ts'

export interface Holding {
  host: MemberName
  from: number
  /** Infinity while it goes on. */
  to: number
}

/** Its stamps are those of the moment at which it runs, so where that is permitted it runs before everything else. */
const first = spawnSync('chrt', ['-f', '20', 'true']).status === 0 ? ['chrt', '-f', '20'] : []

/** ms of the monotonic clock. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6

/** Wall clock minus monotonic clock, ms, taken at the edge of a millisecond. */
export function clockOffset(): number {
  const begin = Date.now()
  let now = begin
  while (now === begin) now = Date.now()
  return now - monotonic()
}

export class Holdings {
  readonly #all: Holding[] = []
  readonly #offset = clockOffset()
  readonly #stops: (() => void)[] = []
  /** Called when a holding begins or ends. */
  onChange: () => void = () => {}

  /** Resolves when the monitor listens. */
  async watch(host: MemberName): Promise<void> {
    const child = spawnAt(host, [...first, 'ip', '-ts', '-o', 'monitor', 'address'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (!child.stdout) throw new Error('a pipe has no end')
    this.#stops.push(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })
    let heard: () => void = () => {}
    const listening = new Promise<void>((resolve) => {
      heard = resolve
    })
    lines.on('line', (line) => {
      heard()
      this.#take(host, line)
    })
    // The first event proves that it listens: an address of ours on the loopback interface, again and again.
    let tries = 0
    const poke = setInterval(() => {
      tries++
      const verb = tries % 2 === 1 ? 'add' : 'del'
      spawnAt(host, ['ip', 'addr', verb, '127.0.0.77/8', 'dev', 'lo'], { stdio: 'ignore' })
    }, 30)
    await listening
    clearInterval(poke)
  }

  #take(host: MemberName, line: string): void {
    const found = /^\[([0-9T:.-]+)\] (Deleted )?\d+: (\S+)\s+inet ([0-9.]+)\//.exec(line)
    if (!found || found[3] !== INTERFACE || found[4] !== VIP) return
    const stamp = found[1] ?? ''
    const fraction = Number(`0.${stamp.split('.')[1] ?? '0'}`) * 1_000
    // The stamp is local time without a zone, and so is how a date without zone is read.
    const at = new Date(stamp.split('.')[0] ?? '').getTime() + fraction - this.#offset
    const open = this.#all.find((one) => one.host === host && one.to === Number.POSITIVE_INFINITY)
    if (found[2] !== undefined) {
      if (open) open.to = at
    } else if (!open) this.#all.push({ host, from: at, to: Number.POSITIVE_INFINITY })
    else return
    this.onChange()
  }

  /** Who holds it now. */
  holders(): MemberName[] {
    return this.#all.filter(({ to }) => to === Number.POSITIVE_INFINITY).map(({ host }) => host)
  }

  /** When this host's present holding began. */
  since(host: MemberName): number | undefined {
    return this.#all.find((one) => one.host === host && one.to === Number.POSITIVE_INFINITY)?.from
  }

  between(from: number, to: number): Holding[] {
    return this.#all.filter((one) => one.to > from && one.from < to)
  }

  /** ms in which two members or more held it. */
  overlap(from: number, to: number): number {
    return overlapOf(this.#all, from, to)
  }

  /** How often a member got it that was not the last to have it. */
  moves(from: number, to: number): number {
    const seen = this.between(from, to).sort((x, y) => x.from - y.from)
    return seen.filter((one, n) => n > 0 && one.host !== seen[n - 1]?.host).length
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}

/** ms between `from` and `to` in which two or more held it. */
export function overlapOf(holdings: readonly Holding[], from: number, to: number): number {
  const edges = holdings
    .filter((one) => one.to > from && one.from < to)
    .flatMap((one) => [
      { at: Math.max(one.from, from), step: 1 },
      { at: Math.min(one.to, to), step: -1 },
    ])
  // What ends at the instant at which something begins does not overlap it.
  edges.sort((x, y) => x.at - y.at || x.step - y.step)
  let held = 0
  let since = 0
  let sum = 0
  for (const { at, step } of edges) {
    if (held >= 2) sum += at - since
    held += step
    since = at
  }
  return sum
}

/** A member that answers, and answers again within this time, held it in between. */
const ANSWERS_WITHIN_MS = 40

/** Holdings as answers tell them. @param answers in order of time */
export function holdingsOf(answers: readonly [at: number, name: string][]): Holding[] {
  const holdings: Holding[] = []
  for (const [at, name] of answers) {
    const open = holdings.findLast(({ host }) => host === name)
    if (open && at - open.to <= ANSWERS_WITHIN_MS) open.to = at
    else {
      const host = memberNames.find((one) => one === name)
      if (host) holdings.push({ host, from: at, to: at })
    }
  }
  return holdings
}
