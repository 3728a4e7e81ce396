/** The examples name every key that there is, and what they name in comments can be used as it stands. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type FormField, settingsForm } from '#config/form.ts'
import { parseConfig } from '#config/load.ts'
import { ownForm } from '#config/own-form.ts'

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, '..', '..', 'firmware-config', name), 'utf8')
const example = read('twinline.example.yaml')
const examples = `${example}\n${read('twinline.pair.example.yaml')}`

/** Every key that a form knows, by its path; those of a table and of a section in it, too. */
function keysOf(fields: readonly FormField[], at = ''): string[] {
  return fields.flatMap((field) => {
    const path = at === '' ? field.path : `${at}.${field.path}`
    return [path, ...keysOf(field.columns ?? [], `${path}[]`)]
  })
}

test('every key of a file and every shared setting is in an example', () => {
  const keys = [...ownForm(), ...settingsForm()].flatMap(({ fields }) => keysOf(fields))
  expect(keys.length).toBeGreaterThan(200)
  const named = (path: string): boolean => {
    const key = path.split('.').at(-1)?.replace('[]', '') ?? ''
    return new RegExp(`(^|[ {#])${key}:( |$)`, 'm').test(examples)
  }
  expect(keys.filter((path) => !named(path))).toEqual([])
})

test('what stands in comments is a configuration, too', () => {
  const key = /^( *)# ( *)(?:# )?((?:- )?(?:\{ )?[a-z]\w*:(?: .*)?)$/
  const [title = '', ...lines] = example.split('\n')
  const whole = lines.map((line) => line.replace(key, '$1$2$3')).join('\n')
  expect(title).toMatch(/^# twinline: /)
  const config = parseConfig(whole, '/etc/twinline/twinline.yaml')
  expect(config.lines.map(({ kind }) => kind)).toEqual(['gsm', 'gsm', 'fax'])
  for (const part of [
    'contacts',
    'groups',
    'storm',
    'sources',
    'ldap',
    'mail',
    'documents',
    'inbound',
  ] as const)
    expect(config[part], part).toBeDefined()
})
