/**
 * The settings of a fax line: modem, identity, how it dials, how it answers, when it tries again.
 *
 * The pauses and limits of retries are those that fax servers have used for decades; identity as ITU-T T.30, 5.3.6.2.4
 * allows it (20 of digits, `+` and space).
 */
import { profileNames } from './modem-profiles.ts'
import type { Section } from './section.ts'
import { minutesOf, parseTime, parseZone } from './storm.ts'
import { matching } from './values.ts'

export const faxRates = [2400, 4800, 7200, 9600, 12000, 14400] as const
export type FaxRate = (typeof faxRates)[number]

export interface FaxRetrySettings {
  /** Pauses, ms, by what went wrong. */
  busy: number
  noAnswer: number
  protocol: number
  /** Calls that came through and brought nothing further, in a row, before the fax has failed. */
  tries: number
  /** Calls in all before it has failed. */
  dials: number
}

export interface FaxAnswerSettings {
  /** Rings before it goes off hook; 0: it never does. */
  rings: number
  /** What the modem says for the rings that count, such as `RING 2`; empty: every ring. */
  distinctive: readonly string[]
  /** Who is answered, by caller-ID: whole numbers, or beginnings with `*` at the end; empty: everybody. */
  callers: readonly string[]
  /** What one call may bring: pages, and ms from the answer on. */
  maxPages: number
  maxDuration: number
}

export interface FaxDialSettings {
  /** Dialled before every number, such as `0,` for an outside line (`,` is a pause). */
  prefix: string
  /** The own country's code without `+`; numbers of it are dialled with `national` in its place. Absent: none is. */
  country?: string
  /** In the place of `+` for numbers of other countries. */
  international: string
  national: string
}

/** Hours in which this line does not dial. */
export interface DoNotDial {
  /** Minutes since midnight. `until` before `from` is on the next day. */
  from: number
  until: number
  /** IANA name. */
  zone: string
  /** Messages of this priority and more urgent ones are dialled all the same; absent: none are. */
  except?: number
}

export interface FaxSettingsConfig {
  class: 'auto' | '1' | '2' | '2.0'
  /** Sender, time and page number stand above each page. */
  header: boolean
  /** Own number, as the other machine shows it. */
  station: string
  ecm: boolean
  maxRate: FaxRate
  /** `fine` is 196 rows an inch, `standard` 98. */
  resolution: 'fine' | 'standard'
  answer: FaxAnswerSettings
  dial: FaxDialSettings
  retry: FaxRetrySettings
  doNotDial: readonly DoNotDial[]
  /** Name of a profile in firmware-config/modems/fax that is used whatever the modem says of itself. */
  profile?: string
  /** Of several free lines of one cost, the one with the highest is taken; 1 to 255. */
  priority: number
}

const second = 1_000
const minute = 60 * second
const day = 1_440 * minute

export const faxRetryDefaults: FaxRetrySettings = {
  busy: 180 * second,
  noAnswer: 300 * second,
  protocol: 60 * second,
  tries: 3,
  dials: 12,
}

export const answerLimits = { pages: 500, duration: 120 * minute }
const DURATIONS = { min: 5 * minute, max: day }

export const LINE_PRIORITY = 100
const PAUSES = { min: second, max: day }

/** Reads what a fax line has beyond what every line has. */
export function readFaxLine(section: Section): FaxSettingsConfig {
  const settings: FaxSettingsConfig = {
    class: section.choice('class', ['auto', '1', '2', '2.0']) ?? 'auto',
    header: section.flag('header', true),
    station:
      section.parsed(
        'station',
        matching(/^[0-9+ ]{0,20}$/, 'write up to 20 digits, + and spaces, such as "+49 30 1234567"'),
      ) ?? '',
    ecm: section.flag('ecm', true),
    maxRate: readRate(section),
    resolution: section.choice('resolution', ['fine', 'standard']) ?? 'fine',
    answer: readAnswer(section.section('answer')),
    dial: readDial(section.section('dial')),
    retry: readRetry(section.section('retry')),
    doNotDial: section.sections('doNotDial').map(readHours),
    priority: section.whole('priority', LINE_PRIORITY, { min: 1, max: 255 }),
  }
  const profile = section.choice('profile', profileNames('fax'))
  if (profile !== undefined) settings.profile = profile
  return settings
}

function readRate(section: Section): FaxRate {
  const words = faxRates.map(String)
  const word = section.choice('maxRate', words)
  return faxRates.find((rate) => String(rate) === word) ?? 14400
}

function readAnswer(section: Section): FaxAnswerSettings {
  const rings = section.whole('rings', 2, { min: 0, max: 20 })
  const distinctive = section.words('distinctive').map(({ word, problem }) => {
    if (!/^[A-Z0-9][A-Z0-9 =]{0,19}$/.test(word)) problem('write what the modem says, such as "RING 2"')
    return word
  })
  const callers = section.words('callers').map(({ word, problem }) => {
    if (!/^\+?[0-9]{1,20}\*?$/.test(word)) problem('write a number, or a beginning such as "030*"')
    return word
  })
  const maxPages = section.whole('maxPages', answerLimits.pages, { min: 1, max: answerLimits.pages })
  const maxDuration = section.duration('maxDuration', answerLimits.duration, DURATIONS)
  section.finish()
  return { rings, distinctive, callers, maxPages, maxDuration }
}

function readDial(section: Section): FaxDialSettings {
  const signs = (key: string) =>
    section.parsed(key, matching(/^[0-9*#,W]{0,20}$/, 'write up to 20 of 0-9 * # , and W'))
  const country = section.parsed(
    'country',
    matching(/^[1-9][0-9]{0,2}$/, 'write the country code without +, such as "49"'),
  )
  const dial: FaxDialSettings = {
    prefix: signs('prefix') ?? '',
    international: signs('international') ?? '00',
    national: signs('national') ?? '0',
    ...(country === undefined ? {} : { country }),
  }
  section.finish()
  return dial
}

function readRetry(section: Section): FaxRetrySettings {
  const { busy, noAnswer, protocol, tries, dials } = faxRetryDefaults
  const retry: FaxRetrySettings = {
    busy: section.duration('busy', busy, PAUSES),
    noAnswer: section.duration('noAnswer', noAnswer, PAUSES),
    protocol: section.duration('protocol', protocol, PAUSES),
    tries: section.whole('tries', tries, { min: 1, max: 100 }),
    dials: section.whole('dials', dials, { min: 1, max: 100 }),
  }
  section.finish()
  return retry
}

function readHours(section: Section): DoNotDial {
  for (const key of ['from', 'until', 'zone']) section.required(key)
  const from = minutesOf(section.parsed('from', parseTime) ?? '00:00')
  const until = minutesOf(section.parsed('until', parseTime) ?? '00:01')
  if (from === until) section.problem('until', 'is the same time as from; these hours must end')
  const zone = section.parsed('zone', parseZone) ?? 'UTC'
  const hours: DoNotDial = { from, until, zone }
  if (section.has('except')) hours.except = section.whole('except', 0, { min: 0, max: 3 })
  section.finish()
  return hours
}
