/**
 * Words of what most people never see: the hundreds of codes and sentences of docs/errors.md that the few in the first
 * dictionaries are not. They are loaded when the first of them is needed. Whoever draws one before that draws `…`, and is
 * drawn again when they are here.
 */
import { signal } from '@preact/signals'
import { type Pattern, patternsOf, withPlaces } from './said-patterns.ts'
import { keepLoaded, type Language, language, number } from './words.ts'

type Entries = Readonly<Record<string, string>>

interface Whole {
  /** What a record of the audit log is about, by its code. */
  audit: Entries
  /** Why a line or a delivery is as it is, by its code. */
  reasons: Entries
  /** Why a request was refused, by its code; none in English, which is what the appliance says. */
  refusals: Entries
  /** Sentences without a code, by the key of their pattern; none in English. */
  sentences: Entries
  patterns: readonly Pattern[]
}

const loaders = {
  en: () => import('../codes/whole.en.ts'),
  de: () => import('../codes/whole.de.ts'),
}
const nothing: Whole = { audit: {}, reasons: {}, refusals: {}, sentences: {}, patterns: [] }

/** Longer nobody waits with what was said, ms. */
const PATIENCE_MS = 3_000

const loaded = signal<Partial<Record<Language, Whole>>>({})
const coming = new Map<Language, Promise<void>>()

async function fetchWords(wanted: Language): Promise<void> {
  let words = nothing
  try {
    const { written, ...found } = (await loaders[wanted]()).whole
    words = { ...found, patterns: patternsOf(written) }
  } catch {
    // The appliance is away: its own sentences, which are English, are better than none. The next time it is asked again.
    coming.delete(wanted)
  }
  loaded.value = { ...loaded.peek(), [wanted]: words }
}

/** For text that is not drawn again, such as news of what was refused. */
export function loadRare(wanted: Language = language.peek()): Promise<void> {
  keepLoaded(loadRare)
  const known = coming.get(wanted)
  if (known !== undefined) return known
  const enough = new Promise<void>((resolve) => {
    setTimeout(resolve, PATIENCE_MS)
  })
  const fetching = Promise.race([fetchWords(wanted), enough])
  coming.set(wanted, fetching)
  return fetching
}

/** @returns undefined while they are on their way */
export function rare(): Whole | undefined {
  const here = loaded.value[language.value]
  if (here === undefined) void loadRare(language.value)
  return here
}

export const filledIn = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place)

/** As filledIn(), without what of the text has a place for which nothing is known. */
export function filledAsFar(text: string, values: Readonly<Record<string, string | number>>): string {
  const words = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'number' ? number(value, 1) : value,
  ])
  return filledIn(withPlaces(text, Object.keys(values)), Object.fromEntries(words))
}
