/**
 * Sentences that members write for people and that have no code: why a member has its role, lines of the failover log,
 * what is wrong with a setting. They are known by their words: the English entry is what the member writes (src/pair/role,
 * src/config), with places for names and figures, and a test holds it against the sources. A sentence that no entry fits
 * stays as it is. Entries with more words of their own come first.
 */
import { filledIn, rare } from './rare.ts'
import { type Book, type Pattern, patternsOf, translated } from './said-patterns.ts'
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

/**
 * The sentence in the language of the user. Names stay, and a reason within it is put into words as well. `…` while what
 * is rarely said is on its way.
 */
export function saidText(text: string): string {
  if (language.value === 'en') return text
  const often: Book = { patterns, word: words.maybe }
  let isRare = false
  const said = translated(text, [often], () => {
    isRare = true
  })
  if (!isRare) return said
  const whole = rare()
  if (whole === undefined) return '…'
  const { patterns: others, sentences: theirs } = whole
  const seldom: Book = {
    patterns: others,
    word(key, values) {
      const found = theirs[key]
      return found === undefined ? undefined : filledIn(found, values)
    },
  }
  return translated(text, [often, seldom])
}
