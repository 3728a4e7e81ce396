/**
 * Takes contacts from a directory (LDAP) every so often, while this member is active. A directory that is away, refuses
 * or answers in part changes nothing: what was imported stays until it says otherwise.
 */
import { Client } from 'ldapts'
import { bookLimits } from '#config/contacts.ts'
import type { LdapConfig } from '#config/ldap.ts'
import type { Settings } from '#config/settings.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { type DirectoryEntry, planDirectory } from './plan.ts'

const CONNECT_MS = 10_000
const ANSWER_MS = 30_000
const PAGE = 500

export interface LdapDependencies {
  config: LdapConfig
  settings: Pick<Settings, 'current' | 'set'>
  log: Log
}

export interface LdapImport {
  /** @param active imports at once and then every so often; otherwise not */
  follow(active: boolean): void
  /** Once, now. Never rejects. @returns whether the directory answered and its contacts hold */
  run(): Promise<boolean>
  stop(): Promise<void>
}

export function createLdapImport({ config, settings, log }: LdapDependencies): LdapImport {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<boolean> | undefined
  let stopped = false

  async function once(): Promise<boolean> {
    try {
      const entries = await search(config)
      if (stopped) return false
      const { changes, contacts, skipped } = planDirectory(entries, config.attributes, settings.current())
      if (changes.length === 0) return true
      const result = await settings.set(changes, 'ldap')
      if (result.result !== 'changed') {
        const why = result.result === 'invalid' ? result.problems[0]?.text : result.result
        log.warn(
          { result: result.result, why },
          'the contacts of the directory cannot be taken; nothing was changed',
        )
        return false
      }
      log.info({ contacts, skipped, changes: changes.length }, 'contacts were taken from the directory')
      return true
    } catch (error) {
      log.warn({ error: errorText(error) }, 'the directory gave no contacts; those imported before stay')
      return false
    }
  }

  const run = (): Promise<boolean> => {
    running ??= once().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    run,
    follow(active) {
      clearInterval(timer)
      timer = undefined
      if (!active || stopped) return
      timer = setInterval(() => void run(), config.every)
      void run()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
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
    return searchEntries.map(({ dn: _, ...entry }) => entry)
  } finally {
    await client.unbind().catch(() => {})
  }
}
