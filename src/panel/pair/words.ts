/** The words of the pages of the pair. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/pair.en.json'),
  de: () => import('../words/pair.de.json'),
})

/** Names and meanings of the keys below `pair`. */
export const keyWords = dictionary({
  en: () => import('../words/pair-settings.en.json'),
  de: () => import('../words/pair-settings.de.json'),
})
