/**
 * Which of the messages that were accepted here no other member holds yet. Kept in memory: after a start nothing is
 * known of the last run's messages until some member has everything.
 */
import type { Message } from '#messages/message.ts'
import type { Replicas } from './ownership.ts'

/** Beyond it every later message counts as not held, until some member has caught up. */
const MOST = 10_000

export class Held {
  readonly #node: string
  readonly #replicas: Replicas
  readonly #onlyHere = new Set<string>()
  #more = false
  /** Some member has had everything at least once since the start. */
  #known = false

  constructor(node: string, replicas: Replicas) {
    this.#node = node
    this.#replicas = replicas
  }

  /** It was accepted while nobody else took it. */
  onlyHere(message: string): void {
    if (this.#onlyHere.size >= MOST) {
      this.#more = true
      return
    }
    this.#onlyHere.add(message)
  }

  /** Another member has it on its disk. */
  elsewhere(message: Message): boolean {
    if (message.node !== undefined && message.node !== this.#node) return true
    if (this.#replicas.current()) {
      this.#onlyHere.clear()
      this.#more = false
      this.#known = true
      return true
    }
    return this.#known && !this.#more && !this.#onlyHere.has(message.id)
  }
}
