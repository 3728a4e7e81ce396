/**
 * One outgoing call as dispatch sees it: what is asked before its irrevocable steps, which pages were confirmed, and how
 * it ended, also when the process that made it is gone. A page that is confirmed has reached the recorder before
 * anything is intended for the page after it, so one log, in order, holds both or neither.
 */

import { errorText } from '#core/errors.ts'
import type { Transmission } from '#lines/contract.ts'
import type { Reason } from '#messages/states.ts'
import type { CallOutResult } from './contract.ts'

export type Ended = CallOutResult | { result: 'engaged'; reason: Reason }

export class OutgoingCall {
  readonly ended: Promise<Ended>
  readonly #transmission: Transmission
  readonly #pages: number
  readonly #settle: (ended: Ended) => void
  #confirmed: number
  /** The end of the last page may have been sent. */
  #lastEnded = false

  /** @param pages how many the document has */
  constructor(transmission: Transmission, pages: number) {
    this.#transmission = transmission
    this.#pages = pages
    this.#confirmed = transmission.from
    const { promise, resolve } = Promise.withResolvers<Ended>()
    this.ended = promise
    this.#settle = resolve
  }

  /** @returns why it must not go on; undefined once the intent is durable */
  async intend(page: number, step: 'dial' | 'post-page'): Promise<Reason | undefined> {
    try {
      await (step === 'dial' ? this.#transmission.intend(page) : this.#transmission.intend(page, 'post-page'))
    } catch (error) {
      return { code: 'not-recorded', text: errorText(error) }
    }
    const reason = this.#transmission.stop()
    if (reason === undefined && step === 'post-page' && page === this.#pages - 1) this.#lastEnded = true
    return reason
  }

  /** Pages are confirmed once and in order, whatever is said of them. Resolves when it is on disk. */
  async confirmed(page: number): Promise<void> {
    if (page !== this.#confirmed || page >= this.#pages) return
    this.#confirmed += 1
    if (this.#confirmed === this.#pages) this.#transmission.accepted(0)
    else this.#transmission.confirmed(page, 0)
    await this.#transmission.recorded()
  }

  end(result: Ended): void {
    // Confirmed is confirmed: what went wrong after the last page changes nothing.
    if (this.#confirmed === this.#pages && result.result !== 'engaged')
      this.#settle({ result: 'sent', facts: result.facts })
    else if (result.result === 'sent')
      this.#settle({
        result: 'failed',
        failure: 'fax-protocol',
        text: 'The call ended with pages that were not confirmed',
        confirmed: this.#confirmed,
        facts: result.facts,
      })
    else this.#settle(result)
  }

  /** Nobody will say any more how it ended. */
  lost(): void {
    const text = 'The process of this line ended during the call'
    const { facts, confirmed } = { facts: {}, confirmed: this.#confirmed }
    if (this.#confirmed === this.#pages) this.#settle({ result: 'sent', facts })
    else if (this.#lastEnded) this.#settle({ result: 'unknown', text, confirmed, facts })
    else this.#settle({ result: 'failed', failure: 'fax-modem', text, confirmed, facts })
  }
}
