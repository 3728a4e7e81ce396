/** The store under test, in the hands of the conformance tests: a fresh one for each test. */
import { afterEach, beforeEach, expect } from 'vitest'
import type { Acceptance, ClaimResult, Store } from '#store/contract.ts'
import { acceptance, change, START, term, type Wish } from './fixtures.ts'

export const until = START + 60_000
export const DAY = 86_400_000
export const first = (one: Acceptance): string => one.deliveries[0]?.id ?? ''

/** One engine's store on data of its own. */
export interface Engine {
  store: Store
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>
  dispose(): Promise<void>
}

export class Held {
  #engine: Engine | undefined
  #store: Store | undefined

  /** Call inside a describe: each test in it gets a new engine. */
  constructor(open: () => Promise<Engine>) {
    beforeEach(async () => {
      this.#engine = await open()
      this.#store = this.#engine.store
    })
    afterEach(() => this.#engine?.dispose())
  }

  get store(): Store {
    if (!this.#store) throw new Error('no test is running')
    return this.#store
  }

  async reopen(): Promise<void> {
    this.#store = await this.#engine?.reopen()
  }

  async accept(wish: Wish = {}): Promise<Acceptance> {
    const one = acceptance(wish)
    expect(await this.store.accept([one])).toEqual([{ result: 'accepted' }])
    return one
  }

  record(delivery: string, ...events: Parameters<typeof change>[1][]): Promise<boolean[]> {
    return this.store.record(events.map((event) => change(delivery, event)))
  }

  claim(limit = 100, now = START): Promise<ClaimResult> {
    return this.store.claim({ limit, now, until, term })
  }

  async claimed(limit?: number, now?: number): Promise<string[]> {
    return (await this.claim(limit, now)).claims.map(({ delivery }) => delivery.id)
  }
}
