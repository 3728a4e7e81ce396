/**
 * What the appliance refused, in the user's language: by its code where the panel has words for it, otherwise in the
 * appliance's own sentence, which is English and names the field and what is allowed.
 */
import type { Answer, Problem } from './api.ts'
import { sentences } from './said.ts'
import { dictionary, language } from './words.ts'

export const problemWords = dictionary({
  en: async () => ({ default: (await import('../words/first.en.ts')).first.problems }),
  de: async () => ({ default: (await import('../words/first.de.ts')).first.problems }),
})

const FOUND_HERE = 'found-here'

/** What the page found by itself, before it asked: the detail is in the user's language already. */
export const foundHere = (field: string, detail: string): Answer<never> & { ok: false } => ({
  ok: false,
  problem: { status: 400, code: FOUND_HERE, detail, field },
})

export function problemText({ code, detail, status, allowed }: Problem): string {
  if (code === FOUND_HERE) return detail
  const own = problemWords.maybe(code)
  if (own !== undefined) return own
  if (status === 404 && code.startsWith('http-')) return problemWords.t('route-unknown')
  const choices = allowed?.map(String).join(', ') ?? ''
  const sentence = detail.slice(0, 1).toUpperCase() + detail.slice(1)
  const whole = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
  const said = language.value === 'en' ? whole : problemWords.t('said', { text: whole })
  return choices === '' || choices.length > 300 || sentence.includes(choices)
    ? said
    : `${said} ${problemWords.t('allowed', { choices })}`
}

export interface ReasonView {
  code: string
  text: string
}

const reasonWords = dictionary({
  en: async () => ({ default: (await import('../words/first.en.ts')).first.reasons }),
  de: async () => ({ default: (await import('../words/first.de.ts')).first.reasons }),
})

/** Why a line or a delivery is as it is, in plain words: a whole sentence. What has no words here is quoted. */
export function reasonText({ code, text }: ReasonView): string {
  const said = reasonWords.maybe(code, { text }) ?? reasonWords.t('other-code', { text })
  return /[.!?]$/.test(said) ? said : `${said}.`
}

export const problemDictionaries = [problemWords, reasonWords, sentences]
