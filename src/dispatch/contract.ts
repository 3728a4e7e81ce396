/** What a way in (HTTP, command line, later mail, MQTT …) may ask of dispatch. Every way in ends in submit(). */
import type { Values } from '#core/errors.ts'
import type { Line, LineStatus } from '#lines/contract.ts'
import type {
  Callback,
  Channel,
  Delivery,
  DocumentReference,
  Message,
  OnUnknown,
  Priority,
} from '#messages/message.ts'
import type { IdempotencyKey } from '#messages/operation.ts'
import type { Reason } from '#messages/states.ts'
import type { MessageView } from '#store/contract.ts'
import type { WaitingLine } from './waiting.ts'

export interface SubmitRequest {
  to: readonly string[]
  /** May be empty where there is a document. */
  text: string
  /** Where there is a document it is fax, said or not. */
  channel?: Channel
  /** What is faxed; it is stored already. */
  document?: DocumentReference
  priority?: Priority
  /** ms */
  validity?: number
  onUnknown?: OnUnknown
  flash?: boolean
  /** `ACK CODE` is added to the text, which its recipient can answer with. */
  acknowledge?: boolean
  /** The line of this member that is to send it, and no other: to try the line. */
  line?: string
  tag?: string
  /** What the storm guard takes for the same message, instead of the text. */
  dedupe?: string
  key?: IdempotencyKey
  callback?: Callback
  /** Intake and user, e.g. `http:monitoring`. */
  source: string
}

export type SubmitResult =
  /** On disk. `replayed`: the key was known, and this is the message that it made the first time. */
  | { result: 'accepted'; view: MessageView; replicated: boolean; replayed: boolean }
  /** What is wrong with which field, and what is allowed. Nothing was stored. */
  | { result: 'invalid'; field: string; code: string; detail: string; values?: Values }
  | { result: 'conflict' }
  | { result: 'full' }
  /** `accept.oneDisk: refuse`, and no other member's disk took it. It will not be sent. */
  | { result: 'oneDisk' }

export type ActionResult =
  | { result: 'done'; view: MessageView }
  | { result: 'notFound' }
  /** No delivery was in a state that allows it. */
  | { result: 'tooLate'; reason: Reason; view: MessageView }

export type MoveResult =
  | ActionResult
  /** This appliance has no such line, or it is of another channel. */
  | { result: 'noLine'; allowed: readonly string[] }

export interface Dispatch {
  /** Rejects with the CodedError `removed-from-pair` on an appliance that another member removed, and as the store does. */
  submit(request: SubmitRequest): Promise<SubmitResult>
  /** Cancels what has not been transmitted. A delivery in hand is asked right before its irrevocable byte. */
  cancel(message: string): Promise<ActionResult>
  /** Queues the failed, expired, cancelled and unknown deliveries of a message again, with a new validity. */
  retry(message: string): Promise<ActionResult>
  /** Gives what is still queued of a message to a line, which others stand in for only while it is out of use. */
  move(message: string, line: string): Promise<MoveResult>
  lines(): readonly Line[]
  /** Each line as it is, and until when it is muted. */
  lineStatus(): LineStatus[]
  /** Of the deliveries that are due and wait for lines that cannot be used: those lines, by the delivery's id. */
  waiting(deliveries: readonly Delivery[]): ReadonlyMap<string, readonly WaitingLine[]>
  /** The line sends nothing until then (ms since 1970), and goes on receiving; resolves when that is on disk. */
  mute(line: string, until: number): Promise<void>
  unmute(line: string): Promise<void>
  /** Another member has this message on its disk. */
  replicated(message: Message): boolean
}

/** Limits of one request; beyond them it is refused with the field named. */
export const limits = {
  recipients: 60_000,
  /** 3GPP TS 23.040 9.2.3.24.1: the total of a concatenated message is one octet. */
  parts: 255,
  /** What so many parts hold of the alphabet with the shortest characters: 153 septets each. */
  characters: 255 * 153,
  tag: 100,
  dedupe: 200,
  idempotencyKey: 200,
  validityMs: { min: 5_000, max: 63 * 7 * 86_400_000 },
  /** Bytes of a request body: 60,000 recipients of 20 characters, and a long text. */
  body: 2_000_000,
} as const
