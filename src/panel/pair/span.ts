/** Spans of time in the language of the user. */
import { language } from '../shell/words.ts'
import { spanText as plainSpan } from './timing.ts'

/** @param ms such as 1650: `1.65 s`, or `1,65 s` in German */
export const spanText = (ms: number): string =>
  language.value === 'de' ? plainSpan(ms).replace('.', ',') : plainSpan(ms)
