/** Names and meanings of the keys of a member's own file. */
import { dictionary } from '../shell/words.ts'
import { wordsOf } from './field-words.tsx'

/** But for those of `pair`. */
export const ownWords = dictionary({
  en: () => import('../words/own-settings.en.json'),
  de: () => import('../words/own-settings.de.json'),
})

/** Of the keys below `pair`. */
export const pairWords = dictionary({
  en: () => import('../words/pair-settings.en.json'),
  de: () => import('../words/pair-settings.de.json'),
})

export const ownText = wordsOf({
  maybe: (key, values) => pairWords.maybe(key, values) ?? ownWords.maybe(key, values),
})

export const ownSection = (name: string): string => ownWords.maybe(`section.${name}`) ?? name
