/**
 * The receiving side's state, and the steps that calls with and without error correction have in common: identification,
 * the next page, and every way a call ends (ITU-T T.30, 5.2 and 5.3.6.1). Pure.
 */
import type { CallFacts, CallInResult, FaxFailure, FaxSettings } from '../contract.ts'
import type { Action, Effects, News } from './actions.ts'
import { buildCapabilities, type Choice } from './capabilities.ts'
import { buildIdentity, type Frame, type FrameName, type Outgoing, type PageEnd } from './frames.ts'
import type { Modulation } from './modulation.ts'

/** T1 (5.4.3.1: 35 s +-5 s): how long whoever called may stay silent. */
export const T1_MS = 35_000
/** T2 (6 s +-1 s): how long the next command of a call that goes on may take. */
export const T2_MS = 6_000
/** T4 (3.0 s +-15 %): how long DIS waits for its answer. */
export const T4_MS = 3_000
/** How long the gateway may take to keep a page before the sender is told to wait. */
export const KEEP_MS = 1_500

export interface ReceiveJob {
  settings: FaxSettings
  /** What our modem can receive. */
  modulations: readonly Modulation[]
}

/** What a command was answered with: for a sender that asks again because it did not hear. */
export interface Answered {
  /** The command's own page and partial page; -1: it did not follow a page, and repeats itself by other means. */
  page: number
  block: number
  frames: readonly Outgoing[]
  next: Next
}

/** Which page and partial page a post-page message closes, as its sender counts them; 0 without error correction. */
export interface Message {
  page: number
  block: number
}

/** What comes after an answer was sent. */
export type Next = 'page' | 'page-retrained' | 'training' | 'identification' | 'goodbye'

export type Place =
  | { at: 'identifying' }
  | { at: 'command' }
  | { at: 'training' }
  | { at: 'answering'; next: Next }
  /** Hears a page. */
  | { at: 'page' }
  /** A page was heard; its post-page message comes. */
  | { at: 'post-page'; tries: number; until: number }
  /** A damaged post-page message was asked for again. */
  | { at: 'crp'; tries: number; until: number }
  | { at: 'judging'; end: PageEnd }
  | { at: 'judging-block'; end: PageEnd | 'NULL'; message: Message }
  | { at: 'closing-block'; answer: FrameName; message: Message }
  | { at: 'keeping'; end: PageEnd; answer: FrameName; message: Message }
  /** The sender was told to wait, or was not answered, because the page is still being kept. */
  | { at: 'wait-told'; end: PageEnd; answer: FrameName; message: Message }
  | { at: 'wait-asked'; end: PageEnd; answer: FrameName; message: Message }
  /** A page that was cut off is kept, then the call ends; `gone`: there is nobody any more to be told so. */
  | { at: 'rescuing'; end: Ending; gone: boolean }
  | { at: 'leaving'; end: Ending }
  | { at: 'ended'; result: CallInResult }

/** How a call ends: undefined in order. */
export type Ending = { failure: FaxFailure; text: string } | undefined

export interface Receiver {
  readonly job: ReceiveJob
  readonly place: Place
  readonly started: number
  /** Until when whoever called may stay silent. */
  readonly patience: number
  readonly choice?: Choice
  /** Pages kept. */
  readonly pages: number
  /** Whether anything of a page is here that is not kept. */
  readonly open: boolean
  /** Page data was heard since the last answer. */
  readonly fresh: boolean
  /** The page that comes may be the one that was kept last: nobody knows whether its sender heard our answer. */
  readonly doubtful: boolean
  /** Its carrier was lost before the page, or the partial page, was over. */
  readonly cut: boolean
  /** When page data or DCS last came, or a page was kept. */
  readonly progress: number
  /** How often the page that is coming was refused. */
  readonly refusals: number
  readonly answered?: Answered
  readonly facts: CallFacts
}

export interface ReceiverStep {
  state: Receiver
  effects: Effects
}

export const go = (
  state: Receiver,
  place: Place,
  action: Action,
  news: readonly News[] = [],
): ReceiverStep => ({ state: { ...state, place }, effects: { news, action } })

/** CSI and DIS (5.3.6.1.1). */
export function identify(state: Receiver): ReceiverStep {
  const { settings, modulations } = state.job
  const frames: Outgoing[] = [
    { name: 'CSI', fif: buildIdentity(settings.station) },
    { name: 'DIS', fif: buildCapabilities(settings, modulations) },
  ]
  return go(
    state,
    { at: 'identifying' },
    {
      do: 'frames',
      frames: settings.station.trim() === '' ? frames.slice(1) : frames,
    },
  )
}

/** Sends an answer, and remembers it for a sender that did not hear it. */
export function answer(
  state: Receiver,
  frames: readonly Outgoing[],
  next: Next,
  message: Message | undefined,
): ReceiverStep {
  const { page, block } = message ?? { page: -1, block: -1 }
  const answered = { page, block, frames, next }
  return go({ ...state, answered, fresh: false }, { at: 'answering', next }, { do: 'frames', frames })
}

export function hearPage(state: Receiver, retrained: boolean): ReceiverStep {
  const { choice } = state
  if (!choice) return end(state, { failure: 'fax-protocol', text: 'the sender never said how it sends' })
  const text = `receiving page ${state.pages + 1} at ${choice.modulation.rate} bit/s${choice.ecm ? ' with ECM' : ''}`
  return go(state, { at: 'page' }, { do: 'hear-page', choice, retrained }, [{ news: 'progress', text }])
}

export const command = (state: Receiver, within: number): ReceiverStep =>
  go(state, { at: 'command' }, { do: 'listen', within })

/** What is here of a page is kept first, then the call ends. @param gone whether the sender is */
export function end(state: Receiver, ending: Ending, gone = false): ReceiverStep {
  const { choice } = state
  if (state.open && choice) {
    return go(
      { ...state, open: false },
      { at: 'rescuing', end: ending, gone },
      {
        do: 'keep',
        choice,
        complete: false,
        doubtful: false,
        within: KEEP_MS * 10,
      },
    )
  }
  return leave(state, ending)
}

export const leave = (state: Receiver, ending: Ending): ReceiverStep =>
  go(state, { at: 'leaving', end: ending }, { do: 'frames', frames: [{ name: 'DCN' }] })

/** The sender has hung up, or nothing is to be said to it any more. */
export function over(state: Receiver, ending: Ending): ReceiverStep {
  return go(state, { at: 'ended', result: resultOf(state, ending) }, { do: 'hang-up' })
}

function resultOf({ pages, facts, choice }: Receiver, ending: Ending): CallInResult {
  if (ending === undefined) return { result: 'received', pages, facts }
  if (!choice && pages === 0 && ending.failure === 'fax-no-machine') {
    return { result: 'no-fax', text: ending.text }
  }
  return { result: 'partial', pages, ...ending, facts }
}

export const has = (frames: readonly Frame[], name: FrameName): boolean =>
  frames.some((frame) => frame.name === name)
