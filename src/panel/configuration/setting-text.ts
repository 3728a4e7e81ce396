/**
 * Names and meanings of settings in the user's language. Entries of a dictionary are found by the path of the field,
 * without the places of entries: `routes[2].match` is `routes.match`. The appliance's own sentence stands in where a
 * dictionary has none, so that a new setting is never without a meaning.
 */
import type { AnyField } from './field-model.ts'
import type { FieldWords } from './value-field.tsx'
import { settingWords, words } from './words.ts'

/** `inbound.rules[0].do.sms` is `inbound.rules.do.sms`. */
const keyOf = (path: string): string =>
  path.replaceAll(/\[\d+\]/g, '').replace(/^(contacts|groups)\/.*$/, '$1')

export function fieldName(path: string): string {
  const name = settingWords.maybe(keyOf(path)) ?? path
  const entry = /^(?:contacts|groups)\/([^.[]+)/.exec(path)?.[1]
  return entry === undefined ? name : `${name}: ${entry}`
}

export const sectionName = (label: string, name: string): string =>
  settingWords.maybe(label) ?? settingWords.maybe(`section.${name}`) ?? name

/** What is allowed, in a few words: the range, and the default where it is not a choice, which names its own. */
export function limits({ min, max, default: byDefault, type }: AnyField): string {
  const parts = [
    min !== undefined && max !== undefined
      ? words.t('range', { min: String(min), max: String(max) })
      : min !== undefined
        ? words.t('atLeast', { min: String(min) })
        : max !== undefined
          ? words.t('atMost', { max: String(max) })
          : '',
    byDefault === undefined || type === 'boolean' || type === 'choice' || typeof byDefault === 'object'
      ? ''
      : words.t('default', { value: String(byDefault) }),
  ]
  return parts.filter((part) => part !== '').join(' · ')
}

export const settingText: FieldWords = {
  label: (field, at) => settingWords.maybe(keyOf(at)) ?? field.path,
  help(field, at) {
    const help = settingWords.maybe(`${keyOf(at)}.help`) ?? field.help
    const more = limits(field)
    return more === '' ? help : `${help} ${more}.`
  },
}
