/** Every setting that the appliance describes has a name and a meaning in both languages. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type FormField, settingsForm } from '#config/form.ts'
import { ownForm } from '#config/own-form.ts'

const dictionary = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../src/panel/words', name), 'utf8'))

function paths(fields: readonly FormField[], base = ''): string[] {
  return fields.flatMap(({ path, columns = [] }) => {
    const whole = base === '' ? path : `${base}.${path}`
    return [whole, ...paths(columns, whole)]
  })
}

const shown = settingsForm().filter(({ name }) => name !== 'people')

it.each(['en', 'de'])('names and explains every shared setting (%s)', (language) => {
  const words = dictionary(`settings.${language}.json`)
  const wanted = shown.flatMap(({ name, fields }) => [
    `section.${name}`,
    ...paths(fields).flatMap((path) => [path, `${path}.help`]),
  ])
  expect(wanted.filter((key) => typeof words[key] !== 'string')).toEqual([])
})

it.each(['en', 'de'])('names and explains every key of a member’s own file (%s)', (language) => {
  const words = {
    ...dictionary(`own-settings.${language}.json`),
    ...dictionary(`pair-settings.${language}.json`),
  }
  const known = (key: string): boolean => {
    const [path = '', help = ''] = key.split(/(?=\.help$)/)
    return [path, `*.${path.split('.').at(-1)}`].some((one) => typeof words[one + help] === 'string')
  }
  const wanted = ownForm().flatMap(({ name, fields }) => [
    `section.${name}`,
    ...paths(fields).flatMap((path) => [path, `${path}.help`]),
  ])
  expect(wanted.filter((key) => !known(key))).toEqual([])
})
