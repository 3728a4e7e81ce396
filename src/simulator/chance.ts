/** Numbers by chance that repeat for the same seed, so that a failed run can be repeated (mulberry32). Pure. */
import type { Span } from './options.ts'

export class Chance {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** @returns a whole number from 0 to limit - 1 */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((((mixed ^ (mixed >>> 14)) >>> 0) * limit) / 4_294_967_296) | 0
  }

  /** @returns ms inside the span */
  within(span: Span): number {
    return span.max === span.min ? span.min : span.min + this.below(span.max - span.min + 1)
  }
}
