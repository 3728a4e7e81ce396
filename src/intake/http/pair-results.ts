/** What the pair answered to a command, as an answer over HTTP: a refusal becomes a problem, and a wait has an end. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Refused } from '#pair/control.ts'
import { Problem, valuesOf } from './problems.ts'

/** Refusals that are not simply the state of things (409). */
const statusOf: Record<string, number> = {
  'pair-code-mistyped': 400,
  'member-unknown': 404,
  'pair-rate-limited': 429,
  'pair-busy': 503,
  'pair-unreachable': 502,
  'pair-ceremony-broken': 502,
  'pair-timeout': 502,
  // Whether it joined is not known.
  'pair-join-unconfirmed': 504,
}

/** Shorter than a connection may be silent. */
const LONGEST_MS = 55_000

/** @throws Problem when it is refused, or takes too long to wait for */
export async function finished<T extends { result: string }>(
  work: Promise<T | Refused>,
): Promise<Exclude<T, Refused>> {
  const waiting = new AbortController()
  const late = pause(LONGEST_MS, 'late' as const, { signal: waiting.signal, ref: false }).catch(
    () => 'late' as const,
  )
  const result = await Promise.race([work, late]).finally(() => waiting.abort())
  if (result === 'late') {
    throw new Problem(
      504,
      'pair-slow',
      'this takes longer than a request may last and goes on; look at the status',
    )
  }
  return done(result)
}

/** @throws Problem when it is refused */
export function done<T extends object>(result: T | Refused): Exclude<T, Refused> {
  if (isRefused(result)) {
    const { code, text } = result
    throw new Problem(statusOf[code] ?? 409, code, text, valuesOf(result))
  }
  return result as Exclude<T, Refused>
}

const isRefused = (result: object): result is Refused => 'result' in result && result.result === 'refused'
