/**
 * What is to be published, as long as the broker takes it or not: the newest of each retained topic, and the last
 * thousand of what happened. Nobody ever waits for it, and a broker that is away costs this much memory and no more.
 */
export interface Outlet {
  publish(topic: string, payload: string, retain: boolean): Promise<void>
  connected(): boolean
}

const MOST_EVENTS = 1_000
/** Publications that the broker has not acknowledged. */
const MOST_IN_FLIGHT = 64
/** After a refusal, ms. */
const AGAIN_MS = 1_000

interface Item {
  /** Counts up, so that what comes back finds its place again. */
  number: number
  topic: string
  payload: string
  retain: boolean
}

export class Outbox {
  readonly #outlet: Outlet
  readonly #dropped: (count: number) => void
  readonly #states = new Map<string, string>()
  readonly #stale = new Set<string>()
  #events: Item[] = []
  #inFlight = 0
  #lost = 0
  #number = 0

  /** @param dropped told how many events were dropped while the broker was away, when it is back */
  constructor(outlet: Outlet, dropped: (count: number) => void) {
    this.#outlet = outlet
    this.#dropped = dropped
  }

  /** A retained topic; the same as before is not published again. */
  state(topic: string, payload: string): void {
    if (this.#states.get(topic) === payload) return
    this.#states.set(topic, payload)
    this.#stale.add(topic)
    this.#pump()
  }

  event(topic: string, payload: string): void {
    this.#number += 1
    this.#events.push({ number: this.#number, topic, payload, retain: false })
    if (this.#events.length > MOST_EVENTS) {
      this.#events.shift()
      this.#lost += 1
    }
    this.#pump()
  }

  /** The connection is there, perhaps to a broker that has forgotten everything. */
  up(): void {
    for (const topic of this.#states.keys()) this.#stale.add(topic)
    if (this.#lost > 0) this.#dropped(this.#lost)
    this.#lost = 0
    this.#pump()
  }

  #pump(): void {
    while (this.#outlet.connected() && this.#inFlight < MOST_IN_FLIGHT) {
      const item = this.#next()
      if (item === undefined) return
      this.#inFlight += 1
      const { topic, payload, retain } = item
      this.#outlet.publish(topic, payload, retain).then(
        () => {
          this.#inFlight -= 1
          this.#pump()
        },
        // Not at once again: a client that is being closed refuses in the same turn, and nothing else would ever run.
        () => {
          this.#inFlight -= 1
          this.#giveBack(item)
          setTimeout(() => this.#pump(), AGAIN_MS).unref()
        },
      )
    }
  }

  #next(): Item | undefined {
    for (const topic of this.#stale) {
      this.#stale.delete(topic)
      return { number: 0, topic, payload: this.#states.get(topic) ?? '', retain: true }
    }
    return this.#events.shift()
  }

  /** The connection ended before the broker said that it has it; it may get it twice. */
  #giveBack(item: Item): void {
    if (item.retain) this.#stale.add(item.topic)
    else if (this.#events.length < MOST_EVENTS) {
      this.#events.push(item)
      this.#events.sort((a, b) => a.number - b.number)
    } else this.#lost += 1
  }
}
