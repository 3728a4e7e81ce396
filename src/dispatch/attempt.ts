/**
 * One delivery in the hands of one line: what the driver is told, and what it says back, written down as it happens.
 */
import type { Clock } from '#core/clock.ts'
import type { Transmission } from '#lines/contract.ts'
import type { Delivery, Message } from '#messages/message.ts'
import { applyEvent, type DeliveryEvent, inDoubt, type Reason } from '#messages/states.ts'
import type { Ownership } from './ownership.ts'
import type { Recorder } from './recorder.ts'

export const reasons = {
  cancelled: { code: 'cancelled', text: 'Cancelled on request.' },
  expired: { code: 'expired', text: 'Its validity ended before it could be sent.' },
  expiredOverBudget: {
    code: 'expired-over-budget',
    text: 'Its validity ended while the budget of every line that could send it was used up.',
  },
  stopping: { code: 'stopping', text: 'The appliance is being stopped; it is sent after the next start.' },
} as const satisfies Record<string, Reason>

export interface AttemptContext {
  node: string
  line: string
  clock: Clock
  recorder: Recorder
  ownership: Ownership
  concatenation: number
  /** Status reports are asked for on this line. */
  reports: boolean
  moreUrgentWaits(): boolean
}

/** How long after the service centre's own validity a status report may still come, ms. */
const REPORT_GRACE_MS = 3_600_000
/** The shortest validity a service centre knows (3GPP TS 23.040 9.2.3.12.1), ms. */
const SHORTEST_VALIDITY_MS = 300_000

export class Attempt implements Transmission {
  readonly message: Message
  readonly from: number
  readonly concatenation: number
  readonly #context: AttemptContext
  #delivery: Delivery
  #forbidden: Reason | undefined
  /** What was confirmed last is on disk, or owed. */
  #recorded: Promise<void> = Promise.resolve()
  readonly #abort = new AbortController()
  /** A fax is being sent. */
  #calling = false
  /** The last part's irrevocable byte may have left. */
  #committed = false

  constructor(delivery: Delivery, message: Message, context: AttemptContext) {
    this.#delivery = delivery
    this.message = message
    this.#context = context
    // Only the SIM that sent the first parts can continue the chain; pages go on from any line.
    const sameLine = delivery.line === context.line && delivery.node === context.node
    const resumes = delivery.confirmed > 0 && (sameLine || delivery.channel === 'fax')
    this.from = resumes ? delivery.confirmed : 0
    this.concatenation = (resumes ? delivery.concatenation : undefined) ?? context.concatenation
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get delivery(): Delivery {
    return this.#delivery
  }

  async intend(part: number, step?: 'post-page'): Promise<void> {
    const { node, line, recorder, ownership } = this.#context
    const copy = ownership.mayBeCopy(this.#delivery, this.message)
    await recorder.intend(
      this.#happened({
        event: 'intend',
        node,
        line,
        part,
        concatenation: this.concatenation,
        ...(step === 'post-page' ? { postPage: true } : {}),
        ...(copy ? { possibleDuplicate: true } : {}),
      }),
    )
  }

  stop(): Reason | undefined {
    // A fax that was begun in time is not broken off.
    const expired = this.#calling ? undefined : this.#expired()
    const reason = this.#forbidden ?? this.#context.ownership.stop() ?? expired
    if (reason === undefined) this.#calling = this.#delivery.channel === 'fax'
    // From here on the driver may transmit this part; of the last one there is no calling back.
    if (reason === undefined) this.#committed = isLast(this.#delivery)
    return reason
  }

  confirmed(part: number, reference: number): void {
    this.#record({ event: 'confirm', part, reference })
  }

  accepted(reference: number): void {
    const { reports, clock } = this.#context
    if (!reports) {
      this.#record({ event: 'accepted', reference })
      return
    }
    const now = clock.now()
    const reportBy = now + Math.max(this.#delivery.expires - now, SHORTEST_VALIDITY_MS) + REPORT_GRACE_MS
    this.#record({ event: 'accepted', reference, reportBy })
  }

  async recorded(): Promise<void> {
    await this.#recorded
    await this.#context.recorder.replicated()
  }

  yield(): boolean {
    return this.#delivery.priority > 0 && this.#context.moreUrgentWaits()
  }

  /** Asks the driver to stop before the next irrevocable byte. False when there is none left. */
  forbid(reason: Reason): boolean {
    if (this.#committed) return false
    this.#forbidden = reason
    this.#abort.abort()
    return true
  }

  /** Why the driver was told to stop, if it was. */
  get forbidden(): Reason | undefined {
    return this.#forbidden ?? this.#context.ownership.stop() ?? this.#expired()
  }

  #expired(): Reason | undefined {
    const { clock } = this.#context
    return clock.trusted() && this.#delivery.expires <= clock.now() ? reasons.expired : undefined
  }

  #record(event: DeliveryEvent): void {
    this.#recorded = this.#context.recorder.record([this.#happened(event)])
  }

  #happened(event: DeliveryEvent): { delivery: string; event: DeliveryEvent; at: number } {
    const at = this.#context.clock.now()
    this.#delivery = applyEvent(this.#delivery, event, at) ?? this.#delivery
    return { delivery: this.#delivery.id, event, at }
  }
}

/** Whether the part that is intended is the one that makes it whole. */
const isLast = (delivery: Delivery): boolean => inDoubt(delivery) && delivery.intended === delivery.parts - 1

/** The event that follows when the driver was told to stop, and did. */
export function endOf(reason: Reason, delivery: Delivery): DeliveryEvent {
  switch (reason.code) {
    case reasons.cancelled.code:
      return { event: 'cancel', reason }
    case reasons.expired.code:
      return { event: 'expire', reason }
    default:
      return { event: 'defer', reason, due: delivery.due, failure: false }
  }
}
