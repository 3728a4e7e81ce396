/** The words of the pages of the configuration. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/configuration.en.json'),
  de: () => import('../words/configuration.de.json'),
})

/** Names and meanings of the shared settings, by the path of their field. */
export const settingWords = dictionary({
  en: () => import('../words/settings.en.json'),
  de: () => import('../words/settings.de.json'),
})

/** Names and meanings of the keys of a member's own file, but for those of `pair`. */
export const ownWords = dictionary({
  en: () => import('../words/own-settings.en.json'),
  de: () => import('../words/own-settings.de.json'),
})

/** Names and meanings of the keys below `pair`. */
export const pairWords = dictionary({
  en: () => import('../words/pair-settings.en.json'),
  de: () => import('../words/pair-settings.de.json'),
})
