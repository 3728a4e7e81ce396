/**
 * Who is at work on which document: clients may hand in the same bytes at a time, and what one of them is refused (for
 * lack of time, say) another one may be told is taken. What nobody wants and was not here before is removed.
 */
export interface Takers {
  /** @param fresh its file was not here before */
  join(
    hash: string,
    fresh: boolean,
  ): {
    /** It is wanted. */
    take(): void
    /** It is refused. */
    leave(): Promise<void>
  }
}

export interface TakersParts {
  /** Whether a message refers to it. */
  needed(hash: string): Promise<boolean>
  remove(hash: string): Promise<void>
}

export function createTakers({ needed, remove }: TakersParts): Takers {
  const under = new Map<string, { count: number; fresh: boolean; wanted: boolean }>()
  return {
    join(hash, fresh) {
      const all = under.get(hash) ?? { count: 0, fresh: false, wanted: false }
      under.set(hash, all)
      all.count += 1
      all.fresh ||= fresh
      const done = () => {
        all.count -= 1
        if (all.count === 0) under.delete(hash)
      }
      const nobodys = () => all.count === 1 && all.fresh && !all.wanted
      return {
        take() {
          all.wanted = true
          done()
        },
        async leave() {
          try {
            if (nobodys() && !(await needed(hash)) && nobodys()) await remove(hash)
          } finally {
            done()
          }
        },
      }
    },
  }
}
