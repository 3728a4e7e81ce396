/** The words of the totals. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/totals.en.json'),
  de: () => import('../words/totals.de.json'),
})
