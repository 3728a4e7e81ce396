/** The words of queue, inbox and archive. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: () => import('../words/queue.en.json'),
  de: () => import('../words/queue.de.json'),
})
