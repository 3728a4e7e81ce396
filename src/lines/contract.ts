/**
 * The line contract: what dispatch knows of a physical line, and what a line may ask of the rest.
 *
 * A line is supervised (supervisor.ts) and driven (a driver of sms/, fax/, voice/, relay/). Dispatch hands it one
 * Transmission at a time and gets an Outcome; everything else the line reports through LineEvents.
 */
import type { InboundPart } from '#messages/inbound.ts'
import type { Channel, Delivery, Message } from '#messages/message.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'
import type { TraceEntry } from './at-trace.ts'

export const lineStates = [
  /** Opening the port, probing, preparing the modem. */
  'starting',
  /** Prepared and registered: it can send. */
  'ready',
  /** Something is wrong and the recovery ladder is at work. */
  'recovering',
  /** The port is not there (unplugged). */
  'absent',
  /** Only a person can help: PUK wanted, PIN refused, no SIM. */
  'blocked',
  /** Switched off by a person. */
  'disabled',
  /** The definition of another member's line: not connected while that member lives. */
  'passive',
  /** The program is stopping. */
  'stopped',
] as const
export type LineState = (typeof lineStates)[number]

export interface LineStatus {
  id: string
  kind: 'gsm' | 'fax' | 'voice' | 'relay'
  channel: Channel
  state: LineState
  /** Why, in words for people, when the state is not `ready`. */
  reason?: Reason
  /** True while a transmission is under way. */
  busy: boolean
  port: string
  /** The profile in force, the modem's maker, model, firmware and IMEI, as far as known. */
  modem?: {
    profile: string
    manufacturer: string
    model: string
    revision: string
    imei: string
  }
  sim?: { state: string; iccid: string; imsi?: string; smsc: string }
  network?: {
    registered: boolean
    registration: string
    operator: string
    technology: string
  }
  /**
   * Of a fax line: the modem's class, the rate of the newest call (bit/s), what it is doing, and the newest call that came
   * in: when (ms since 1970), from whom (empty when the caller is not known) and what became of it; `left` rang on.
   */
  fax?: {
    class?: string
    rate?: number
    progress?: string
    lastCall?: { at: number; from: string; result: 'received' | 'partial' | 'no-fax' | 'left'; text: string }
  }
  /** dBm (3GPP TS 27.007 8.5). */
  signal?: number
  /** ms since 1970. */
  lastSuccess?: number
  lastError?: { at: number; reason: Reason }
  /** When recovery tries its next step, ms since 1970. */
  nextTry?: number
  /** Nothing is sent over it until then, because a person said so; ms since 1970. Dispatch sees to it. */
  muted?: number
  /** How often the line went from working to not working since the program started. */
  recoveries: number
}

/** One delivery on its way out, as dispatch hands it to a line. */
export interface Transmission {
  readonly message: Message
  readonly delivery: Delivery
  /** The part to begin with, from 0: the count of confirmed ones when this line (and SIM) sent those; of pages, whichever did. */
  readonly from: number
  /** The concatenation reference for this chain of parts, already chosen; on resume the one of the confirmed parts. */
  readonly concatenation: number
  /**
   * Makes the intent to transmit a part durable. Called when the line is free for that part; resolves when
   * it is on disk (and with the other members, as far as that is waited for), and with it every confirmation before it.
   * Rejects when it cannot be: then nothing may be transmitted.
   * @param step of a fax: absent before the number is dialled, `post-page` before the message that ends the page
   */
  intend(part: number, step?: 'post-page'): Promise<void>
  /** The last question before the irrevocable byte: undefined means go, a reason means do not. */
  stop(): Reason | undefined
  /** Aborts when it is not to go on (cancelled, the program stops): a driver whose parts take long ends this one then. */
  readonly signal: AbortSignal
  /** The far side confirmed a part, with the reference it gave (TP-MR for SMS). Not awaited. Not called for the last part: see accepted(). */
  confirmed(part: number, reference: number): void
  /** The far side confirmed the last part. Called before the outcome is returned. */
  accepted(reference: number): void
  /** Resolves when what was confirmed so far is on disk, and with the other members as far as that is waited for. Never rejects. */
  recorded(): Promise<void>
  /** Asked between parts: true when something more urgent waits for this line. The driver then returns `notSent` with its progress. */
  yield(): boolean
}

/** A status report as the line read it (3GPP TS 23.040 9.2.2.3). */
export interface StatusReport {
  line: string
  reference: number
  to: string
  /** TP-Status, 0..255 (9.2.3.15). */
  status: number
  /** TP-Discharge-Time, ms since 1970. */
  dischargedAt: number
}

export interface LineEvents {
  /** The line became ready, or is free again after a pause of its own. */
  ready(line: string): void
  /** The line cannot send any more. */
  down(line: string, reason: Reason): void
  /** Resolves when the part is durable; only then does the line acknowledge or delete it. Rejects when it could not be stored. */
  inbound(part: Omit<InboundPart, 'node'>): Promise<void>
  /** Resolves when the report is durable or was found to match nothing. */
  report(report: StatusReport): Promise<void>
  /** An incoming call was seen and ended. */
  call(line: string, from: string): void
}

/** Facts that outlive the process: that a PIN was tried on a SIM, a SIM's service centre. */
export interface LineMemory {
  recall(name: string): Promise<string | undefined>
  remember(name: string, value: string): Promise<void>
}

export interface Line {
  readonly id: string
  readonly channel: Channel
  status(): LineStatus
  /** True when transmit() may be called now. */
  free(): boolean
  /** Never rejects. The line is busy until it resolves. */
  transmit(transmission: Transmission): Promise<Outcome>
  /** Begins supervision; resolves at once, readiness comes through LineEvents. */
  start(): void
  /** Closes the port and begins anew from the first step. */
  restart(): void
  disable(): void
  enable(): void
  /** For the definition of another member's line (`passive`): that member is lost, so connect; it is back, so let go. */
  wake(): void
  rest(): void
  /** Lets the running command end (bounded), closes the port. */
  stop(): Promise<void>
  /** The newest of the dialogue with its modem, oldest first, masked; absent where there is none. */
  dialogue?(): TraceEntry[]
}
