/** The words of the records. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/records.en.json'),
  de: () => import('../words/records.de.json'),
})
