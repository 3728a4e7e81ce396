/**
 * Rounds of tries: which lines had a delivery in the present one, and which of those that cannot have it now can have it
 * soonest. A round ends when the delivery is settled or has to pause.
 */
import type { Outcome } from '#messages/outcome.ts'

type Waits = Extract<Outcome, { result: 'notSent' }> & { again: { pause: number } }

interface Round {
  readonly lines: ReadonlySet<string>
  /** Of the line that waits shortest, and until when, ms since 1970. */
  readonly soonest?: { outcome: Waits; at: number }
}

export class Rounds {
  readonly #rounds = new Map<string, Round>()

  lines(delivery: string): ReadonlySet<string> | undefined {
    return this.#rounds.get(delivery)?.lines
  }

  with(delivery: string, line: string): ReadonlySet<string> {
    return new Set([...(this.lines(delivery) ?? []), line])
  }

  /** What a round comes to that ends with this outcome: a pause is that of the line that is first to go on. */
  sum(delivery: string, outcome: Outcome, now: number): Outcome {
    const before = this.#rounds.get(delivery)?.soonest
    if (before === undefined || !waits(outcome) || now + outcome.again.pause <= before.at) return outcome
    return { ...before.outcome, again: { pause: Math.max(0, before.at - now) } }
  }

  /** It goes on with another line. */
  goOn(delivery: string, lines: ReadonlySet<string>, outcome: Outcome, now: number): void {
    const sum = this.sum(delivery, outcome, now)
    const { soonest } = this.#rounds.get(delivery) ?? {}
    if (waits(sum))
      this.#rounds.set(delivery, { lines, soonest: { outcome: sum, at: now + sum.again.pause } })
    else this.#rounds.set(delivery, soonest === undefined ? { lines } : { lines, soonest })
  }

  over(delivery: string): void {
    this.#rounds.delete(delivery)
  }

  clear(): void {
    this.#rounds.clear()
  }
}

const waits = (outcome: Outcome): outcome is Waits =>
  outcome.result === 'notSent' && outcome.again !== undefined
