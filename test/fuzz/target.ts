/** What `npm run fuzz` runs: one way in, fed with what nobody means, until the time is over. */

export interface FuzzRun {
  /** The same seed makes the same inputs. */
  seed: number
  /** Of performance.now(): no new input is made after it. */
  until: number
  /** Tells what was found: a message that refused input made, an answer that never came, a wrong one … */
  found(what: string): void
}

export interface FuzzTarget {
  name: string
  /**
   * Resolves soon after `until`. Exceptions that nobody caught and a blocked event loop are seen by whoever runs it.
   * @returns how many inputs were tried
   */
  run(run: FuzzRun): Promise<number>
}
