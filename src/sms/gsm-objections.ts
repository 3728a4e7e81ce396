/**
 * Whom to blame when a modem answers a message with an error of its own (a plain ERROR): the modem, which recovery may
 * mend, or the number, which nothing mends. Pure.
 *
 * The modem is blamed at first. When it has climbed the recovery ladder for one number alone, and nothing else was
 * sent or refused meanwhile, it is the number: resetting the modem for it every few seconds would keep the line from
 * everybody else. After PATIENCE_MS the modem is blamed again, for a line that serves a single number.
 */

/** As many as the recovery ladder has rungs up to the reset of the modem and the port. */
const RUNGS = 5
const PATIENCE_MS = 10 * 60_000

export class Objections {
  #to: string | undefined
  #count = 0
  #since = 0

  /** @param now ms of the monotonic clock */
  blame(to: string, now: number): 'modem' | 'number' {
    if (to !== this.#to || now - this.#since > PATIENCE_MS) {
      this.#to = to
      this.#count = 0
      this.#since = now
    }
    this.#count += 1
    return this.#count > RUNGS ? 'number' : 'modem'
  }

  /** A message went out, so the modem works. What was refused before begins anew. */
  forget(): void {
    this.#count = 0
  }
}
