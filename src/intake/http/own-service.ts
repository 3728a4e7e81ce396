/** The member's file as the running appliance offers it: edited, replaced, put back when nobody confirms. */
import { edited, replacedBy } from '#config/own-edit.ts'
import {
  confirmOwnFile,
  isWritable,
  putBackOwnFile,
  ROLLBACK,
  readOwnFile,
  replaceOwnFile,
  trialUntil,
} from '#config/own-file.ts'
import { fileVersions } from '#config/own-history.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { OwnConfigurationService } from './own-routes.ts'

/** So long an answer has to leave before the appliance stops, ms. */
const FAREWELL_MS = 300
const AGAIN_MS = 5_000
/** A clock that is corrected meanwhile must not make a trial last for years, nor a timer overflow. */
const LOOK_MS = 60_000

export interface OwnConfiguration extends OwnConfigurationService {
  stop(): void
}

export function createOwnConfiguration(deps: {
  file: string | undefined
  clock: Clock
  log: Log
  /** @param changed the file was replaced just now: should it not let the appliance start, the one before is right */
  restart(changed: boolean): void
  /** Nobody confirmed a change in time, and the file before it is back. */
  undone(): void
}): OwnConfiguration {
  const { file, clock, log } = deps
  let timer: NodeJS.Timeout | undefined
  let farewell: NodeJS.Timeout | undefined
  let changed = false

  function restart(): void {
    farewell ??= setTimeout(() => deps.restart(changed), FAREWELL_MS)
  }

  /** Waits for the end of a trial, if there is one. */
  function watch(): void {
    clearTimeout(timer)
    const until = file === undefined ? undefined : trialUntil(file)
    if (file === undefined || until === undefined) return
    timer = setTimeout(() => putBack(file), Math.min(LOOK_MS, Math.max(0, until - clock.now()))).unref()
  }

  function putBack(path: string): void {
    const until = trialUntil(path)
    if (until === undefined) return
    // The clock may have been corrected meanwhile.
    if (clock.now() < until) {
      watch()
      return
    }
    try {
      putBackOwnFile(path, { author: ROLLBACK, at: clock.now() })
      log.warn({ file: path }, 'nobody confirmed the changed configuration file: the one before is back')
      deps.undone()
      restart()
    } catch (error) {
      log.error(
        { file: path, error: errorText(error) },
        'the configuration file before could not be put back',
      )
      timer = setTimeout(() => putBack(path), AGAIN_MS).unref()
    }
  }

  watch()
  return {
    ...(file === undefined ? {} : { file }),
    text: () => (file === undefined ? '' : readOwnFile(file)),
    writable: () => file !== undefined && isWritable(file),
    edit: (changes) => edited(file === undefined ? '' : readOwnFile(file), changes, file ?? 'twinline.yaml'),
    back(version) {
      const found = file === undefined ? undefined : fileVersions(file).find(({ id }) => id === version)
      if (file === undefined || found === undefined) return undefined
      return replacedBy(readOwnFile(file), found.before, file)
    },
    versions: () => (file === undefined ? [] : fileVersions(file)),
    replace(text, within, author) {
      if (file === undefined) throw new Error('there is no file')
      const at = clock.now()
      const until = within === undefined ? undefined : at + within
      replaceOwnFile(file, text, until, { author, at })
      changed = true
      return until === undefined ? {} : { until }
    },
    trial: () => (file === undefined ? undefined : trialUntil(file)),
    confirm() {
      const confirmed = file !== undefined && confirmOwnFile(file)
      watch()
      return confirmed
    },
    putBack(author) {
      if (file === undefined || trialUntil(file) === undefined) return false
      putBackOwnFile(file, { author, at: clock.now() })
      watch()
      return true
    },
    restart,
    stop() {
      clearTimeout(timer)
      clearTimeout(farewell)
    },
  }
}
