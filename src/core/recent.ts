/** The newest lines of the log in memory, for a support bundle: what happened is wanted when nobody was watching. */

const LINES = 4_000
const BYTES = 1_500_000

export interface Recent {
  add(line: string): void
  /** Oldest first. */
  lines(): string[]
}

export function recentLines(): Recent {
  const kept: string[] = []
  let size = 0
  return {
    add(line) {
      kept.push(line)
      size += line.length
      if (kept.length <= LINES && size <= BYTES) return
      // A tenth at a time: moving the whole list for each line would cost.
      const gone = kept.splice(0, Math.ceil(kept.length / 10))
      for (const one of gone) size -= one.length
    },
    lines: () => [...kept],
  }
}
