/** The words of the pages of the configuration. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/configuration.en.json'),
  de: () => import('../words/configuration.de.json'),
})
