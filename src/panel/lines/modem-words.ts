/** The words of the search for modems. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/modems.en.json'),
  de: () => import('../words/modems.de.json'),
})
