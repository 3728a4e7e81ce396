/** Sentences of the appliance that the panel knows by their words: they are those of the sources, and each is found. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { patternsOf, translated } from '../../../src/panel/shell/said-patterns.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const entries = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(join(root, 'src', 'panel', 'words', `said.${language}.json`), 'utf8'))
const [en, de] = [entries('en'), entries('de')]
const patterns = patternsOf(en)

const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
const german = (text: string): string =>
  translated(text, [{ patterns, word: (key, values) => filled(de[key] ?? '', values) }])

const sourcesIn = (...path: string[]): string[] =>
  readdirSync(join(root, 'src', ...path), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, 'src', ...path, name), 'utf8'))

/** A template with a name in each place; none where it consists of places alone. */
const sentenceOf = (whole: string): string[] => {
  const template = whole.replaceAll(/\$\{termText\([^)]*\)\}/g, '3 of box-b')
  return template.replaceAll(/\$\{[^}]*\}/g, '').trim() === ''
    ? []
    : [template.replaceAll(/\$\{[^}]*\}/g, 'box-b')]
}

describe('sentences that members write', () => {
  it('are those of the sources, word for word', () => {
    const sources = [
      ...sourcesIn('pair'),
      ...sourcesIn('config'),
      ...sourcesIn('intake', 'http'),
      readFileSync(join(root, 'src', 'app.ts'), 'utf8'),
    ]
    const strange = Object.entries(en).filter(([, text]) => {
      const parts = text
        .split(/\{\w+\}|(?<= s) | of term |this value/)
        .map((part) => part.replace(/^[ ,:]+|[ ,:]+$/g, ''))
      return !sources.some((source) => parts.every((part) => source.includes(part)))
    })
    expect(strange).toEqual([])
  })

  it('are all known where they say why a member has its role', () => {
    const found = sourcesIn('pair', 'role').flatMap((source) =>
      [
        ...source.matchAll(/(?:leave|withdraw)\(d, (?:`([^`]+)`|'([^']+)')/g),
        ...source.matchAll(/ reason: '([^']+)'()/g),
        ...source.matchAll(/s\.reason = (?:`([^`]+)`|'([^']+)')/g),
      ].flatMap(([, template, text]) => sentenceOf(template ?? text ?? '')),
    )
    const waiting = readFileSync(join(root, 'src', 'pair', 'role', 'waiting.ts'), 'utf8')
    const against = [...waiting.matchAll(/(?:return|\?|:) (?:'([^']+)'|`([^`]+)`)(?=\n)/g)].flatMap(
      ([, text, template]) => sentenceOf(text ?? template ?? ''),
    )
    expect(found.length).toBeGreaterThan(15)
    expect(against.length).toBeGreaterThan(12)
    const unknown = [...found, ...against].filter(
      (text) => !patterns.some(({ pattern }) => pattern.test(text)),
    )
    expect(unknown).toEqual([])
  })

  it('become German with their names and figures, and what stands within them too', () => {
    expect(german('SWITCH THIS SERVER TO ACTIVE, term 2 of box-b: maximum heart beat fails')).toBe(
      'SWITCH THIS SERVER TO ACTIVE, Amtszeit 2 von box-b: Höchstzahl fehlender Lebenszeichen erreicht',
    )
    expect(german('SWITCH THIS SERVER TO STANDBY of term 2 of box-a, box-b was told to take over')).toBe(
      'SWITCH THIS SERVER TO STANDBY, Amtszeit 2 von box-a: box-b wurde die Übernahme befohlen',
    )
    expect(german('box-a: error detected, count = 2')).toBe('box-a: Lebenszeichen fehlt, Zähler = 2')
    expect(
      german('"3x" is not allowed here; write a span such as 24h, from 1m to 7d (units: ms, s, m, h, d, w)'),
    ).toBe(
      '"3x" ist hier nicht erlaubt; schreiben Sie eine Dauer wie 24h, von 1m bis 7d (Einheiten: ms, s, m, h, d, w)',
    )
  })

  it('stay as they are where nothing fits', () => {
    expect(german('the term is 4')).toBe('the term is 4')
  })
})
