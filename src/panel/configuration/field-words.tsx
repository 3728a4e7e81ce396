/**
 * Names and meanings of fields in the user's language. Which dictionary they are in is a file of its own for each kind
 * of settings, so that a page loads the words that it shows. Entries of a dictionary are found by the path of the field without
 * the places of entries: `routes[2].match` is `routes.match`; `*.match` stands for every field of that name that has no
 * entry of its own. The appliance's own sentence stands in where a dictionary has none, so that a new setting is never
 * without a meaning.
 */
import type { AnyField } from './field-model.ts'
import type { FieldWords } from './plain-field.tsx'
import { words } from './words.ts'

interface Named {
  maybe(key: string, values?: Record<string, string>): string | undefined
}

/** `inbound.rules[0].do.sms` is `inbound.rules.do.sms`. */
const keyOf = (path: string): string =>
  path.replaceAll(/\[\d+\]/g, '').replace(/^(contacts|groups)\/.*$/, '$1')

/** What is allowed, in a few words: the range, and the default where it is not a choice, which names its own. */
function limits({ min, max, default: byDefault, type }: AnyField): string {
  const parts = [
    min !== undefined && max !== undefined
      ? words.t('range', { min: String(min), max: String(max) })
      : min !== undefined
        ? words.t('atLeast', { min: String(min) })
        : max !== undefined
          ? words.t('atMost', { max: String(max) })
          : '',
    type === 'duration' ? words.t('spanUnits') : type === 'size' ? words.t('sizeUnits') : '',
    byDefault === undefined || type === 'boolean' || type === 'choice' || typeof byDefault === 'object'
      ? ''
      : words.t('default', { value: String(byDefault) }),
  ]
  return parts.filter((part) => part !== '').join(' · ')
}

/** @param dictionary of names by path; `PATH.help` is the meaning, `PATH.known` what other products call it */
export function wordsOf(dictionary: Named): FieldWords {
  const find = (path: string, what = ''): string | undefined => {
    const key = keyOf(path)
    return dictionary.maybe(key + what) ?? dictionary.maybe(`*.${key.split('.').at(-1)}${what}`)
  }
  return {
    name(path) {
      const entry = /^(?:contacts|groups)\/([^.[]+)/.exec(path)?.[1]
      const name = find(path) ?? path
      return entry === undefined ? name : `${name}: ${entry}`
    },
    label: (field, at) => find(at) ?? field.path,
    help(field, at) {
      const known = find(at, '.known')
      const more = limits(field)
      return (
        <>
          {find(at, '.help') ?? field.help}
          {more === '' ? '' : ` ${more}.`}
          {known === undefined ? null : <span class="known"> {words.t('known', { name: known })}.</span>}
        </>
      )
    },
  }
}
