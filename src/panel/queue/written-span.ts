/** Spans of time as the appliance writes them (`30m`), in words: 30 minutes. */
import { language } from '../shell/words.ts'

const units = { ms: 'millisecond', s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' } as const

const isUnit = (text: string): text is keyof typeof units => text in units

/** @param span a number and a unit; anything else stays as it is */
export function spanInWords(span: string): string {
  const [, count, unit = ''] = /^(\d+)([a-z]+)$/.exec(span) ?? []
  if (count === undefined || !isUnit(unit)) return span
  const format = { style: 'unit', unit: units[unit], unitDisplay: 'long' } as const
  return new Intl.NumberFormat(language.value, format).format(Number(count))
}
