/** Names and meanings of the shared settings. */
import { dictionary } from '../shell/words.ts'
import { wordsOf } from './field-words.tsx'

export const settingWords = dictionary({
  en: () => import('../words/settings.en.json'),
  de: () => import('../words/settings.de.json'),
})

export const settingText = wordsOf(settingWords)

export const settingSection = (name: string): string => settingWords.maybe(`section.${name}`) ?? name
