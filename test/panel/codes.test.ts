/**
 * What the appliance says by codes and sentences, in the language of the panel: every documented code that can come to a
 * page has German words, sentences are those of the sources, and what is wrong with a setting is always known.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Book, patternsOf, translated, withPlaces } from '../../src/panel/shell/said-patterns.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const words = (path: string): Record<string, string> => JSON.parse(read(`src/panel/${path}.json`))

type Kind = 'refusal' | 'reason' | 'audit'

/** What may show codes of a section of docs/errors.md; none where nothing of it comes to a page. */
const sections: Record<string, readonly Kind[]> = {
  'A request as such': ['refusal'],
  Access: ['refusal'],
  'The panel and its users': ['refusal'],
  Fields: ['refusal'],
  'Replicated settings': ['refusal'],
  'Own configuration, backup and restore': ['refusal'],
  Messages: ['refusal'],
  // Their clients are programs.
  'Foreign interfaces': [],
  'E-mail to SMS': [],
  'MQTT and Modbus': [],
  Lines: ['refusal'],
  'Reasons of a delivery': ['reason'],
  'What status reports say': ['reason'],
  'What modem and network refuse': ['reason'],
  'Actions on received messages': ['reason'],
  'Fax calls': ['reason', 'refusal'],
  Documents: ['reason', 'refusal'],
  'States of a line': ['reason'],
  // Nobody has a page before the start.
  'At start': [],
  'While it runs': ['refusal'],
  'The pair: links': ['audit'],
  'The pair: replication': ['refusal'],
  'The pair: witness': ['audit'],
  'The pair: joining': ['refusal'],
  'The pair: commands': ['refusal'],
  'The audit log': ['audit'],
  'The pair: roles, guard and address': ['refusal'],
}
/** Codes of those sections that no page meets, and why. */
const nowhere: Record<string, string> = {
  'too-many-documents': 'mail only',
  'message-known': 'log only',
  'witness-state': 'the witness alone',
  'log-malformed': 'log only',
  'snapshot-over': 'between members',
  'request-malformed': 'between members',
  'member-document-unknown': 'between members',
  redirected: 'browsers that are logged in are not redirected',
}

const alarms = Object.keys(words('words/home.de')).flatMap((key) => /^alarm\.(.+)/.exec(key)?.[1] ?? [])
const reasons = new Set(
  [words('words/reasons.de'), words('codes/reasons.de')].flatMap((entries) => Object.keys(entries)),
)
const refusals = new Set(
  [words('words/problems.de'), words('codes/refusals.de')].flatMap((entries) => Object.keys(entries)),
)
const known: Record<Kind, ReadonlySet<string>> = {
  // Fax calls and documents are told of in either way, each code in one; alarms stand on the front page.
  reason: new Set([...reasons, ...refusals]),
  refusal: new Set([...refusals, ...reasons, ...alarms]),
  audit: new Set([...Object.keys(words('codes/audit.de')), ...refusals]),
}

interface Row {
  section: string
  code: string
}

function documented(): Row[] {
  let section = ''
  return read('docs/errors.md')
    .split('\n')
    .flatMap((line) => {
      section = /^#{2,3} (.+)/.exec(line)?.[1] ?? section
      const first = /^\| ((?:`[a-z0-9-]+`(?:, )?)+) \|/.exec(line)?.[1] ?? ''
      return [...first.matchAll(/`([a-z0-9-]+)`/g)].map(([, code = '']) => ({ section, code }))
    })
}

describe('codes', () => {
  it('have German words wherever a page can show them', () => {
    const rows = documented()
    expect(rows.length).toBeGreaterThan(250)
    expect([...new Set(rows.map(({ section }) => section))].filter((name) => !(name in sections))).toEqual([])
    const silent = rows
      .filter(({ code }) => !(code in nowhere))
      .filter(({ section, code }) => (sections[section] ?? []).some((kind) => !known[kind].has(code)))
    expect(silent).toEqual([])
  })

  it('of the front page have a title each', () => {
    const given = ['pair', 'intake', 'fax', 'dispatch'].flatMap((room) => alarmsIn(room))
    expect(given.length).toBeGreaterThan(4)
    expect(given.filter((code) => !alarms.includes(code))).toEqual([])
  })

  it('of the audit log have a title each', () => {
    const written = sources('src').flatMap((text) =>
      [...text.matchAll(/audit\??\.write\(\s*[^,]+,\s*'([a-z-]+)'/g)].map(([, code = '']) => code),
    )
    expect(written.length).toBeGreaterThan(20)
    expect(written.filter((code) => !known.audit.has(code))).toEqual([])
  })
})

const sources = (path: string): string[] =>
  readdirSync(join(root, path), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts') && !name.startsWith('panel/'))
    .map((name) => read(`${path}/${name}`))

const alarmsIn = (room: string): string[] =>
  sources(`src/${room}`).flatMap((text) =>
    [...text.matchAll(/\b(?:raise|alarm)\(\s*(?:d, |s, )?'([a-z-]+)'/g)].map(([, code = '']) => code),
  )

const written = { ...words('words/said.en'), ...words('codes/sentences.en') }
const german = { ...words('words/said.de'), ...words('codes/sentences.de') }
const books: Book[] = [
  {
    patterns: patternsOf(written),
    word: (key, values) => german[key]?.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place),
  },
]
const placesOf = (text = ''): string[] => text.match(/\{\w+\}/g) ?? []

describe('names and figures of a refusal', () => {
  const [, values = ''] = /### Values\n([\s\S]*?)\n## /.exec(read('docs/errors.md')) ?? []
  const facts = values
    .split(/;|\n- /)
    .map((part) => [...part.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name))

  it('are documented with the code', () => {
    const places = {
      ...words('codes/refusals.de'),
      ...words('words/problems.de'),
      ...words('words/problems.en'),
    }
    const filled = Object.entries(places).flatMap(([code, text]) =>
      [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ code, name })),
    )
    const given = filled.filter(
      ({ name }) => !['field', 'why', 'text', 'choices', 'time', 'zone'].includes(name),
    )
    expect(given.length).toBeGreaterThan(20)
    expect(
      given.filter(({ code, name }) => !facts.some((fact) => fact.includes(code) && fact.includes(name))),
    ).toEqual([])
  })

  it('leave out what is not known, and say the rest', () => {
    const text = 'Zu viel ({number}). Höchstens {most} gehen. Teilen Sie es.'
    expect(withPlaces(text, ['number', 'most'])).toBe(text)
    expect(withPlaces(text, ['most'])).toBe('Zu viel. Höchstens {most} gehen. Teilen Sie es.')
    expect(withPlaces(text, [])).toBe('Zu viel. Teilen Sie es.')
  })
})

describe('sentences', () => {
  it.each(['audit', 'reasons', 'sentences'])('have the same keys in both languages: %s', (name) => {
    const [en, de] = [words(`codes/${name}.en`), words(`codes/${name}.de`)]
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort())
    // German may leave one out, not have one more: nothing would fill it.
    const strange = Object.keys(en).filter((key) =>
      placesOf(de[key]).some((place) => !placesOf(en[key]).includes(place)),
    )
    expect(strange).toEqual([])
  })

  it('stand once', () => {
    const often = Object.keys(words('words/said.en'))
    expect(Object.keys(words('codes/sentences.en')).filter((key) => often.includes(key))).toEqual([])
    const all = Object.values(written)
    expect(all.filter((text, n) => all.indexOf(text) !== n)).toEqual([])
  })

  it('are all known where they say what is wrong with a setting', () => {
    const said = sources('src/config').flatMap((text) =>
      [
        ...text.matchAll(
          /\b(?:problem|report)\((?:[^'`\n]|'[^' ]*'|\[[^\]]*\])*?(?:`((?:[^`]| )+)`|'([^'\n]+ [^'\n]+)')\)/g,
        ),
        ...text.matchAll(/\ballowed: (?:`([^`]+)`|'([^']+)')/g),
      ].map(([, template, plain]) => template ?? plain ?? ''),
    )
    const filled = said
      .map((text) => text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '7'))
      // The examples of ports stand in a constant; they are known in whole.
      .filter((text) => /[a-z]{3}/.test(text) && text !== 'write 7')
    expect(filled.length).toBeGreaterThan(70)
    const unknown: string[] = []
    for (const text of filled) translated(text, books, (part) => part === '7' || unknown.push(part))
    expect(unknown).toEqual([])
  })

  it('are all known where the audit log says what somebody did', () => {
    const said = sources('src').flatMap((text) =>
      [...text.matchAll(/\baudit(?:\.write)?\(\s*[^'`]+,\s*'[a-z-]+',\s*(?:`([^`]+)`|'([^']+)')/g)].map(
        ([, template, plain]) => template ?? plain ?? '',
      ),
    )
    const filled = said.map((text) => text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, 'box-b'))
    expect(filled.length).toBeGreaterThan(25)
    const examples = [
      'ann is operator',
      'ann: role admin, new password, new language',
      'line gsm0: restart',
      'line gsm0 sends nothing for 1h',
      'active in term 3 of box-b: it stops',
      'takeover on command',
      'box-a is active. box-b had nothing new and lacked nothing.',
    ]
    const unknown: string[] = []
    // What consists of variables is said by the examples.
    const templates = filled.filter(
      (text) => !text.includes('box-bbox-b') && /[a-z]{4}/.test(text.replaceAll('box-b', '')),
    )
    for (const text of [...templates, ...examples])
      translated(text, books, (part) => part === 'box-b' || unknown.push(part))
    expect(unknown).toEqual([])
  })

  it('become German, line by line and with what stands within', () => {
    const say = (text: string) => translated(text, books)
    expect(
      say('pair.vip: this value is not allowed here; write the name of a network interface, such as eth0'),
    ).toBe(
      'pair.vip: dieser Wert ist hier nicht erlaubt; schreiben Sie den Namen einer Netzschnittstelle, etwa eth0',
    )
    expect(say('line 3: is missing\nline 4: must be a text\nnothing was changed')).toBe(
      'Zeile 3: fehlt\nZeile 4: muss ein Text sein\nes wurde nichts geändert',
    )
    expect(
      say('box-b was not reached. Start box-b, or look at the network between the two, and run this again.'),
    ).toBe(
      'box-b war nicht zu erreichen. Starten Sie box-b, oder sehen Sie nach dem Netz zwischen beiden, und wiederholen Sie dies.',
    )
    expect(say('box-a is active. box-b had nothing new and lacked nothing.')).toBe(
      'box-a ist aktiv. box-b hatte nichts Neues und ihm fehlte nichts.',
    )
    expect(say('standby in term 3 of box-b: box-b gave up')).toBe(
      'in Bereitschaft in Amtszeit 3 von box-b: box-b hat abgegeben',
    )
  })
})
