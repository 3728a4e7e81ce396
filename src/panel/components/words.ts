/** The words of the components and of the shell. */
import { dictionary } from '../shell/words.ts'

export const words = dictionary({
  en: async () => ({ default: (await import('../words/first.en.ts')).first.shell }),
  de: async () => ({ default: (await import('../words/first.de.ts')).first.shell }),
})
