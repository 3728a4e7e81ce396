/**
 * When a line may be used, beyond being ready: its configured rate, and a short rest after it failed again and again.
 *
 * The rate is a virtual schedule (the generic cell rate algorithm, ITU-T I.371): a burst up to the configured count, then
 * evenly. The rest never exceeds 10 s and one bad number alone never causes it. Pure; times are monotonic, in ms.
 */
export interface Rate {
  parts: number
  perMs: number
}

const STRIKES_BEFORE_REST = 3
const FIRST_REST_MS = 500
const LONGEST_REST_MS = 10_000

export class Pace {
  readonly #rate: Rate | undefined
  #scheduled = 0
  #strikes = 0
  #lastStruckBy: string | undefined
  #restUntil = 0

  constructor(rate?: Rate) {
    this.#rate = rate
  }

  /** How long until the rate allows another part, ms; 0 means now. */
  wait(now: number): number {
    if (!this.#rate) return 0
    const burst = this.#rate.perMs - this.#rate.perMs / this.#rate.parts
    return Math.max(0, this.#scheduled - burst - now)
  }

  /** How long the line rests, ms; 0 means not at all. */
  rest(now: number): number {
    return Math.max(0, this.#restUntil - now)
  }

  used(now: number, parts: number): void {
    if (!this.#rate) return
    this.#scheduled = Math.max(this.#scheduled, now) + (parts * this.#rate.perMs) / this.#rate.parts
  }

  succeeded(): void {
    this.#strikes = 0
    this.#lastStruckBy = undefined
  }

  /** @param to the number it failed with: the same number failing again is that number's trouble */
  failed(now: number, to: string): void {
    if (to === this.#lastStruckBy) return
    this.#lastStruckBy = to
    this.#strikes += 1
    if (this.#strikes < STRIKES_BEFORE_REST) return
    this.#restUntil =
      now + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (this.#strikes - STRIKES_BEFORE_REST))
  }
}
