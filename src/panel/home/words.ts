/** The words of the home page. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/home.en.json'),
  de: () => import('../words/home.de.json'),
})
