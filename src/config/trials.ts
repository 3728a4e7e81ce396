/**
 * A change of the shared settings on trial: it holds at once and is taken back unless somebody confirms it in time, so
 * that nobody locks everybody out. What waits is a remembered fact, written before the change itself: it outlives a
 * restart, and after a takeover the new active member sees to it.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Revision } from '#messages/operation.ts'
import type { Settings, SettingsResult, WantedChange } from './settings.ts'

export interface Trial {
  revision: string
  /** When it is taken back, ms since 1970. */
  until: number
  author: string
}

export type TrialResult =
  | (SettingsResult & { trial?: Trial })
  /** One change at a time can be on trial. */
  | { result: 'trialPending'; trial: Trial }

export interface Trials {
  current(): Trial | undefined
  /** As Settings.set(), and taken back after `within` ms unless confirmed. */
  apply(changes: readonly WantedChange[], author: string, within: number): Promise<TrialResult>
  /** @returns false when this revision is not on trial */
  confirm(revision: string): Promise<boolean>
  /** Whether this member is the one to take it back. */
  follow(active: boolean): void
  /** Another member may have begun or ended one. */
  refresh(): Promise<void>
  stop(): void
}

export interface TrialDependencies {
  settings: Pick<Settings, 'set' | 'undo' | 'refresh'>
  store: {
    remember(name: string, value: string): Promise<void>
    recall(name: string): Promise<string | undefined>
  }
  clock: Clock
  log: Log
  /** Told when a change was taken back. */
  undone(trial: Trial): void
}

const FACT = 'config/trial'
/** Where it could not be taken back it is tried again after so long, ms. */
const AGAIN_MS = 2_000
/** The clock may be corrected meanwhile, and a timer counts no further than some weeks. */
const LOOK_MS = 60_000
const AUTHOR = 'rollback'

export async function createTrials(deps: TrialDependencies): Promise<Trials> {
  const { settings, store, clock, log, undone } = deps
  let current: Trial | undefined
  let active = false
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  /** One at a time. */
  let turn: Promise<unknown> = Promise.resolve()

  async function refresh(): Promise<void> {
    current = readTrial(await store.recall(FACT))
    schedule()
  }

  function schedule(after = current === undefined ? 0 : Math.max(0, current.until - clock.now())): void {
    clearTimeout(timer)
    if (current === undefined || !active || stopped) return
    timer = setTimeout(() => void takeBack(), Math.min(after, LOOK_MS))
  }

  async function takeBack(): Promise<void> {
    const trial = current
    if (trial === undefined || !active || stopped) return
    // The clock may have been corrected meanwhile.
    if (clock.now() < trial.until) return schedule()
    try {
      await settings.refresh()
      const result = await settings.undo(trial.revision, AUTHOR)
      if (result.result === 'invalid' || result.result === 'unknownPath')
        throw new Error('what was there before cannot be set any more')
      await end(trial)
      if (result.result === 'changed') undone(trial)
    } catch (error) {
      log.error({ revision: trial.revision, error: errorText(error) }, 'a change could not be taken back yet')
      schedule(AGAIN_MS)
    }
  }

  async function end(trial: Trial): Promise<void> {
    await store.remember(FACT, '')
    if (current?.revision === trial.revision) current = undefined
    schedule()
  }

  async function apply(
    changes: readonly WantedChange[],
    author: string,
    within: number,
  ): Promise<TrialResult> {
    if (current !== undefined) return { result: 'trialPending', trial: current }
    let trial: Trial | undefined
    const result = await settings.set(changes, author, async ({ id }: Revision) => {
      trial = { revision: id, until: clock.now() + within, author }
      await store.remember(FACT, JSON.stringify(trial))
      current = trial
      schedule()
    })
    return trial === undefined ? result : { ...result, trial }
  }

  await refresh()
  return {
    current: () => current,
    apply: (changes, author, within) => {
      const applied = turn.then(() => apply(changes, author, within))
      turn = applied.catch(() => {})
      return applied
    },
    async confirm(revision) {
      if (current?.revision !== revision) return false
      await end(current)
      return true
    },
    follow(now) {
      active = now
      schedule()
    },
    refresh,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function readTrial(text: string | undefined): Trial | undefined {
  if (text === undefined || text === '') return undefined
  try {
    const { revision, until, author } = JSON.parse(text) as Partial<Trial>
    return revision === undefined || until === undefined
      ? undefined
      : { revision, until, author: author ?? '' }
  } catch {
    return undefined
  }
}
