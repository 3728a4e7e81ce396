/**
 * The calls that the process of a fax line answers, as the gateway sees them: each page is durable before the process
 * hears that it is kept, and what is known of the newest call is remembered, whoever it was for.
 */
import { Buffer } from 'node:buffer'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { CallInResult } from './contract.ts'
import type { PageOnWire, ToProcess } from './process/protocol.ts'
import type { FaxReceiver, IncomingCall } from './receiving.ts'
import { type LastCall, seenCall } from './seen-call.ts'

export interface IncomingCallsParts {
  /** The line's id. */
  line: string
  clock: Clock
  log: Log
  receiver: Pick<FaxReceiver, 'begin'>
  lastCall: LastCall
  tell(message: ToProcess): boolean
}

/** One that is being answered. */
interface Answering {
  number: number
  call: IncomingCall
  from: string
  /** ms since 1970 */
  at: number
  /** Resolved when it is over. */
  over: PromiseWithResolvers<void>
}

export class IncomingCalls {
  readonly #parts: IncomingCallsParts
  #present: Answering | undefined

  constructor(parts: IncomingCallsParts) {
    this.#parts = parts
  }

  /** Resolves when the present call is over; undefined where there is none. */
  get over(): Promise<void> | undefined {
    return this.#present?.over.promise
  }

  /** @param number which the process gave it @param from empty when the caller is not known */
  begin(number: number, from: string): void {
    const { receiver, line, clock } = this.#parts
    this.#present = {
      number,
      call: receiver.begin(line, from),
      from,
      at: clock.now(),
      over: Promise.withResolvers(),
    }
  }

  /** Somebody called, and was left to the telephone beside the modem. */
  left(from: string): void {
    const { lastCall, clock } = this.#parts
    lastCall.note(seenCall(clock.now(), from, 'left'))
  }

  /** Never rejects; the process is told what came of it. */
  async keep(number: number, { data, ...page }: PageOnWire): Promise<void> {
    const present = this.#present
    if (present?.number !== number) return
    const { tell, log } = this.#parts
    const kept = { kind: 'kept', call: number, page: page.number } as const
    try {
      await present.call.keep({ ...page, data: Buffer.from(data, 'base64') })
      tell(kept)
    } catch (error) {
      log.error(
        { error: errorText(error) },
        'a received page could not be kept; its sender is not told that it came',
      )
      tell({ ...kept, problem: errorText(error) })
    }
  }

  /** @returns whether it was the present call */
  end(number: number, result: CallInResult): boolean {
    const present = this.#present
    if (present?.number !== number) return false
    this.#over(present, result)
    this.#parts.lastCall.note(seenCall(present.at, present.from, result))
    return true
  }

  /** The process is gone, and a call with it. */
  lost(why: string): void {
    if (this.#present === undefined) return
    const text = `The call broke off: ${why}`
    this.#over(this.#present, { result: 'partial', pages: 0, failure: 'fax-modem', text, facts: {} })
  }

  #over({ call, over }: Answering, result: CallInResult): void {
    this.#present = undefined
    over.resolve()
    void call.end(result)
  }
}
