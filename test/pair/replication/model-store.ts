/** An OperationLog over a model disk, and links within one process: for tests of the runner without SQLite and TLS. */
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { LinkMember, Links, LinksOptions } from '../../../src/pair/links/contract.ts'
import type { ReplicationStore } from '../../../src/pair/replication/replication.ts'
import type { LogBatch, LogPosition } from '../../../src/store/contract.ts'
import { ModelDisk, type ModelSnapshot } from './model-disk.ts'

const PAGE = 100

export interface ModelStore extends ReplicationStore {
  readonly disk: ModelDisk
  accept(...texts: string[]): Promise<LogPosition>
  retained: ReadonlyMap<string, number>
  /** Set to make merging fail. */
  broken: string | undefined
  /** What merging waits for. */
  slow: Promise<void>
}

export function modelStore(node: string, disk = new ModelDisk(node)): ModelStore {
  let listener: (batch: LogBatch) => void = () => {}
  const store: ModelStore = {
    disk,
    retained: new Map(),
    broken: undefined,
    slow: Promise.resolve(),
    async accept(...texts) {
      await turn()
      listener(disk.append(texts.map((text) => JSON.stringify(text))))
      return disk.own()
    },
    logged: () => disk.own(),
    onLogged(next) {
      listener = next
    },
    positions: async () => disk.positions(),
    async read(incarnation, after) {
      await turn()
      return disk.read(incarnation, after, 50)
    },
    async merge(batch) {
      await store.slow
      await turn()
      if (store.broken !== undefined) throw new Error(store.broken)
      return disk.merge(batch)
    },
    openIncarnation: async () => disk.open(randomUUID()),
    retain(upTo) {
      store.retained = upTo
    },
    async snapshot() {
      const { positions, facts } = disk.snapshot()
      let at = 0
      return {
        positions,
        async next() {
          const page = facts.slice(at, at + PAGE)
          at += PAGE
          return page.length === 0 && at > PAGE ? undefined : JSON.stringify(page)
        },
        close: async () => {},
      }
    },
    async loadSnapshot() {
      const facts: ModelSnapshot['facts'] = []
      disk.beginLoad()
      return {
        async add(page) {
          await turn()
          if (store.broken !== undefined) throw new Error(store.broken)
          facts.push(...(JSON.parse(page) as ModelSnapshot['facts']))
        },
        async finish(positions) {
          disk.finishLoad({ positions: [...positions], facts })
        },
        abandon: async () => {},
      }
    },
    complete: () => disk.complete,
  }
  return store
}

interface Station {
  options: Pick<LinksOptions, 'onMessage' | 'onPaths'>
  members: Set<string>
}

/** A network without wires: members in one process, cut and joined by the test. */
export class MemoryNetwork {
  readonly #stations = new Map<string, Station>()
  readonly #cut = new Set<string>()
  readonly #open = new Set<string>()
  /** Counts payloads by topic. */
  readonly sent = new Map<string, number>()

  links(node: string): (options: Pick<LinksOptions, 'onMessage' | 'onPaths'>) => Promise<Links> {
    return async (options) => {
      this.#stations.set(node, { options, members: new Set() })
      return {
        listening: { host: 'memory', port: 1 },
        setMembers: (members: readonly LinkMember[]) => {
          const station = this.#stations.get(node)
          if (!station) return
          station.members = new Set(members.map((member) => member.node))
          this.#settle()
        },
        send: (to, topic, payload) => {
          if (!this.#open.has(pair(node, to))) return false
          this.sent.set(topic, (this.sent.get(topic) ?? 0) + 1)
          const copy = Buffer.from(payload)
          setImmediate(() => {
            if (!this.#open.has(pair(node, to))) return
            this.#stations.get(to)?.options.onMessage(node, topic, copy, 'memory')
          })
          return true
        },
        waiting: () => 0,
        close: async () => {
          this.#stations.delete(node)
          this.#settle()
        },
      }
    }
  }

  cut(a: string, b: string): void {
    this.#cut.add(pair(a, b))
    this.#settle()
  }

  join(a: string, b: string): void {
    this.#cut.delete(pair(a, b))
    this.#settle()
  }

  #settle(): void {
    const names = [...this.#stations.keys()]
    const wanted = new Set<string>()
    for (const a of names) {
      for (const b of names) {
        const each = this.#stations.get(a)?.members.has(b) && this.#stations.get(b)?.members.has(a)
        if (a < b && each && !this.#cut.has(pair(a, b))) wanted.add(pair(a, b))
      }
    }
    for (const name of [...this.#open, ...wanted]) {
      if (this.#open.has(name) === wanted.has(name)) continue
      const up = wanted.has(name)
      if (up) this.#open.add(name)
      else this.#open.delete(name)
      const [a = '', b = ''] = name.split('|')
      this.#stations.get(a)?.options.onPaths(b, [{ address: 'memory', up }])
      this.#stations.get(b)?.options.onPaths(a, [{ address: 'memory', up }])
    }
  }
}

const pair = (a: string, b: string): string => [a, b].sort().join('|')
