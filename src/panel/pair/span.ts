/** Spans of time in the language of the user. */
import { language } from '../shell/words.ts'
import { spanText as plainSpan } from './timing.ts'

/** @param ms such as 1650: `1.65 s`, or `1,65 s` in German; the unit stays on the line of its number */
export function spanText(ms: number): string {
  const text = plainSpan(ms).replaceAll(' ', '\u00a0')
  return language.value === 'de' ? text.replace('.', ',') : text
}
