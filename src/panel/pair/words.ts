/** The words of the pages of the pair. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/pair.en.json'),
  de: () => import('../words/pair.de.json'),
})
