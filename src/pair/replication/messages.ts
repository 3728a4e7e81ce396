/**
 * What members say to each other about their logs. The order of fields here is the order on the wire (wire.ts).
 *
 * `session` names one life of the sender's store: it changes with every start and after a snapshot was taken in, since
 * only then may what a member holds become less. Whoever hears an unknown session says hello again, so that an
 * acknowledgement from before a crash is never taken for one from after it.
 */
import type { LogBatch, LogPosition } from '#store/contract.ts'

export type Message =
  | Hello
  /** Logs that have grown at the sender since it last told, whoever wrote them. */
  | { kind: 'have'; session: string; positions: readonly LogPosition[] }
  /** Entries of one log. `round` counts how often the sender has begun anew on this log. */
  | { kind: 'push'; session: string; round: number; batch: LogBatch }
  /** What of a log is on the sender's disk, in answer to a push of that round. */
  | {
      kind: 'ack'
      session: string
      round: number
      position: LogPosition
      /** `gap`: begin again after the position. `hold`: not now, a snapshot is under way. */
      state: 'merged' | 'gap' | 'hold' | 'problem'
      /** Why its disk refuses, when it does. */
      problem?: string
    }
  /** Asks for a log that its own member does not send: that member is away, or has lost its tail. */
  | { kind: 'want'; session: string; position: LogPosition }
  /** The entries after this position are no longer held here: only a snapshot helps. */
  | { kind: 'trimmed'; session: string; position: LogPosition }
  | { kind: 'snapshotWant'; session: string; id: number }
  | { kind: 'snapshotRefused'; session: string; id: number; reason: string }
  /** The sender takes no more of it. */
  | { kind: 'snapshotLeft'; session: string; id: number }
  | { kind: 'page'; session: string; id: number; index: number; page: string }
  | { kind: 'pageAck'; session: string; id: number; index: number }
  | { kind: 'snapshotEnd'; session: string; id: number; pages: number; positions: readonly LogPosition[] }

/** The first word on every connection. Its shape never changes: it is what tells versions apart. */
export interface Hello {
  kind: 'hello'
  session: string
  /** The lowest and highest wire version that the sender reads. */
  min: number
  current: number
  /** The incarnation of its own log. */
  incarnation: string
  /** The session of the receiver, once its hello has been heard. */
  heard?: string
  /** The sender has not been told yet that its hello was heard: it wants one in answer. */
  ask: boolean
  /** False while a snapshot has been taken in only in part. */
  complete: boolean
  positions: readonly LogPosition[]
}
