/**
 * What the parts of a fax line tell each other: the line in the gateway (fax-line.ts), the process beside it that holds
 * the port, and the drivers for modems of Class 1 (own T.30 engine), 2 and 2.0 (the modem's T.30).
 *
 * Pages are counted from 0. A page is confirmed by MCF or RTP (ITU-T T.30, 5.3.6.1.7), never before.
 */
import type { Reason } from '#messages/states.ts'

export type FaxClass = '1' | '2' | '2.0'

export interface FaxSettings {
  /** Own number for TSI and CSI: at most 20 of digits, `+` and space (T.30, 5.3.6.2.4). */
  station: string
  /** Error correction (T.30, Annex A) is used where the other end has it. */
  ecm: boolean
  /** The highest rate that is offered, bit/s. */
  maxRate: 2400 | 4800 | 7200 | 9600 | 12000 | 14400
  /** Pages of one received call; absent: 500. */
  mostPages?: number
}

export const MOST_PAGES_A_CALL = 500

export interface CallOut {
  /** As it is dialled: digits, `+`, `*`, `#`, `,` and `W`. */
  number: string
  /** A TIFF with one bilevel image a page, Group 4, 1728 wide, 204 dots an inch across and 98 or 196 down. */
  file: string
  /** How many pages it has. */
  pages: number
  /** The first page to send: those before it were confirmed in earlier calls. */
  from: number
}

/** What the gateway is told and asked while a call goes on. */
export interface CallOutEvents {
  /**
   * Asked before the number is dialled and before each post-page message, for what may not be called back after it.
   * Resolves with a reason when it must not go on: then the call ends in order, and nothing more is sent.
   */
  intend(page: number, step: 'dial' | 'post-page'): Promise<Reason | undefined>
  /** The far side confirmed a page. What follows on the line waits for it: until then the confirmation is on no disk. */
  confirmed(page: number): Promise<void> | void
  /** For people: what is happening now, e.g. `page 2 of 5 at 14400 bit/s with ECM`. */
  progress(text: string): void
}

/** Why a call did not bring everything over. The retry rule of each stands in docs/fax.md. */
export type FaxFailure =
  | 'fax-busy'
  | 'fax-no-answer'
  | 'fax-no-dial-tone'
  | 'fax-no-carrier'
  | 'fax-no-machine'
  | 'fax-training-failed'
  | 'fax-page-refused'
  | 'fax-poor-copy'
  | 'fax-line-dropped'
  | 'fax-protocol'
  | 'fax-too-slow'
  | 'fax-modem'

/** What the far side and the call turned out to be, as far as it came. */
export interface CallFacts {
  /** CSI or TSI of the other end. */
  station?: string
  rate?: number
  ecm?: boolean
  coding?: 'MH' | 'MR' | 'MMR'
  /** From CONNECT to the hang-up, ms. */
  duration?: number
}

export type CallOutResult =
  /** Every page was confirmed. */
  | { result: 'sent'; facts: CallFacts }
  /** `confirmed`: pages confirmed in all, those of earlier calls too. What follows was not taken. */
  | { result: 'failed'; failure: FaxFailure; text: string; confirmed: number; facts: CallFacts }
  /** intend() said no before anything irrevocable. */
  | { result: 'stopped'; reason: Reason; confirmed: number; facts: CallFacts }
  /** The post-page message of the last page went out, and its answer never came. */
  | { result: 'unknown'; text: string; confirmed: number; facts: CallFacts }

export interface CallInEvents {
  progress(text: string): void
  /**
   * A page came: its rows, Group 4 coded. Resolves when it is kept; only then is it confirmed to the sender.
   * `complete: false`: the call broke off in it.
   */
  page(page: ReceivedPage): Promise<void>
}

export interface ReceivedPage {
  number: number
  /** Dots a row. */
  width: number
  rows: number
  /** Rows an inch. */
  resolution: 98 | 196
  /** ITU-T T.6, without byte order surprises: the most significant bit comes first. */
  data: Uint8Array
  /** Rows that could not be decoded and stand as the row before them. */
  badRows: number
  complete: boolean
}

export type CallInResult =
  | { result: 'received'; pages: number; facts: CallFacts }
  /** Some pages came, then the call broke off. */
  | { result: 'partial'; pages: number; failure: FaxFailure; text: string; facts: CallFacts }
  /** Whoever called was no fax machine. */
  | { result: 'no-fax'; text: string }

/** One modem, idle and in command mode between calls. Implemented by class1/ and class2/. Methods never reject. */
export interface FaxModem {
  readonly class: FaxClass
  call(out: CallOut, events: CallOutEvents, signal: AbortSignal): Promise<CallOutResult>
  /** Goes off hook after a ring. */
  answer(events: CallInEvents, signal: AbortSignal): Promise<CallInResult>
}
