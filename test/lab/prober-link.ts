/** The stage's end of the prober: gathers what it tells and answers what was seen between two instants. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { holdingsOf, overlapOf } from './holdings.ts'
import { spawnAt } from './network.ts'
import type { Post, ProberNews, ProberOrder } from './prober.ts'

export const RESPONDER_PORT = 7007

export class Prober {
  readonly #child: ChildProcess
  #seen: ProberNews = { responders: [], each: [], active: [], kept: [], posts: [] }
  #finished: () => void = () => {}
  /** Called when news came. */
  onNews: () => void = () => {}

  static async start(): Promise<Prober> {
    const child = spawnAt('client', [process.execPath, join(import.meta.dirname, 'prober.ts')], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const prober = new Prober(child)
    await once(child, 'message', { signal: AbortSignal.timeout(20_000) })
    return prober
  }

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: { news?: ProberNews; finished?: true }) => {
      if (message.news) {
        for (const name of ['responders', 'each', 'active', 'kept', 'posts'] as const) {
          const list: unknown[] = this.#seen[name]
          list.push(...message.news[name])
        }
        this.onNews()
      }
      if (message.finished) this.#finished()
    })
  }

  begin(order: Omit<ProberOrder, 'responderPort'>): void {
    this.#seen = { responders: [], each: [], active: [], kept: [], posts: [] }
    this.#child.send({ begin: { ...order, responderPort: RESPONDER_PORT } satisfies ProberOrder })
  }

  /** Resolves when every message that was posted has its answer. */
  async end(): Promise<void> {
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve
    })
    this.#child.send({ stop: true })
    await finished
  }

  get posts(): readonly Post[] {
    return this.#seen.posts
  }

  /** The first answer of somebody else than `host` at or after `at`. */
  otherAnswer(host: string, at: number): number | undefined {
    return this.#seen.responders.find(([when, name]) => when >= at && name !== host)?.[0]
  }

  /** ms in which more than one member answered at the address. */
  overlap(from: number, to: number): number {
    return overlapOf(holdingsOf(this.#seen.each), from, to)
  }

  /** Whose answer came last, and when. */
  lastAnswer(): { at: number; name: string } | undefined {
    const last = this.#seen.responders.at(-1)
    return last && { at: last[0], name: last[1] }
  }

  lastActive(): number | undefined {
    return this.#seen.active.at(-1)
  }

  /** Answers ACTIVE over fresh connections that came at or after `at`. */
  activeSince(at: number): number {
    return this.#seen.active.filter((when) => when >= at).length
  }

  addressGap(from: number, to: number): number {
    return longestGap(
      this.#seen.responders.map(([at]) => at),
      from,
      to,
    )
  }

  outage(from: number, to: number): number {
    return longestGap(this.#seen.active, from, to)
  }

  keptOutage(from: number, to: number): number {
    return longestGap(this.#seen.kept, from, to)
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The longest time without an answer that touches [from, to]; the answers around it count as its edges. */
export function longestGap(times: readonly number[], from: number, to: number): number {
  const sorted = [...times].sort((x, y) => x - y)
  let last = sorted.findLast((at) => at <= from) ?? from
  let longest = 0
  for (const at of sorted) {
    if (at <= last) continue
    longest = Math.max(longest, Math.min(at, to) - last)
    last = at
    if (at >= to) return longest
  }
  return Math.max(longest, to - last)
}
