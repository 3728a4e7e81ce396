/**
 * Sentences that members write for people and that have no code: why a member has its role, lines of the failover log,
 * what is wrong with a setting. They are known by their words: the English entry is what the member writes (src/pair/role,
 * src/config), with places for names and figures, and a test holds it against the sources. A sentence that no entry fits
 * stays as it is. Entries with more words of their own come first.
 */
import { type Pattern, patternsOf, translated } from './said-patterns.ts'
import { dictionary, keepLoaded, type Loadable, language } from './words.ts'

const words = dictionary({
  en: async () => ({ default: (await import('../words/first.de.ts')).first.written }),
  de: async () => ({ default: (await import('../words/first.de.ts')).first.said }),
})

let patterns: readonly Pattern[] = []

/** English needs nothing: it is what was written. */
export const sentences: Loadable = {
  async load(wanted) {
    keepLoaded(sentences.load)
    if (wanted === 'en') return
    await words.load(wanted)
    patterns = patternsOf((await import('../words/first.de.ts')).first.written)
  },
}

/** The sentence in the language of the user. Names stay, and a reason within it is put into words as well. */
export const saidText = (text: string): string =>
  language.value === 'en' ? text : translated(text, patterns, words.maybe)
