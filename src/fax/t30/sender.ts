/**
 * The sending side of ITU-T T.30 (5.2, figure 5-2, and Annex A): which frame, training or page comes next, and what the
 * other end's answer means. Pure.
 *
 * A page counts as sent when MCF or RTP came for it and at no other moment. A command that is not answered goes out
 * three times (5.4.2). With error correction sender-ecm.ts decides what follows a partial page.
 */
import type { Reason } from '#messages/states.ts'
import type { FaxFailure } from '../contract.ts'
import type { Input } from './actions.ts'
import { type Capabilities, readCapabilities } from './capabilities.ts'
import { type PageEnd, readIdentity } from './frames.ts'
import { ladder } from './modulation.ts'
import { stepEcm } from './sender-ecm.ts'
import {
  confirmed,
  dropped,
  ended,
  failed,
  go,
  has,
  leave,
  MOST_TRIES,
  nextRate,
  pageEndOf,
  refused,
  refusedByLeaving,
  type Sender,
  type SenderStep,
  type SendJob,
  sendPage,
  starved,
  stopped,
  T1_MS,
  T4_MS,
  train,
  unanswered,
} from './sender-steps.ts'

export const startSender = (job: SendJob): Sender => ({
  job,
  place: { at: 'identification', until: Number.POSITIVE_INFINITY },
  page: job.from,
  rates: [],
  tries: 0,
  refusals: 0,
  facts: {},
})

/** The wait for a post-page answer must not be cut short: it decides whether a page counts as sent. */
export const mayInterrupt = ({ place }: Sender): boolean =>
  place.at === 'identification' || place.at === 'training' || place.at === 'page' || place.at === 'block'

export function stepSender(state: Sender, input: Input, now: number): SenderStep {
  const { place } = state
  if (place.at === 'ended') return ended(state, place.result)
  if (place.at === 'leaving') return ended(state, place.result)
  if (input.got === 'trouble') return troubled(state, input.failure, input.text)
  if (input.got === 'abort') return aborted(state, input.reason)
  switch (place.at) {
    case 'identification':
      return identification(state, place.until, input, now)
    case 'training':
      return go(state, { at: 'training-answer' }, { do: 'listen', within: T4_MS })
    case 'training-answer':
      return trainingAnswer(state, input)
    case 'page':
      return afterPage(state, input)
    case 'post-page':
      return go(state, { at: 'post-page-answer', end: place.end }, { do: 'listen', within: T4_MS })
    case 'post-page-answer':
      return postPageAnswer(state, place.end, input)
    default:
      return stepEcm(state, place, input, now)
  }
}

function identification(state: Sender, until: number, input: Input, now: number): SenderStep {
  const end = Number.isFinite(until) ? until : now + T1_MS
  const frames = input.got === 'frames' ? input.frames : []
  const named = frames.find(({ name }) => name === 'CSI' || name === 'CIG')
  const station = named && readIdentity(named.fif)
  const known = station === undefined ? state : { ...state, facts: { ...state.facts, station } }
  const dis = frames.find(({ name }) => name === 'DIS' || name === 'DTC')
  if (dis) return identified(known, readCapabilities(dis.fif))
  if (has(frames, 'DCN')) return dropped(known)
  if (input.got !== 'silence' && end > now) {
    return go(known, { at: 'identification', until: end }, { do: 'listen', within: end - now })
  }
  return leave(known, 'fax-no-machine', 'the call was answered, but no fax machine made itself known')
}

function identified(state: Sender, other: Capabilities): SenderStep {
  const { job } = state
  if (!other.receives) {
    return leave(state, 'fax-protocol', 'the other machine says that it cannot receive')
  }
  const rates = ladder(job.modulations, other.modulations, job.settings.maxRate)
  const modulation = rates[0]
  if (!modulation) return leave(state, 'fax-protocol', 'the two machines have no speed in common')
  return train({ ...state, other, rates, tries: 0 }, modulation)
}

function trainingAnswer(state: Sender, input: Input): SenderStep {
  const { choice } = state
  if (!choice) return dropped(state)
  const frames = input.got === 'frames' ? input.frames : []
  if (has(frames, 'CFR')) return sendPage({ ...state, tries: 0 })
  if (has(frames, 'FTT')) return slower(state)
  if (has(frames, 'DCN')) return dropped(state)
  // Nothing, or something else (DIS: DCS was not heard; CRP): once more, the third time at a lower speed if there is one.
  if (state.tries >= MOST_TRIES) {
    return leave(state, 'fax-training-failed', 'the other machine did not answer the training')
  }
  const next = state.rates[state.rates.indexOf(choice.modulation) + 1]
  return train(state, state.tries === MOST_TRIES - 1 && next ? next : choice.modulation)
}

function slower(state: Sender): SenderStep {
  const next = nextRate(state)
  if (next) return train({ ...state, tries: 0 }, next)
  return leave(state, 'fax-training-failed', 'the line was too poor for every speed')
}

function afterPage(state: Sender, input: Input): SenderStep {
  if (input.got === 'forbidden') return stopped(state, input.reason)
  if (input.got === 'starved') return starved(state)
  if (input.got !== 'sent') return dropped(state)
  return postPage({ ...state, tries: 0 }, pageEndOf(state))
}

function postPage(state: Sender, end: PageEnd): SenderStep {
  return go(
    { ...state, tries: state.tries + 1 },
    { at: 'post-page', end },
    { do: 'frames', frames: [{ name: end }] },
  )
}

function postPageAnswer(state: Sender, end: PageEnd, input: Input): SenderStep {
  const frames = input.got === 'frames' ? input.frames : []
  // With an operator at hand (PIP, PIN) the answer means the same for the page (5.3.6.1.7).
  if (has(frames, 'MCF') || has(frames, 'PIP')) return confirmed(state, end, false)
  if (has(frames, 'RTP')) return confirmed(state, end, true)
  if (has(frames, 'RTN') || has(frames, 'PIN')) return refused(state)
  // DIS: the other end heard nothing of the page and has gone back to the beginning (phase B).
  if (has(frames, 'DIS')) return refused(state)
  if (has(frames, 'DCN')) return refusedByLeaving(state, end)
  if (state.tries < MOST_TRIES) return postPage(state, end)
  return unanswered(state, end)
}

/** The post-page message of the last page is out, or may be. */
const lastIsOpen = ({ place }: Sender): boolean =>
  'end' in place && place.end === 'EOP' && place.at !== 'ctc' && place.at !== 'ctc-answer'

function troubled(state: Sender, failure: FaxFailure, text: string): SenderStep {
  if (!lastIsOpen(state)) return ended(state, failed(state, failure, text))
  return ended(state, { result: 'unknown', text, confirmed: state.page, facts: state.facts })
}

const aborted = (state: Sender, reason: Reason): SenderStep =>
  lastIsOpen(state) ? unanswered(state, 'EOP') : stopped(state, reason)
