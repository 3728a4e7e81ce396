/**
 * The panel's words in the language of the user, and how times, spans and numbers are written in it (Intl).
 *
 * A page area has one dictionary per language, words/AREA.en.json and words/AREA.de.json. English is the measure: a
 * key that German lacks does not compile, and test/panel/words.test.ts compares the placeholders. Usage:
 *
 *   export const words = dictionary({
 *     en: () => import('../words/lines.en.json'),
 *     de: () => import('../words/lines.de.json'),
 *   })
 *   words.t('title')   words.t('retried', { count: 3 })     // `{count}`; an entry { one, other } is chosen by count
 *
 * A page lists its dictionaries in `page.words`; the router loads them before the page is drawn.
 */
import { effect, signal } from '@preact/signals'

export const languages = ['en', 'de'] as const
export type Language = (typeof languages)[number]

type Entry = string | { one: string; other: string }
type Values = Record<string, string | number>

export interface Loadable {
  load(language: Language): Promise<void>
}

export interface Dictionary<D> extends Loadable {
  t(key: keyof D & string, values?: Values): string
  /** For words whose key is made of a value, such as a state; the value itself when there is no such word. */
  maybe(key: string, values?: Values): string | undefined
  /** Whether its words are there; if not they are asked for, and who draws without them is drawn again with them. */
  here(): boolean
}

const stored = localStorage.getItem('twinline-language')
const isLanguage = (text: string | null | undefined): text is Language =>
  languages.some((language) => language === text)

const preferred = (): Language => {
  if (isLanguage(stored)) return stored
  return isLanguage(navigator.language.slice(0, 2)) && navigator.language.startsWith('de') ? 'de' : 'en'
}

export const language = signal<Language>(preferred())

effect(() => {
  document.documentElement.lang = language.value
})

const loaded = new Set<(wanted: Language) => Promise<void>>()

/** What is loaded once is loaded in every language that is chosen later. */
export const keepLoaded = (load: (wanted: Language) => Promise<void>): void => {
  loaded.add(load)
}

/** Loads the words of everything on the screen first, so that nothing is ever drawn half in one language. */
export async function setLanguage(wanted: string): Promise<void> {
  if (!isLanguage(wanted) || wanted === language.value) return
  await Promise.all([...loaded].map((load) => load(wanted)))
  localStorage.setItem('twinline-language', wanted)
  language.value = wanted
}

function filled(entry: Entry, values: Values): string {
  const text =
    typeof entry === 'string'
      ? entry
      : new Intl.PluralRules(language.value).select(Number(values['count'])) === 'one'
        ? entry.one
        : entry.other
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? number(value) : value
  })
}

export function dictionary<D extends Record<string, Entry>>(loaders: {
  en: () => Promise<{ default: D }>
  de: () => Promise<{ default: Record<keyof NoInfer<D>, Entry> }>
}): Dictionary<D> {
  const entries = signal<Partial<Record<Language, Record<string, Entry>>>>({})
  const load = async (wanted: Language): Promise<void> => {
    keepLoaded(load)
    if (entries.peek()[wanted] !== undefined) return
    const { default: words } = await loaders[wanted]()
    entries.value = { ...entries.peek(), [wanted]: words }
  }
  const maybe = (key: string, values: Values = {}): string | undefined => {
    const entry = entries.value[language.value]?.[key]
    return entry === undefined ? undefined : filled(entry, values)
  }
  const here = (): boolean => {
    if (entries.value[language.value] !== undefined) return true
    // What is not there now is asked for again by the next who draws.
    load(language.value).catch(() => undefined)
    return false
  }
  return { load, maybe, here, t: (key, values) => maybe(key, values) ?? key }
}

/** IANA zone that all times are shown in; the appliance says it (session.ts). */
export const zone = signal(Intl.DateTimeFormat().resolvedOptions().timeZone)

type Instant = string | number
const ms = (at: Instant): number => (typeof at === 'number' ? at : Date.parse(at))

const formats = new Map<string, Intl.DateTimeFormat>()
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value} ${zone.value} ${name}`
  let made = formats.get(key)
  if (made === undefined) {
    made = new Intl.DateTimeFormat(language.value === 'de' ? 'de-DE' : 'en-GB', {
      timeZone: zone.value,
      hour12: false,
      ...options,
    })
    formats.set(key, made)
  }
  return made
}

const clockTime = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
/** 18:04:09 */
export const time = (at: Instant): string => format('time', clockTime).format(ms(at))
/** 21 Nov 2026 */
export const date = (at: Instant): string =>
  format('date', { day: '2-digit', month: 'short', year: 'numeric' }).format(ms(at))
/** 21 Nov 2026, 18:04:09 */
export const dateTime = (at: Instant): string =>
  format('both', { day: '2-digit', month: 'short', year: 'numeric', ...clockTime }).format(ms(at))
/** 18:04:09.123, for timelines */
export const preciseTime = (at: Instant): string =>
  format('precise', { ...clockTime, fractionalSecondDigits: 3 }).format(ms(at))
/** For lists: 18:04:09 of today, 21 Nov, 18:04 of this year, otherwise the day alone. */
export function shortTime(at: Instant, now: number): string {
  if (date(at) === date(now)) return time(at)
  return date(at).slice(-4) === date(now).slice(-4)
    ? format('short', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' }).format(ms(at))
    : date(at)
}
/** CET, GMT+1 … what the zone is called at that time */
export const zoneName = (at: Instant): string =>
  format('zone', { timeZoneName: 'short', hour: '2-digit' })
    .formatToParts(ms(at))
    .find(({ type }) => type === 'timeZoneName')?.value ?? zone.value

export const number = (value: number, digits = 0): string =>
  // A hyphen is no minus.
  new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value).replace('-', '−')

const steps = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** 3 minutes ago, in 12 seconds, now. */
export function relative(at: Instant, now: number): string {
  const span = ms(at) - now
  const [unit, size] = steps.find(([, each]) => Math.abs(span) >= each) ?? ['second', 1_000]
  const count = Math.trunc(span / size)
  // `auto` has a word for now, but also says yesterday for 30 hours ago.
  return new Intl.RelativeTimeFormat(language.value, { numeric: count === 0 ? 'auto' : 'always' }).format(
    count,
    unit,
  )
}

/** 2 days, 3 minutes, 12 seconds: one unit, whole. @param span ms */
export function duration(span: number): string {
  const [unit, size] = steps.find(([, each]) => span >= each) ?? ['second', 1_000]
  return new Intl.NumberFormat(language.value, { style: 'unit', unit, unitDisplay: 'long' }).format(
    Math.floor(span / size),
  )
}

/** 12 kB. */
export function bytes(size: number): string {
  const [unit, each] = size >= 1_000_000 ? ['megabyte', 1_000_000] : ['kilobyte', 1_000]
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit: String(unit),
    maximumFractionDigits: 1,
  }).format(size / Number(each))
}
