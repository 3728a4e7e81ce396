/**
 * What the appliance refused, in the user's language: by its code where the panel has words for it, otherwise in the
 * appliance's own sentence, which is English and names the field and what is allowed.
 */
import type { Answer, Problem } from './api.ts'
import { filledAsFar, filledIn, rare } from './rare.ts'
import { saidText, sentences } from './said.ts'
import { dateTime, dictionary, language, zoneName } from './words.ts'

const problemWords = dictionary({
  en: async () => ({ default: (await import('../words/first.en.ts')).first.problems }),
  de: async () => ({ default: (await import('../words/first.de.ts')).first.problems }),
})

const FOUND_HERE = 'found-here'

/** What the page found by itself, before it asked: the detail is in the user's language already. */
export const foundHere = (field: string, detail: string): Answer<never> & { ok: false } => ({
  ok: false,
  problem: { status: 400, code: FOUND_HERE, detail, field },
})

export function problemText(problem: Problem): string {
  const { until } = problem
  const said = withoutTime(problem)
  if (until === undefined) return said
  return `${said} ${problemWords.t('until', { time: dateTime(until), zone: zoneName(until) })}`
}

function withoutTime(problem: Problem): string {
  const { code, detail, status, allowed, values = {} } = problem
  if (code === FOUND_HERE) return detail
  const own = problemWords.maybe(code)
  if (own !== undefined) return filledAsFar(own, values)
  if (status === 404 && code.startsWith('http-')) return problemWords.t('route-unknown')
  const sentence = asSentence(detail)
  const choices = allowed?.map(String).join(', ') ?? ''
  const said = language.value === 'en' ? sentence : inOwnWords(problem, sentence)
  return choices === '' || choices.length > 300 || said.includes(choices)
    ? said
    : `${said} ${problemWords.t('allowed', { choices })}`
}

function inOwnWords({ code, detail, field, values }: Problem, sentence: string): string {
  const whole = rare()
  if (whole === undefined) return '…'
  const known = whole.refusals[code]
  if (known === undefined) return problemWords.t('said', { text: sentence })
  const why = known.includes('{why}') ? saidText(detail) : ''
  return asSentence(
    filledAsFar(known, { ...values, field: field ?? whole.refusals['of-request'] ?? '', why }),
  )
}

const asSentence = (text: string): string => {
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`
}

export interface ReasonView {
  code: string
  text: string
}

/** Of pages that show reasons as a rule; where there is one only now and then, reasonText() asks for them. */
export const reasonWords = dictionary({
  en: () => import('../words/reasons.en.json'),
  de: () => import('../words/reasons.de.json'),
})

/**
 * Why a line or a delivery is as it is, in plain words: a whole sentence. What has no words here is quoted; `…` as long
 * as the words are on their way.
 */
export function reasonText({ code, text }: ReasonView): string {
  if (!reasonWords.here()) return '…'
  const [, before = text, , calls] = /^(.*?) Given up after (one call|(\d+) calls)\.$/.exec(text) ?? []
  const givenUp =
    before === text
      ? ''
      : ` ${rareReason(calls === undefined ? 'given-up-once' : 'given-up', { calls: calls ?? '' })}`
  const values = {
    /** Only where the words have a place for it: to say it may need words that are not here yet. */
    get text() {
      return language.value === 'en' ? before : saidText(before).replace(/\.$/, '')
    },
  }
  const said =
    reasonWords.maybe(code, values) ?? rareReason(code, values) ?? reasonWords.t('other-code', values)
  return `${asSentence(said)}${givenUp}`
}

/** @returns undefined for a code that has no words at all */
function rareReason(code: string, values: Readonly<Record<string, string>>): string | undefined {
  const whole = rare()
  if (whole === undefined) return '…'
  const known = whole.reasons[code]
  return known === undefined ? undefined : filledIn(known, values)
}

export const problemDictionaries = [problemWords, sentences]
