/**
 * What follows from how a call ended: the outcome for dispatch, with the rule by which it is tried again. Pure; the
 * table stands in docs/fax.md too.
 */
import type { FaxRetrySettings } from '#config/fax.ts'
import type { Again, Outcome } from '#messages/outcome.ts'
import type { CallOutResult, FaxFailure } from './contract.ts'

interface Rule {
  /** Whose fault it is: with `line`, another line is tried at once. */
  scope: 'number' | 'line'
  pause: 'busy' | 'noAnswer' | 'protocol'
  /** It came through to somebody: after a few of those it has failed, however many calls are allowed. */
  counts: boolean
}

const rules: Record<FaxFailure, Rule> = {
  'fax-busy': { scope: 'number', pause: 'busy', counts: false },
  'fax-no-answer': { scope: 'number', pause: 'noAnswer', counts: false },
  'fax-no-dial-tone': { scope: 'line', pause: 'protocol', counts: false },
  'fax-no-carrier': { scope: 'number', pause: 'noAnswer', counts: true },
  // A person who picks up should not be rung often.
  'fax-no-machine': { scope: 'number', pause: 'noAnswer', counts: true },
  'fax-training-failed': { scope: 'number', pause: 'protocol', counts: true },
  'fax-page-refused': { scope: 'number', pause: 'protocol', counts: true },
  'fax-poor-copy': { scope: 'number', pause: 'protocol', counts: true },
  'fax-line-dropped': { scope: 'number', pause: 'protocol', counts: true },
  'fax-protocol': { scope: 'number', pause: 'protocol', counts: true },
  'fax-too-slow': { scope: 'line', pause: 'protocol', counts: true },
  'fax-modem': { scope: 'line', pause: 'protocol', counts: false },
}

const againAfter = ({ pause, counts }: Rule, settings: FaxRetrySettings): Again => ({
  pause: settings[pause],
  counts,
  tries: settings.tries,
  dials: settings.dials,
})

/** Drivers say what happened in the middle of a sentence. */
const sentence = (text: string): string => {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

/** @param pages how many the document has */
export function outcomeOf(result: CallOutResult, pages: number, settings: FaxRetrySettings): Outcome {
  switch (result.result) {
    case 'sent':
      return { result: 'accepted', progress: { confirmed: pages } }
    case 'stopped':
      return { result: 'notSent', reason: result.reason, progress: { confirmed: result.confirmed } }
    case 'unknown':
      return {
        result: 'unknown',
        reason: { code: 'fax-unknown', text: sentence(result.text) },
        step: pages - 1,
        progress: { confirmed: result.confirmed },
        again: againAfter(rules['fax-line-dropped'], settings),
      }
    case 'failed': {
      const rule = rules[result.failure]
      return {
        result: 'refused',
        scope: rule.scope,
        permanent: false,
        reason: { code: result.failure, text: sentence(result.text) },
        progress: { confirmed: result.confirmed },
        again: againAfter(rule, settings),
      }
    }
  }
}
