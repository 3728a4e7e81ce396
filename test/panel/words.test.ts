/** The panel's dictionaries: every key in every language, with the same places for values. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const directory = join(import.meta.dirname, '..', '..', 'src', 'panel', 'words')
const areas = readdirSync(directory).flatMap((name) => /^(.*)\.en\.json$/.exec(name)?.[1] ?? [])

type Entry = string | Record<string, string>

const read = (name: string): Record<string, Entry> => JSON.parse(readFileSync(join(directory, name), 'utf8'))

const forms = (entry: Entry): string[] => (typeof entry === 'string' ? [entry] : Object.values(entry))

/** The placeholders of all forms of an entry, `count` apart: a language may say "one" in words. */
const places = (entry: Entry | undefined): string[] =>
  [...new Set(forms(entry ?? '').flatMap((text) => text.match(/\{\w+\}/g) ?? []))]
    .filter((place) => place !== '{count}')
    .sort()

describe('the dictionaries of the panel', () => {
  it('are there', () => {
    expect(areas).toContain('shell')
  })

  it.each(areas)('%s has the same keys in both languages', (area) => {
    const [en, de] = [read(`${area}.en.json`), read(`${area}.de.json`)]
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort())
  })

  it.each(areas)('%s has the same places for values in both languages', (area) => {
    const [en, de] = [read(`${area}.en.json`), read(`${area}.de.json`)]
    const wrong = Object.keys(en).filter((key) => places(en[key]).join() !== places(de[key]).join())
    expect(wrong).toEqual([])
  })

  it.each(areas)('%s leaves no entry empty', (area) => {
    const all = [...Object.entries(read(`${area}.en.json`)), ...Object.entries(read(`${area}.de.json`))]
    expect(all.filter(([, entry]) => forms(entry).some((text) => text.trim() === ''))).toEqual([])
  })
})
