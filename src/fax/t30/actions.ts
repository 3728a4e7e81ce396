/**
 * What the T.30 machines ask of whoever has the modem, and what they are told. Each step of a machine ends with exactly
 * one action, whose outcome is its next input. Pure data.
 */
import type { Reason } from '#messages/states.ts'
import type { FaxFailure } from '../contract.ts'
import type { Choice } from './capabilities.ts'
import type { Frame, Outgoing } from './frames.ts'

export type Action =
  /** Listens for V.21 frames until a carrier has come within `within` ms and gone again. */
  | { do: 'listen'; within: number }
  /** Sends frames by V.21. */
  | { do: 'frames'; frames: readonly Outgoing[] }
  /** DCS with what belongs to it, 75 ms of silence, TCF. */
  | { do: 'train'; frames: readonly Outgoing[]; choice: Choice; page: number }
  /** A whole page, without error correction. In the meantime it is asked whether its post-page message may go out. */
  | { do: 'page'; page: number; choice: Choice }
  /**
   * A partial page with error correction, or those frames of it that `only` lists. `retrained`: after CTC the long
   * training goes first. For the last block of a page it is asked in the meantime whether its post-page message may go out.
   */
  | { do: 'block'; page: number; block: number; only?: readonly number[]; choice: Choice; retrained: boolean }
  /** The receiver's side of TCF. */
  | { do: 'hear-training'; choice: Choice }
  /** Hears a page, or frames of a partial page, which add to those that are here. */
  | { do: 'hear-page'; choice: Choice; retrained: boolean }
  /** Decodes the page that was heard. */
  | { do: 'judge'; choice: Choice }
  /** How much of a partial page is here. `frames`: how many it has. */
  | { do: 'judge-block'; frames: number }
  /** The partial page is complete; more of this page follows. */
  | { do: 'close-block' }
  /**
   * Hands the page to the gateway and waits for it to be kept, but not longer than `within` ms. `doubtful`: when it is the
   * same as the one kept last, that is what it is, sent again.
   */
  | { do: 'keep'; choice: Choice; complete: boolean; doubtful: boolean; within: number }
  /** Hangs up. The machine has ended. */
  | { do: 'hang-up' }

export type Input =
  /** The modem has a connection: frames can be heard (calling) or sent (answering). */
  | { got: 'connected' }
  /** Frames of one burst, the good ones. `damaged`: others came with them. */
  | { got: 'frames'; frames: readonly Frame[]; damaged: boolean }
  /** Nothing came in time. */
  | { got: 'silence' }
  /** A carrier of another kind is there: V.21 instead of page data (+FCERROR). */
  | { got: 'other-carrier' }
  /** It was sent. `blocks`, `frames`: of the page in partial pages, and of the partial page that was sent. */
  | { got: 'sent'; blocks?: number; frames?: number }
  /** What intend() said: the post-page message must not go out. */
  | { got: 'forbidden'; reason: Reason }
  | { got: 'starved' }
  | { got: 'training'; good: boolean }
  /** Page data came; `ended`: and with it the mark that it is over (RTC, EOFB, RCP). */
  | { got: 'data'; ended: boolean }
  | { got: 'judged'; rows: number; badRows: number }
  | { got: 'missing'; frames: readonly number[] }
  | { got: 'kept' }
  /** It was kept before. */
  | { got: 'known' }
  /** Not yet: it goes on being kept. */
  | { got: 'keeping' }
  | { got: 'done' }
  /** The modem does not do as it is told, or says that the call is over. */
  | { got: 'trouble'; failure: FaxFailure; text: string }
  /** Someone ends the call from here. */
  | { got: 'abort'; reason: Reason }

export type News =
  | { news: 'confirmed'; page: number }
  | { news: 'progress'; text: string }
  | { news: 'note'; text: string }

/** What one step of a machine brings: what is told, and the one thing to do next. */
export interface Effects {
  news: readonly News[]
  action: Action
}
