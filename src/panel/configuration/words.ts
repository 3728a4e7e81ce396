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
