/** The words of login and first run. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/door.en.json'),
  de: () => import('../words/door.de.json'),
})
