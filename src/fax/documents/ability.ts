/**
 * Whether this member can make pages of documents, as far as its programs go, and whether any other one says that it can
 * (fact `renders:NODE`). What nobody could ever make pages of is not accepted; what is accepted waits for a program that
 * is not there, so what is wrong is told to people and looked at again until it is mended.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Store } from '#store/contract.ts'
import type { Ghostscript } from './ghostscript.ts'
import { missingPrograms } from './programs.ts'

/** How often it is looked again: somebody may be mending it, or may break it. */
const AGAIN_MS = 60_000
const SOUND_MS = 3_600_000
const PREFIX = 'renders:'

export interface Ability {
  /** What is wrong, a sentence each with what to do; empty where nothing is. */
  troubles(): readonly string[]
  /** Here, or at a member that has a fax line. */
  anywhere(): Promise<boolean>
  /** A program failed: looks whether it is the program's fault. @returns whether pages can be made here */
  look(): Promise<boolean>
  start(): void
  stop(): void
}

export interface AbilityParts {
  node: string
  /** This member has a fax line, so that others may count on it, and people should hear of what it lacks. */
  wanted: boolean
  /** The names of the other members. */
  others(): readonly string[]
  ghostscript: Pick<Ghostscript, 'sound'>
  store: Pick<Store, 'remember' | 'recall' | 'facts'>
  log: Log
}

export function createAbility(parts: AbilityParts): Ability {
  const { node, wanted, others, ghostscript, store, log } = parts
  let troubles: readonly string[] = []
  let able: boolean | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let looking: Promise<boolean> | undefined

  async function examine(): Promise<boolean> {
    const missing = missingPrograms()
    const unable = lacksGhostscript()
    const sound = !unable && (await ghostscript.sound())
    if (stopped) return sound
    able = sound
    const found = missing.map(
      ({ program, pack }) =>
        `Fax needs the program ${program}, which is not installed: apt-get install ${pack}.`,
    )
    if (!unable && !sound)
      found.push('Ghostscript (gs) is installed and does not work: apt-get install --reinstall ghostscript.')
    const news = found.filter((text) => !troubles.includes(text))
    if (troubles.length > 0 && found.length === 0) log.info({}, 'what fax needs is installed again')
    troubles = found
    if (wanted) for (const text of news) log.error({}, `${text} Documents that need it wait until then.`)
    await tell(wanted ? (sound ? 'yes' : 'no') : 'none')
    return sound
  }

  async function tell(value: string): Promise<void> {
    if (others().length === 0) return
    try {
      const name = `${PREFIX}${node}`
      if ((await store.recall(name)) !== value) await store.remember(name, value)
    } catch (error) {
      log.warn({ error: errorText(error) }, 'the other members could not be told what this one can make')
    }
  }

  function look(): Promise<boolean> {
    looking ??= examine().finally(() => {
      looking = undefined
      clearTimeout(timer)
      if (!stopped) timer = setTimeout(() => void look(), troubles.length > 0 ? AGAIN_MS : SOUND_MS)
    })
    return looking
  }

  return {
    troubles: () => (wanted ? troubles : []),
    async anywhere() {
      if (wanted && !lacksGhostscript() && (able === true || (await look()))) return true
      // Who says nothing may be of a version that never says it.
      const facts = new Map((await store.facts(PREFIX)).map(({ name, value }) => [name, value]))
      return others().some((other) => (facts.get(`${PREFIX}${other}`) ?? 'yes') === 'yes')
    },
    look,
    start: () => void look(),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Ghostscript, and what starts it within its bounds. */
const lacksGhostscript = (): boolean =>
  missingPrograms().some(({ program }) => ['gs', 'prlimit', 'setpriv'].includes(program))
