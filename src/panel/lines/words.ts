/** The words of the lines. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/lines.en.json'),
  de: () => import('../words/lines.de.json'),
})
