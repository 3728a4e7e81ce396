/**
 * What follows a partial page on the sending side (ITU-T T.30, Annex A): PPS and its answers, frames that are asked for
 * again, CTC, and a receiver that is not ready (RR, RNR). Pure; called by sender.ts.
 */
import type { Input } from './actions.ts'
import { buildContinue } from './capabilities.ts'
import { buildPartial, readRequest } from './ecm.ts'
import { pageEnds } from './frames.ts'
import {
  type BlockPlace,
  confirmed,
  dropped,
  type EcmPlace,
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
  type SentBlock,
  starved,
  stopped,
  T4_MS,
  unanswered,
} from './sender-steps.ts'

/** After so many requests for frames of one partial page the speed is lowered (A.4.4, A.5). */
const MOST_REQUESTS = 4
/** T5: how long a receiver may say that it is not ready (60 s +-5 s). */
const T5_MS = 60_000

export function stepEcm(state: Sender, place: EcmPlace, input: Input, now: number): SenderStep {
  switch (place.at) {
    case 'block':
      return afterBlock(state, place, input)
    case 'pps':
      return go(state, { ...place, at: 'pps-answer' }, { do: 'listen', within: T4_MS })
    case 'pps-answer':
      return answer(state, place, input, now)
    case 'rr':
      return go(state, { ...place, at: 'rr-answer' }, { do: 'listen', within: T4_MS })
    case 'rr-answer':
      return answer(state, place, input, now)
    case 'ctc':
      return go(state, { ...place, at: 'ctc-answer' }, { do: 'listen', within: T4_MS })
    case 'ctc-answer':
      return continued(state, place, input)
  }
}

function afterBlock(state: Sender, { block, requests }: BlockPlace, input: Input): SenderStep {
  if (input.got === 'forbidden') return stopped(state, input.reason)
  if (input.got === 'starved') return starved(state)
  if (input.got !== 'sent') return dropped(state)
  const { blocks = 1, frames = 1 } = input
  const end = block + 1 < blocks ? 'NULL' : pageEndOf(state)
  return askPartial({ ...state, tries: 0 }, { block, requests, frames, end })
}

function askPartial(state: Sender, sent: SentBlock): SenderStep {
  const fif = buildPartial(pageEnds[sent.end], state.page - state.job.from, sent.block, sent.frames)
  return go(
    { ...state, tries: state.tries + 1 },
    { ...sent, at: 'pps' },
    {
      do: 'frames',
      frames: [{ name: 'PPS', fif }],
    },
  )
}

/** The answer to PPS or RR. */
function answer(
  state: Sender,
  place: SentBlock & ({ at: 'pps-answer' } | { at: 'rr-answer'; until: number }),
  input: Input,
  now: number,
): SenderStep {
  const frames = input.got === 'frames' ? input.frames : []
  const { block, requests, frames: count, end } = place
  const sent: SentBlock = { block, requests, frames: count, end }
  if (has(frames, 'MCF') || has(frames, 'PIP')) return taken(state, sent)
  if (has(frames, 'RTP') && end !== 'NULL') return confirmed(state, end, true)
  const request = frames.find(({ name }) => name === 'PPR')
  if (request) return requested(state, sent, readRequest(request.fif, count))
  if (has(frames, 'RTN') || has(frames, 'PIN')) {
    return leave(state, 'fax-poor-copy', `the other machine refused page ${state.page + 1}`)
  }
  // The other end heard nothing of it and has gone back to the beginning (phase B): so does the page.
  if (has(frames, 'DIS')) return refused(state)
  if (has(frames, 'DCN')) return refusedByLeaving(state, end)
  if (has(frames, 'RNR'))
    return notReady(state, sent, place.at === 'rr-answer' ? place.until : now + T5_MS, now)
  if (state.tries >= MOST_TRIES) return unanswered(state, end)
  if (place.at === 'pps-answer') return askPartial(state, sent)
  return askReady({ ...state, tries: state.tries + 1 }, sent, place.until)
}

function notReady(state: Sender, sent: SentBlock, until: number, now: number): SenderStep {
  if (now < until) return askReady({ ...state, tries: 1 }, sent, until)
  return unanswered(state, sent.end)
}

const askReady = (state: Sender, sent: SentBlock, until: number): SenderStep =>
  go(state, { ...sent, at: 'rr', until }, { do: 'frames', frames: [{ name: 'RR' }] })

function taken(state: Sender, { block, end }: SentBlock): SenderStep {
  if (end !== 'NULL') return confirmed(state, end, false)
  return sendBlock({ ...state, tries: 0 }, { block: block + 1, requests: 0 }, undefined, false)
}

function sendBlock(
  state: Sender,
  { block, requests }: BlockPlace,
  only: readonly number[] | undefined,
  retrained: boolean,
): SenderStep {
  const { choice, page } = state
  if (!choice) return dropped(state)
  return go(
    state,
    { at: 'block', block, requests },
    {
      do: 'block',
      page,
      block,
      choice,
      retrained,
      ...(only === undefined ? {} : { only }),
    },
  )
}

function requested(state: Sender, sent: SentBlock, missing: readonly number[]): SenderStep {
  const requests = sent.requests + 1
  // A request for nothing is a fault of the other end; all of it again is what it can mean at worst.
  const only = missing.length === 0 ? undefined : missing
  if (requests < MOST_REQUESTS)
    return sendBlock({ ...state, tries: 0 }, { block: sent.block, requests }, only, false)
  const slower = nextRate(state)
  if (!slower || !state.choice) {
    return leave(state, 'fax-poor-copy', `page ${state.page + 1} came over too poorly at the lowest speed`)
  }
  const choice = { ...state.choice, modulation: slower }
  const next = { ...state, choice, tries: 0, facts: { ...state.facts, rate: slower.rate } }
  return proceed(next, { ...sent, requests: 0 }, missing)
}

/** CTC (A.4.1): the same partial page goes on at another speed. */
function proceed(state: Sender, sent: SentBlock, missing: readonly number[]): SenderStep {
  if (!state.choice) return dropped(state)
  return go(
    { ...state, tries: state.tries + 1 },
    { ...sent, at: 'ctc', missing },
    {
      do: 'frames',
      frames: [{ name: 'CTC', fif: buildContinue(state.choice) }],
    },
  )
}

function continued(
  state: Sender,
  { block, requests, frames: count, end, missing }: SentBlock & { missing: readonly number[] },
  input: Input,
): SenderStep {
  const frames = input.got === 'frames' ? input.frames : []
  const only = missing.length === 0 ? undefined : missing
  if (has(frames, 'CTR')) return sendBlock({ ...state, tries: 0 }, { block, requests }, only, true)
  if (has(frames, 'DCN')) return refusedByLeaving(state, 'NULL')
  if (state.tries < MOST_TRIES) return proceed(state, { block, requests, frames: count, end }, missing)
  return leave(state, 'fax-line-dropped', `the line was dropped on page ${state.page + 1}`)
}
