/** The words of the components and of the shell. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/shell.en.json'),
  de: () => import('../words/shell.de.json'),
})
