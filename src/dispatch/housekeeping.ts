/**
 * Keeps the queue small: finished messages go to the archive after one span, out of the archive after another.
 *
 * Little by little, so that a delivery never waits behind it; when there is nothing to move nothing is written.
 */
import type { Config } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Store } from '#store/contract.ts'

const EVERY_MS = 60_000
const AT_A_TIME = 200
/** Pause between two batches while there is more to move. */
const MORE_MS = 500

/** @returns the function that stops it */
export function keepHouse(deps: {
  store: Store
  clock: Clock
  log: Log
  retention(): Config['retention']
}): () => void {
  const { store, clock, log, retention } = deps
  let timer = setTimeout(() => void turn(), EVERY_MS)
  let stopped = false
  return () => {
    stopped = true
    clearTimeout(timer)
  }

  async function turn(): Promise<void> {
    const more = await sweep()
    if (!stopped) timer = setTimeout(() => void turn(), more ? MORE_MS : EVERY_MS)
  }

  /** @returns whether there is more to move */
  async function sweep(): Promise<boolean> {
    // An untrusted clock would archive and drop by a wrong date.
    if (!clock.trusted()) return false
    try {
      const { archived, dropped } = await store.sweep(clock.now(), retention(), AT_A_TIME)
      if (archived + dropped > 0) log.debug({ archived, dropped }, 'finished messages archived and dropped')
      return archived === AT_A_TIME || dropped === AT_A_TIME
    } catch (error) {
      log.error({ error: errorText(error) }, 'the archive could not be kept')
      return false
    }
  }
}
