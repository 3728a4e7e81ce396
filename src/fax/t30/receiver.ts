/**
 * The receiving side of ITU-T T.30 (5.2, figure 5-2, and Annex A): what is said to the caller and when a page is
 * confirmed. Pure.
 *
 * A page is confirmed only after it was kept. A sender that asks again because it did not hear the answer gets the same
 * answer, and no page is kept twice for it.
 */
import { type FaxFailure, MOST_PAGES_A_CALL } from '../contract.ts'
import type { Input } from './actions.ts'
import { readChoice } from './capabilities.ts'
import { buildRequest } from './ecm.ts'
import { type Frame, type FrameName, type PageEnd, readIdentity, readPageEnd } from './frames.ts'
import { type Modulation, modulationOf, RATE_BITS } from './modulation.ts'
import {
  answer,
  command,
  end,
  go,
  has,
  hearPage,
  identify,
  KEEP_MS,
  leave,
  type Message,
  type Next,
  over,
  type Place,
  type ReceiveJob,
  type Receiver,
  type ReceiverStep,
  T1_MS,
  T2_MS,
  T4_MS,
} from './receiver-steps.ts'

/** A sender asks three times (5.4.2), T4 and the length of its command apart. */
const MOST_TRIES = 3
/**
 * A carrier of page data that broke off in the middle may still be on the line, for as long as 64 kB take: a partial page
 * with error correction, most pages without. Then its sender can still be asked for the page again.
 */
const restOf = ({ rate }: Modulation): number => Math.min(NO_PROGRESS_MS - T2_MS, 600_000_000 / rate)
/** The post-page message follows page data within 75 ms, its preamble 1 s and its frame 0.3 s (5.3.2). */
const PROMPT_MS = 2_500
/** Commands and answers without a page that comes of them. */
const NO_PROGRESS_MS = 180_000
const NO_PROGRESS = {
  failure: 'fax-protocol' as const,
  text: 'the call went on without a page coming over',
}
/** Shares of bad rows from which a new training is asked for, and from which the page is refused. */
const POOR = 0.05
const BAD = 0.15
/** A page is refused so often; then it is taken as it is, with its bad rows counted. */
const MOST_REFUSALS = 2

export const startReceiver = (job: ReceiveJob): Receiver => ({
  job,
  place: { at: 'identifying' },
  started: Number.NaN,
  patience: Number.POSITIVE_INFINITY,
  pages: 0,
  open: false,
  fresh: false,
  doubtful: false,
  cut: false,
  progress: Number.POSITIVE_INFINITY,
  refusals: 0,
  facts: {},
})

export function stepReceiver(before: Receiver, input: Input, now: number): ReceiverStep {
  const state = Number.isNaN(before.started)
    ? { ...before, started: now, patience: now + T1_MS, progress: now }
    : before
  const { place } = state
  if (place.at === 'ended') return go(state, place, { do: 'hang-up' })
  if (place.at === 'leaving') return over(state, place.end)
  if (place.at === 'rescuing') {
    const rescued = { ...state, pages: state.pages + (input.got === 'kept' ? 1 : 0) }
    return place.gone || input.got === 'trouble' ? over(rescued, place.end) : leave(rescued, place.end)
  }
  if (input.got !== 'data' && now - state.progress > NO_PROGRESS_MS) return end(state, NO_PROGRESS)
  if (input.got === 'trouble') return troubled(state, input.failure, input.text)
  if (input.got === 'abort')
    return end(state, allIsHere(state) ? undefined : { failure: 'fax-line-dropped', text: input.reason.text })
  switch (place.at) {
    case 'identifying':
      return input.got === 'connected' ? identify(state) : command(state, T4_MS)
    case 'command':
      return commanded(state, input, now)
    case 'training':
      return trained(state, input)
    case 'answering':
      return afterAnswer(state, place.next, now)
    case 'page':
      return afterPage(state, input, now)
    case 'post-page':
      return postPage(state, place, input, now)
    case 'crp':
      // A sender that did not hear it repeats its command after its own T4.
      return go(
        state,
        { ...place, at: 'post-page', until: Math.max(place.until, now + T2_MS) },
        { do: 'listen', within: T2_MS },
      )
    case 'judging':
      return judged(state, place.end, input)
    case 'judging-block':
      return judgedBlock(state, place, input)
    case 'closing-block':
      return answer(state, [{ name: place.answer }], 'page', place.message)
    case 'keeping':
      return kept(state, place, input, now)
    case 'wait-told':
      return go(state, { ...place, at: 'wait-asked' }, { do: 'listen', within: T2_MS })
    case 'wait-asked':
      return asked(state, place, input)
  }
}

/** Phase B: DCS is awaited, DIS repeated until T1 is over. */
function commanded(state: Receiver, input: Input, now: number): ReceiverStep {
  const frames = input.got === 'frames' ? input.frames : []
  const tsi = frames.find(({ name }) => name === 'TSI')
  const station = tsi && readIdentity(tsi.fif)
  const known = station === undefined ? state : { ...state, facts: { ...state.facts, station } }
  const dcs = frames.find(({ name }) => name === 'DCS')
  if (dcs) return chosen(known, dcs, now)
  if (has(frames, 'DCN')) return hungUp(known)
  if (has(frames, 'DTC')) {
    return leave(known, {
      failure: 'fax-protocol',
      text: 'the caller wanted to fetch a document; there is none',
    })
  }
  const repeated = repeatOf(known, frames)
  if (repeated) return repeated
  for (const frame of frames) {
    const step = messageOf(known, frame, now)
    if (step) return step
  }
  if (now < known.patience) return identify(known)
  return noMore(known)
}

function noMore(state: Receiver): ReceiverStep {
  if (state.choice || state.pages > 0) {
    return end(state, {
      failure: 'fax-line-dropped',
      text: `the line was dropped on page ${state.pages + 1}`,
    })
  }
  return leave(state, { failure: 'fax-no-machine', text: 'whoever called did not send a fax' })
}

function hungUp(state: Receiver): ReceiverStep {
  const ending = {
    failure: 'fax-line-dropped' as const,
    text: `the sender hung up before page ${state.pages + 1} was complete`,
  }
  if (state.open) return end(state, ending, true)
  return over(
    state,
    state.choice ? ending : { failure: 'fax-no-machine', text: 'whoever called hung up again' },
  )
}

function chosen(state: Receiver, dcs: Frame, now: number): ReceiverStep {
  const choice = readChoice(dcs.fif)
  if (!choice) {
    return leave(state, {
      failure: 'fax-protocol',
      text: 'the sender uses something that it was not offered',
    })
  }
  const facts = { ...state.facts, rate: choice.modulation.rate, ecm: choice.ecm, coding: choice.coding }
  // A page that was refused or cut off comes again from its start.
  const fresh: Receiver = { ...state, choice, facts, patience: now + T1_MS }
  return go(fresh, { at: 'training' }, { do: 'hear-training', choice })
}

function trained(state: Receiver, input: Input): ReceiverStep {
  // V.21 instead of TCF: the sender repeats itself.
  if (input.got === 'other-carrier') return command(state, T4_MS)
  if (input.got !== 'training') return command(state, T2_MS)
  if (full(state)) return tooMany(state)
  return input.good
    ? answer(state, [{ name: 'CFR' }], 'page', undefined)
    : answer(state, [{ name: 'FTT' }], 'training', undefined)
}

function afterAnswer(state: Receiver, next: Next, now: number): ReceiverStep {
  // The sender waits for DIS: it can be told here that no more pages are taken.
  if (next === 'identification' && full(state)) return tooMany(state)
  switch (next) {
    case 'page':
      return hearPage(state, false)
    case 'page-retrained':
      return hearPage(state, true)
    case 'training':
      return command({ ...state, patience: now + T1_MS }, T2_MS)
    case 'identification':
      // The sender waits for DIS; a command of its own would come within T2 (figure 5-2).
      return command({ ...state, patience: now + T1_MS }, T2_MS)
    case 'goodbye':
      return go(state, { at: 'post-page', tries: 0, until: now + T2_MS }, { do: 'listen', within: T2_MS })
  }
}

const mostPages = ({ job }: Receiver): number => job.settings.mostPages ?? MOST_PAGES_A_CALL

/** All pages that are taken are confirmed: another one is not kept, and answered with DCN, so that its sender knows. */
const full = (state: Receiver): boolean => state.pages >= mostPages(state)

const tooMany = (state: Receiver): ReceiverStep =>
  leave(state, {
    failure: 'fax-protocol',
    text: `the sender has more pages than one call may bring (${mostPages(state)})`,
  })

function afterPage(state: Receiver, input: Input, now: number): ReceiverStep {
  const heard = input.got === 'data'
  const broken = heard && !input.ended
  const within = broken && state.choice ? restOf(state.choice.modulation) : T2_MS
  return go(
    heard ? { ...state, open: !full(state), fresh: true, cut: broken, progress: now } : state,
    { at: 'post-page', tries: 0, until: now + within },
    { do: 'listen', within },
  )
}

/** What follows a page: its post-page message, or the same command as before when our answer was not heard. */
function postPage(
  state: Receiver,
  place: Extract<Place, { at: 'post-page' }>,
  input: Input,
  now: number,
): ReceiverStep {
  const frames = input.got === 'frames' ? input.frames : []
  if (has(frames, 'DCS')) return commanded(state, input, now)
  if (has(frames, 'DCN')) {
    return allIsHere(state) ? over(state, undefined) : hungUp(state)
  }
  const repeated = repeatOf(state, frames)
  if (repeated) return repeated
  if (has(frames, 'CTC')) return proceed(state, frames)
  for (const frame of frames) {
    const step = messageOf(state, frame, now)
    if (step) return step
  }
  const again = { ...place, tries: place.tries + 1 }
  // A damaged command is asked for again (CRP, 5.3.6.1.8) rather than waited for.
  if (input.got === 'frames' && input.damaged && place.tries < MOST_TRIES) {
    return go(state, { ...again, at: 'crp' }, { do: 'frames', frames: [{ name: 'CRP' }] })
  }
  if (input.got !== 'silence' && now < place.until)
    return go(state, again, { do: 'listen', within: place.until - now })
  if (allIsHere(state)) return over(state, undefined)
  // Nothing of the page was heard; it may still be on the line. Back to the beginning (figure 5-2: T2 is over).
  if (!state.fresh) return identify({ ...state, patience: now + T1_MS })
  return noMore(state)
}

const simpleEnds: ReadonlyMap<Frame['name'], PageEnd> = new Map([
  ['MPS', 'MPS'],
  ['EOM', 'EOM'],
  ['EOP', 'EOP'],
  ['PRI-MPS', 'MPS'],
  ['PRI-EOM', 'EOM'],
  ['PRI-EOP', 'EOP'],
])

/** The post-page message of a page or partial page that is here. */
function messageOf(state: Receiver, frame: Frame, now: number): ReceiverStep | undefined {
  const { name, fif } = frame
  const { choice } = state
  const message = messageIn(frame)
  if (!choice) return undefined
  const simple = simpleEnds.get(name)
  if (full(state) && (simple !== undefined || name === 'PPS' || name === 'EOR')) return tooMany(state)
  if (simple !== undefined && !choice.ecm) {
    // Without RTC, but soon after its carrier: it is a sender that leaves RTC out, or noise that took it.
    const cut = state.cut && now - state.progress > PROMPT_MS
    return state.open
      ? go({ ...state, cut }, { at: 'judging', end: simple }, { do: 'judge', choice })
      : // Nothing of the page was heard at all, or there was none and the sender did not hear our answer.
        refuse({ ...state, doubtful: state.doubtful || (state.answered?.page ?? -1) !== -1 })
  }
  if (name !== 'PPS' && name !== 'EOR') return undefined
  const [field, , , count = 0] = fif
  const partial = readPageEnd(field)
  if (partial === undefined) return undefined
  if (name === 'EOR') {
    if (partial === 'NULL')
      return go(state, { at: 'closing-block', answer: 'ERR', message }, { do: 'close-block' })
    return keep({ ...state, open: true }, partial, 'ERR', message)
  }
  return go(
    { ...state, open: true },
    { at: 'judging-block', end: partial, message },
    {
      do: 'judge-block',
      frames: count + 1,
    },
  )
}

/** The same command as before: its answer was not heard, and is given again. */
function repeatOf(state: Receiver, frames: readonly Frame[]): ReceiverStep | undefined {
  const { answered, choice } = state
  if (!answered) return undefined
  const again = () =>
    go(state, { at: 'answering', next: answered.next }, { do: 'frames', frames: answered.frames })
  if (has(frames, 'CRP')) return again()
  if (state.fresh || answered.page === -1) return undefined
  // With error correction the command says what it belongs to.
  const partial = frames.find(({ name }) => name === 'PPS' || name === 'EOR')
  if (partial) {
    const { page, block } = messageIn(partial)
    return page === answered.page && block === answered.block ? again() : undefined
  }
  if (choice?.ecm || !frames.some(({ name }) => simpleEnds.has(name))) return undefined
  // No page can have gone by unheard, unless a page was what had to follow: then it is asked for (messageOf).
  return answered.next === 'page' ? undefined : again()
}

const messageIn = ({ fif: [, page = 0, block = 0] }: Frame): Message => ({ page, block })

function judged(state: Receiver, pageEnd: PageEnd, input: Input): ReceiverStep {
  if (input.got !== 'judged') return noMore(state)
  const { rows, badRows } = input
  const share = rows === 0 ? 1 : badRows / rows
  if ((state.cut || share > BAD) && state.refusals < MOST_REFUSALS) return refuse(state)
  // Bad rows are here, in a way; what came after the carrier was lost is not, and must not count as received.
  if (state.cut) return noMore(state)
  return keep(state, pageEnd, share > POOR ? 'RTP' : 'MCF', { page: 0, block: 0 })
}

/** RTN: the page is to come again, after a new training. What is here stays until something better comes. */
const refuse = (state: Receiver): ReceiverStep =>
  answer({ ...state, refusals: state.refusals + 1 }, [{ name: 'RTN' }], 'training', { page: 0, block: 0 })

function judgedBlock(
  state: Receiver,
  { end: partial, message }: Extract<Place, { at: 'judging-block' }>,
  input: Input,
): ReceiverStep {
  if (input.got !== 'missing') return noMore(state)
  if (input.frames.length > 0) {
    const request = [{ name: 'PPR' as const, fif: buildRequest(input.frames) }]
    return answer(state, request, 'page', message)
  }
  if (partial === 'NULL')
    return go(state, { at: 'closing-block', answer: 'MCF', message }, { do: 'close-block' })
  return keep(state, partial, 'MCF', message)
}

function keep(state: Receiver, pageEnd: PageEnd, with_: FrameName, message: Message): ReceiverStep {
  const { choice } = state
  if (!choice) return noMore(state)
  const place: Place = { at: 'keeping', end: pageEnd, answer: with_, message }
  return go(state, place, {
    do: 'keep',
    choice,
    complete: with_ !== 'ERR',
    doubtful: state.doubtful,
    within: KEEP_MS,
  })
}

function kept(
  state: Receiver,
  place: Extract<Place, { at: 'keeping' }>,
  input: Input,
  now: number,
): ReceiverStep {
  if (input.got === 'keeping') {
    const wait: Place = { ...place, at: 'wait-told' }
    // With error correction the sender is told; without, it asks again after its T4.
    if (state.choice?.ecm) return go(state, wait, { do: 'frames', frames: [{ name: 'RNR' }] })
    return go(state, { ...place, at: 'wait-asked' }, { do: 'listen', within: T2_MS })
  }
  if (input.got !== 'kept' && input.got !== 'known') return noMore(state)
  const pages = state.pages + (input.got === 'kept' ? 1 : 0)
  const after: Receiver = {
    ...state,
    pages,
    open: false,
    doubtful: false,
    cut: false,
    refusals: 0,
    progress: now,
  }
  return confirm(after, place.end, place.answer, place.message)
}

function confirm(state: Receiver, pageEnd: PageEnd, with_: FrameName, message: Message): ReceiverStep {
  const next: Next =
    pageEnd === 'EOP'
      ? 'goodbye'
      : pageEnd === 'EOM'
        ? 'identification'
        : with_ === 'RTP'
          ? 'training'
          : 'page'
  return answer(state, [{ name: with_ }], next, message)
}

/** The sender asks whether the page is kept by now: RR, or its post-page message again. */
function asked(state: Receiver, place: Extract<Place, { at: 'wait-asked' }>, input: Input): ReceiverStep {
  if (input.got === 'frames' && !has(input.frames, 'DCN'))
    return keep(state, place.end, place.answer, place.message)
  return noMore(state)
}

/** CTC (A.4.1): the partial page goes on at another speed. */
function proceed(state: Receiver, frames: readonly Frame[]): ReceiverStep {
  const { choice } = state
  const modulation = modulationOf((frames.find(({ name }) => name === 'CTC')?.fif[1] ?? 0) & RATE_BITS)
  if (!choice || !modulation) return noMore(state)
  const slower = {
    ...state,
    choice: { ...choice, modulation },
    facts: { ...state.facts, rate: modulation.rate },
  }
  return answer(slower, [{ name: 'CTR' }], 'page-retrained', undefined)
}

/** All pages are confirmed and kept: whether DCN is heard changes nothing. */
const allIsHere = ({ open, answered }: Receiver): boolean => !open && answered?.next === 'goodbye'

function troubled(state: Receiver, failure: FaxFailure, text: string): ReceiverStep {
  if (allIsHere(state)) return over(state, undefined)
  const ended = end(state, { failure, text }, true)
  // Nothing can be said to the sender any more.
  return state.open ? ended : over(state, { failure, text })
}
