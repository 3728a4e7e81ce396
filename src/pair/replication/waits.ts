/** Callers that wait until own entries are on another member's disk. At most MOST of them; each has a deadline. */

const MOST = 20_000

interface Wait {
  sequence: number
  resolve(held: boolean): void
  timer: NodeJS.Timeout
}

export class Waits {
  #waits = new Set<Wait>()

  /** @param missed told when the deadline passes; `until` then resolves to false */
  until(sequence: number, withinMs: number, missed: () => void): Promise<boolean> {
    if (this.#waits.size >= MOST) return Promise.resolve(false)
    return new Promise((resolve) => {
      const wait: Wait = {
        sequence,
        resolve,
        timer: setTimeout(() => {
          this.#end(wait, false)
          missed()
        }, withinMs),
      }
      this.#waits.add(wait)
    })
  }

  /** @param acknowledged what another member holds at most; @param hope somebody is there to wait for */
  settle(acknowledged: number, hope: boolean): void {
    for (const wait of this.#waits) {
      if (wait.sequence <= acknowledged) this.#end(wait, true)
      else if (!hope) this.#end(wait, false)
    }
  }

  #end(wait: Wait, held: boolean): void {
    clearTimeout(wait.timer)
    this.#waits.delete(wait)
    wait.resolve(held)
  }
}
