/**
 * Takes contacts from a directory (LDAP) every so often, while this member is active. A directory that is away, refuses
 * or answers in part changes nothing: what was imported stays until it says otherwise.
 */
import { Client, ResultCodeError } from 'ldapts'
import { bookLimits } from '#config/contacts.ts'
import type { LdapConfig } from '#config/ldap.ts'
import type { Settings } from '#config/settings.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { type DirectoryEntry, planDirectory, type Refused } from './plan.ts'

const CONNECT_MS = 10_000
const ANSWER_MS = 30_000
const PAGE = 500

/** Of what cannot be taken, so much is told. */
const TOLD = 100

export interface LdapDependencies {
  config: LdapConfig
  settings: Pick<Settings, 'current' | 'set'>
  clock: Clock
  log: Log
}

/** What one run came to. */
export interface LdapRun {
  /** When it began, ms since 1970. */
  at: number
  /** ms */
  took: number
  /** The directory answered, whatever it said. */
  reachable: boolean
  /** Why nothing was taken; absent: its contacts hold. */
  failure?: string
  /** Entries that make contacts, and what became of contacts. */
  contacts: number
  made: number
  changed: number
  removed: number
  /** How much could not be taken, and the first of it. */
  refused: number
  refusals: readonly Refused[]
}

export interface LdapState {
  running: boolean
  /** Since this member is active, or started. */
  last?: LdapRun
  /** When the contacts of the directory were taken last, ms since 1970. */
  succeeded?: number
  /** ms since 1970; absent while this member is not active */
  next?: number
}

export interface LdapImport {
  /** Where and how often it asks. */
  readonly source: Pick<LdapConfig, 'url' | 'base' | 'filter' | 'every'>
  state(): LdapState
  /** @param active imports at once and then every so often; otherwise not */
  follow(active: boolean): void
  /** Once, now. Never rejects. */
  run(): Promise<LdapRun>
  stop(): Promise<void>
}

export function createLdapImport({ config, settings, clock, log }: LdapDependencies): LdapImport {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<LdapRun> | undefined
  let stopped = false
  let last: LdapRun | undefined
  let succeeded: number | undefined
  let next: number | undefined

  async function once(): Promise<LdapRun> {
    const at = clock.now()
    const began = clock.monotonic()
    const failed = (reachable: boolean, failure: string): LdapRun => ({
      at,
      took: clock.monotonic() - began,
      reachable,
      failure,
      contacts: 0,
      made: 0,
      changed: 0,
      removed: 0,
      refused: 0,
      refusals: [],
    })
    let entries: DirectoryEntry[]
    try {
      entries = await search(config)
    } catch (error) {
      log.warn({ error: errorText(error) }, 'the directory gave no contacts; those imported before stay')
      return error instanceof ResultCodeError
        ? failed(true, refusalText(error))
        : failed(false, errorText(error))
    }
    try {
      if (stopped) return failed(true, 'the appliance stops')
      const { changes, refused, ...counts } = planDirectory(entries, config.attributes, settings.current())
      const result = changes.length === 0 ? undefined : await settings.set(changes, 'ldap')
      if (result !== undefined && result.result !== 'changed' && result.result !== 'unchanged') {
        const why = result.result === 'invalid' ? (result.problems[0]?.text ?? '') : result.result
        log.warn(
          { result: result.result, why },
          'the contacts of the directory cannot be taken; nothing was changed',
        )
        return failed(true, `the contacts of the directory cannot be taken: ${why}`)
      }
      const skipped = refused.filter(({ field }) => field === undefined).length
      if (changes.length > 0)
        log.info(
          { contacts: counts.contacts, skipped, changes: changes.length },
          'contacts were taken from the directory',
        )
      succeeded = at
      const took = clock.monotonic() - began
      return {
        at,
        took,
        reachable: true,
        ...counts,
        refused: refused.length,
        refusals: refused.slice(0, TOLD),
      }
    } catch (error) {
      log.warn({ error: errorText(error) }, 'the contacts of the directory cannot be taken')
      return failed(true, errorText(error))
    }
  }

  const run = (): Promise<LdapRun> => {
    running ??= once().then((ended) => {
      last = ended
      running = undefined
      return ended
    })
    return running
  }

  const { url, base, filter, every } = config
  return {
    source: { url, base, filter, every },
    run,
    state: () => ({
      running: running !== undefined,
      ...(last === undefined ? {} : { last }),
      ...(succeeded === undefined ? {} : { succeeded }),
      ...(next === undefined ? {} : { next }),
    }),
    follow(active) {
      clearInterval(timer)
      timer = undefined
      next = undefined
      if (!active || stopped) return
      const begin = () => {
        next = clock.now() + config.every
        void run()
      }
      timer = setInterval(begin, config.every)
      begin()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
}

/** Result codes as RFC 4511, 4.1.9 and appendix A name them; servers often send no sentence with them. */
const refusals: Readonly<Record<number, string>> = {
  3: 'the directory takes too long: choose a narrower base or filter',
  4: 'more entries fit the filter than the directory gives: choose a narrower one',
  8: 'the directory wants a login, or an encrypted connection: give bind and password, or ldaps:// in url',
  13: 'the directory wants an encrypted connection: write ldaps:// in url',
  32: 'the directory has nothing at the base: check base',
  49: 'the directory refuses the login: check bind and password',
  50: 'the login may not read what the directory has below the base',
}

function refusalText({ code, name, message }: ResultCodeError): string {
  return refusals[code] ?? `the directory answers ${name}: ${message.trim()}`
}

async function search({ url, login, base, filter, attributes }: LdapConfig): Promise<DirectoryEntry[]> {
  const client = new Client({ url, connectTimeout: CONNECT_MS, timeout: ANSWER_MS })
  try {
    if (login !== undefined) await client.bind(login.bind, login.password)
    const { searchEntries } = await client.search(base, {
      scope: 'sub',
      filter,
      attributes: Object.values(attributes),
      sizeLimit: bookLimits.contacts + 1,
      timeLimit: ANSWER_MS / 1_000,
      paged: { pageSize: PAGE },
    })
    return searchEntries
  } finally {
    await client.unbind().catch(() => {})
  }
}
