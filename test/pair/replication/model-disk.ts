/**
 * The disk of one member as a model: logs, what their entries have made ("facts"), snapshots. Every change is atomic
 * and counts as fsynced once made; what a caller has not made yet is lost in a crash. A disk that lies about its last
 * writes goes back to how it was some writes before.
 */
import type { LogBatch, LogPosition, MergeResult } from '../../../src/store/contract.ts'

interface ModelLog {
  origin: string
  /** The lowest sequence that is held. */
  first: number
  entries: string[]
}

interface Content {
  logs: Map<string, ModelLog>
  /** `incarnation:sequence` of every entry that was applied. */
  facts: Map<string, string>
  complete: boolean
}

export interface ModelSnapshot {
  positions: LogPosition[]
  facts: [string, string][]
}

const HISTORY = 8

const last = ({ first, entries }: ModelLog): number => first + entries.length - 1

const clone = ({ logs, facts, complete }: Content): Content => ({
  logs: new Map([...logs].map(([name, log]) => [name, { ...log, entries: [...log.entries] }])),
  facts: new Map(facts),
  complete,
})

export class ModelDisk {
  readonly node: string
  full = false
  #content: Content = { logs: new Map(), facts: new Map(), complete: true }
  #history: Content[] = []
  #incarnation = ''

  constructor(node: string) {
    this.node = node
  }

  get facts(): ReadonlyMap<string, string> {
    return this.#content.facts
  }

  get complete(): boolean {
    return this.#content.complete
  }

  open(incarnation: string): LogPosition {
    this.#change()
    this.#incarnation = incarnation
    this.#content.logs.set(incarnation, { origin: this.node, first: 1, entries: [] })
    return this.own()
  }

  own(): LogPosition {
    return { origin: this.node, incarnation: this.#incarnation, sequence: this.reach(this.#incarnation) }
  }

  reach(incarnation: string): number {
    const log = this.#content.logs.get(incarnation)
    return log ? last(log) : 0
  }

  positions(): (LogPosition & { first: number })[] {
    return [...this.#content.logs].map(([incarnation, log]) => ({
      origin: log.origin,
      incarnation,
      sequence: last(log),
      first: log.first,
    }))
  }

  /** Own entries, one transaction. */
  append(entries: readonly string[]): LogBatch {
    this.#change()
    const { incarnation, origin, sequence } = this.own()
    for (const [n, entry] of entries.entries()) this.#apply(incarnation, sequence + 1 + n, entry)
    return {
      origin,
      incarnation,
      from: sequence + 1,
      count: entries.length,
      entries: `[${entries.join(',')}]`,
    }
  }

  read(incarnation: string, after: number, most: number): LogBatch | 'trimmed' | undefined {
    const log = this.#content.logs.get(incarnation)
    if (!log || last(log) <= after) return undefined
    if (after + 1 < log.first) return 'trimmed'
    const entries = log.entries.slice(after + 1 - log.first).slice(0, most)
    return {
      origin: log.origin,
      incarnation,
      from: after + 1,
      count: entries.length,
      entries: `[${entries.join(',')}]`,
    }
  }

  merge({ origin, incarnation, from, count, entries }: LogBatch): MergeResult {
    const sequence = this.reach(incarnation)
    if (from > sequence + 1) return { result: 'gap', position: { origin, incarnation, sequence } }
    this.#change()
    if (!this.#content.logs.has(incarnation)) {
      this.#content.logs.set(incarnation, { origin, first: 1, entries: [] })
    }
    const parsed: unknown[] = JSON.parse(entries)
    if (parsed.length !== count) throw new Error('the batch is not what it says')
    parsed.forEach((entry, n) => {
      if (from + n > sequence) this.#apply(incarnation, from + n, JSON.stringify(entry))
    })
    return { result: 'merged', position: { origin, incarnation, sequence: this.reach(incarnation) } }
  }

  /** Forgets the entries of a log but the last few; what they made stays. */
  trim(keep: number): void {
    this.#change()
    for (const log of this.#content.logs.values()) {
      const gone = Math.max(0, log.entries.length - keep)
      log.entries.splice(0, gone)
      log.first += gone
    }
  }

  snapshot(): ModelSnapshot {
    return { positions: this.positions(), facts: [...this.#content.facts] }
  }

  beginLoad(): void {
    this.#change()
    this.#content.complete = false
  }

  finishLoad({ positions, facts }: ModelSnapshot): void {
    this.#change()
    const content = this.#content
    content.facts = new Map([...facts, ...content.facts])
    for (const { origin, incarnation, sequence } of positions) {
      if (this.reach(incarnation) >= sequence) continue
      content.logs.set(incarnation, { origin, first: sequence + 1, entries: [] })
    }
    content.complete = true
  }

  /** @param lost how many of the last writes the disk only pretended to have made */
  crash(lost: number): void {
    const before = lost > 0 ? this.#history.at(-lost) : undefined
    if (before) this.#content = clone(before)
    this.#history = []
  }

  #apply(incarnation: string, sequence: number, entry: string): void {
    const log = this.#content.logs.get(incarnation)
    if (!log || last(log) + 1 !== sequence) throw new Error(`${incarnation}:${sequence} is out of order`)
    log.entries.push(entry)
    this.#content.facts.set(`${incarnation}:${sequence}`, entry)
  }

  #change(): void {
    this.#history = [...this.#history, clone(this.#content)].slice(-HISTORY)
  }
}
