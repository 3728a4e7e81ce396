/** The words of the pages of people. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/people.en.json'),
  de: () => import('../words/people.de.json'),
})
