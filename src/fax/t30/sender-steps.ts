/**
 * The sending side's state, and the steps that calls with and without error correction have in common: training, the
 * next page, and every way a call ends (ITU-T T.30, 5.2 and 5.3.6.1). Pure.
 */
import type { Reason } from '#messages/states.ts'
import type { CallFacts, CallOutResult, FaxFailure, FaxSettings } from '../contract.ts'
import type { Action, Effects, News } from './actions.ts'
import { buildChoice, type Capabilities, type Choice, choose, type Resolution } from './capabilities.ts'
import { buildIdentity, type Frame, type FrameName, type Outgoing, type PageEnd } from './frames.ts'
import type { Modulation } from './modulation.ts'

/** T1: how long a machine that may be there is looked for (5.4.3.1: 35 s +-5 s). */
export const T1_MS = 35_000
/** T4: how long a command waits for its answer to begin (3.0 s +-15 %). */
export const T4_MS = 3_000
export const MOST_TRIES = 3

export interface SendJob {
  settings: FaxSettings
  /** What our modem can send. */
  modulations: readonly Modulation[]
  /** Resolution of each page. */
  pages: readonly Resolution[]
  /** The first page to send. */
  from: number
}

/** A partial page and what is known of it. */
export interface BlockPlace {
  block: number
  /** PPR in a row for this partial page at this speed. */
  requests: number
}
export interface SentBlock extends BlockPlace {
  frames: number
  /** What follows it; NULL: another partial page of the same page. */
  end: PageEnd | 'NULL'
}

export type EcmPlace =
  | ({ at: 'block' } & BlockPlace)
  | ({ at: 'pps' } & SentBlock)
  | ({ at: 'pps-answer' } & SentBlock)
  | ({ at: 'rr'; until: number } & SentBlock)
  | ({ at: 'rr-answer'; until: number } & SentBlock)
  | ({ at: 'ctc'; missing: readonly number[] } & SentBlock)
  | ({ at: 'ctc-answer'; missing: readonly number[] } & SentBlock)

/** Where the dialogue is; the input that comes is the outcome of the action that goes with it. */
export type Place =
  | { at: 'identification'; until: number }
  | { at: 'training' }
  | { at: 'training-answer' }
  | { at: 'page' }
  | { at: 'post-page'; end: PageEnd }
  | { at: 'post-page-answer'; end: PageEnd }
  | EcmPlace
  | { at: 'leaving'; result: CallOutResult }
  | { at: 'ended'; result: CallOutResult }

export interface Sender {
  readonly job: SendJob
  readonly place: Place
  /** The page being sent; those before it are confirmed. */
  readonly page: number
  readonly other?: Capabilities
  readonly rates: readonly Modulation[]
  readonly choice?: Choice
  /** How often the command under way was sent. */
  readonly tries: number
  /** How often this page was refused (RTN). */
  readonly refusals: number
  readonly facts: CallFacts
}

export interface SenderStep {
  state: Sender
  effects: Effects
}

/** DCS and TCF (5.3.6.1.3) at this speed. */
export function train(state: Sender, modulation: Modulation): SenderStep {
  const { other, job } = state
  const resolution = job.pages[state.page]
  if (!other || resolution === undefined) return leave(state, 'fax-protocol', 'there is no such page')
  const choice = choose(job.settings, other, modulation, resolution)
  const facts = { ...state.facts, rate: modulation.rate, ecm: choice.ecm, coding: choice.coding }
  const frames: Outgoing[] = [
    { name: 'TSI', fif: buildIdentity(job.settings.station) },
    { name: 'DCS', fif: buildChoice(choice) },
  ]
  return go(
    { ...state, choice, facts, tries: state.tries + 1 },
    { at: 'training' },
    {
      do: 'train',
      frames: job.settings.station.trim() === '' ? frames.slice(1) : frames,
      choice,
      page: state.page,
    },
    [{ news: 'progress', text: `training at ${modulation.rate} bit/s (${modulation.standard})` }],
  )
}

export function nextRate({ rates, choice }: Sender): Modulation | undefined {
  return choice && rates[rates.indexOf(choice.modulation) + 1]
}

/** The page, or its first partial page. */
export function sendPage(state: Sender): SenderStep {
  const { choice, page } = state
  if (!choice) return dropped(state)
  const text = `page ${page + 1} of ${state.job.pages.length} at ${choice.modulation.rate} bit/s${choice.ecm ? ' with ECM' : ''}`
  const news: News[] = [{ news: 'progress', text }]
  if (!choice.ecm) return go(state, { at: 'page' }, { do: 'page', page, choice }, news)
  const place: Place = { at: 'block', block: 0, requests: 0 }
  return go(state, place, { do: 'block', page, block: 0, choice, retrained: false }, news)
}

/** EOP after the last page, MPS before one of the same kind, EOM before one that needs another DCS (5.3.6.1.6). */
export function pageEndOf({ job, page, other }: Sender): PageEnd {
  const next = job.pages[page + 1]
  if (next === undefined) return 'EOP'
  return next === job.pages[page] || other?.fine === false ? 'MPS' : 'EOM'
}

/** The page is the other end's. @param retrain it asks for a new training before the next one */
export function confirmed(state: Sender, end: PageEnd, retrain: boolean): SenderStep {
  const news: News[] = [{ news: 'confirmed', page: state.page }]
  const next: Sender = { ...state, page: state.page + 1, tries: 0, refusals: 0 }
  const told = (step: SenderStep): SenderStep => ({
    ...step,
    effects: { ...step.effects, news: [...news, ...step.effects.news] },
  })
  if (end === 'EOP') return told(farewell(next, { result: 'sent', facts: next.facts }))
  if (end === 'EOM') {
    // The other end begins anew with DIS (5.3.6.1.6), after its T2 of 6 s.
    return told(
      go(next, { at: 'identification', until: Number.POSITIVE_INFINITY }, { do: 'listen', within: T1_MS }),
    )
  }
  return told(retrain && next.choice ? train(next, next.choice.modulation) : sendPage(next))
}

/** RTN: the page is sent again after a new training, one rate lower. */
export function refused(state: Sender): SenderStep {
  const refusals = state.refusals + 1
  if (refusals >= MOST_TRIES) {
    return leave(state, 'fax-poor-copy', `page ${state.page + 1} came over too poorly ${refusals} times`)
  }
  const modulation = nextRate(state) ?? state.choice?.modulation
  return modulation ? train({ ...state, refusals, tries: 0 }, modulation) : dropped(state)
}

/**
 * DCN instead of an answer: the other end did not take the page, and says so. To a last page that was ended twice it may
 * mean that its confirmation went by unheard.
 */
export function refusedByLeaving(state: Sender, end: PageEnd | 'NULL'): SenderStep {
  const text = `the other machine hung up instead of confirming page ${state.page + 1}`
  if (end !== 'EOP' || state.tries < 2) return ended(state, failed(state, 'fax-page-refused', text))
  return ended(state, { result: 'unknown', text, confirmed: state.page, facts: state.facts })
}

/** The last post-page answer is lost: then nobody knows whether the page was taken. */
export function unanswered(state: Sender, end: PageEnd | 'NULL'): SenderStep {
  const text = `page ${state.page + 1} was sent, and its confirmation never came`
  if (end === 'EOP') {
    return farewell(state, { result: 'unknown', text, confirmed: state.page, facts: state.facts })
  }
  return leave(state, 'fax-line-dropped', text)
}

export const stopped = (state: Sender, reason: Reason): SenderStep =>
  farewell(state, { result: 'stopped', reason, confirmed: state.page, facts: state.facts })

export const starved = (state: Sender): SenderStep =>
  leave(
    state,
    'fax-too-slow',
    `this computer was too busy to keep the modem supplied during page ${state.page + 1}`,
  )

export const dropped = (state: Sender): SenderStep =>
  ended(state, failed(state, 'fax-line-dropped', `the line was dropped on page ${state.page + 1}`))

export const has = (frames: readonly Frame[], name: FrameName): boolean =>
  frames.some((frame) => frame.name === name)

export function failed(state: Sender, failure: FaxFailure, text: string): CallOutResult {
  return { result: 'failed', failure, text, confirmed: state.page, facts: state.facts }
}

/** Tells the other end that the call is over, and why it was for us. */
export const leave = (state: Sender, failure: FaxFailure, text: string): SenderStep =>
  farewell(state, failed(state, failure, text))

export function farewell(state: Sender, result: CallOutResult): SenderStep {
  return go(state, { at: 'leaving', result }, { do: 'frames', frames: [{ name: 'DCN' }] })
}

export const ended = (state: Sender, result: CallOutResult): SenderStep =>
  go(state, { at: 'ended', result }, { do: 'hang-up' })

export const go = (state: Sender, place: Place, action: Action, news: readonly News[] = []): SenderStep => ({
  state: { ...state, place },
  effects: { news, action },
})
