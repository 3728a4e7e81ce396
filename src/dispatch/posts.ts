/** What the delivery loop knows of its lines, and which of them is to take a delivery. Pure but for asking a line. */
import type { Line } from '#lines/contract.ts'
import type { Attempt } from './attempt.ts'
import { Pace, type Rate } from './pace.ts'
import type { Tiers } from './routing.ts'

/** What the loop knows of a line. */
export interface Post {
  line: Line
  config: { rate?: Rate; reports: boolean }
  pace: Pace
  usable: boolean
  /** A person said that it is to send nothing now; then it counts as out of use. */
  muted: boolean
  /** When it was last, ms of the monotonic clock; the start counts, for a modem needs a moment to open. */
  usedAt: number
  current: { attempt: Attempt; done: Promise<void> } | undefined
}

type Posts = ReadonlyMap<string, Post>

/** @param now ms of the monotonic clock */
export const postsOf = (lines: readonly Pick<Post, 'line' | 'config'>[], now: number): Map<string, Post> =>
  new Map(
    lines.map(({ line, config }) => [
      line.id,
      {
        line,
        config,
        pace: new Pace(config.rate),
        usable: false,
        muted: false,
        usedAt: now,
        current: undefined,
      },
    ]),
  )

/** The attempt that has a delivery in hand. */
export function attemptOf(posts: Posts, delivery: string): Post['current'] {
  for (const { current } of posts.values()) if (current?.attempt.delivery.id === delivery) return current
  return undefined
}

export interface Terms {
  /** ms of the monotonic clock */
  now: number
  /** Whether a line has some of its budget left; one that has none counts as out of use. */
  may(line: string): boolean
  /** Told how long a line's rate makes it wait, ms. */
  waits(ms: number): void
}

/** @returns a line that is free for it now; undefined while there is none */
export function chooseLine(
  posts: Posts,
  tiers: Tiers,
  tried: ReadonlySet<string>,
  terms: Terms,
): string | undefined {
  const untried = firstFree(posts, tiers, tried, terms)
  if (untried !== 'none usable') return untried
  // Every line that is left has refused it in this round: the round begins anew.
  const again = tried.size > 0 ? firstFree(posts, tiers, noLines, terms) : untried
  return again === 'none usable' ? undefined : again
}

/** @returns a line; undefined while the cheapest usable lines are all busy */
function firstFree(
  posts: Posts,
  tiers: Tiers,
  without: ReadonlySet<string>,
  { now, may, waits }: Terms,
): string | 'none usable' | undefined {
  for (const tier of tiers) {
    let usable = false
    for (const id of tier) {
      const post = posts.get(id)
      if (without.has(id) || !post?.usable || post.muted || post.pace.rest(now) > 0 || !may(id)) continue
      usable = true
      if (post.current || !post.line.free()) continue
      const wait = post.pace.wait(now)
      if (wait === 0) return id
      waits(wait)
    }
    if (usable) return undefined
  }
  return 'none usable'
}

export function firstUsable(
  posts: Posts,
  tiers: Tiers,
  without: ReadonlySet<string>,
  now: number,
): string | undefined {
  for (const id of tiers.flat()) {
    const post = posts.get(id)
    if (!without.has(id) && post?.usable && !post.muted && post.pace.rest(now) === 0) return id
  }
  return undefined
}

const noLines: ReadonlySet<string> = new Set()
