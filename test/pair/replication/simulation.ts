/**
 * Members with model disks on a bad network, in virtual time: each runs the real machine and the real wire format;
 * every step is checked. One seed gives one schedule, written down in `trace`.
 */
import { isSynchronised, nextDeadline, step } from '../../../src/pair/replication/machine.ts'
import {
  type Effect,
  type Input,
  initialState,
  isMet,
  ownAcked,
  type State,
} from '../../../src/pair/replication/state.ts'
import { WINDOW_BATCHES } from '../../../src/pair/replication/stream.ts'
import { decode, encode } from '../../../src/pair/replication/wire.ts'
import { ModelDisk, type ModelSnapshot } from './model-disk.ts'

const WAIT_MS = 500
const PAGE = 4
const READ = 5
/** More events than any schedule needs: beyond, something chases its own tail. */
const MOST_EVENTS = 400_000

interface Member {
  node: string
  disk: ModelDisk
  alive: boolean
  /** Counts its starts; what was meant for an earlier one is dropped. */
  life: number
  state: State
  timerAt: number
  /** When its disk has done what was asked so far. */
  diskAt: number
  stallMs: number
  up: Set<string>
  readers: Map<string, { id: number; pages: ModelSnapshot['facts'][]; positions: ModelSnapshot['positions'] }>
  loading: ModelSnapshot['facts']
  waiting: { fact: string; sequence: number }[]
}

export class Simulation {
  readonly trace: string[] = []
  /** What must be on every disk in the end. */
  readonly required = new Map<string, string>()
  readonly members = new Map<string, Member>()
  loss = 0
  disorder = false
  replicated = 0
  snapshots = 0
  /** Some disk has lied: what it acknowledged was true as far as anybody could know. */
  #lied = false
  #now = 0
  #events: { at: number; n: number; act: () => void }[] = []
  #count = 0
  #cuts = new Set<string>()
  #random: () => number
  #texts = 0
  #incarnations = 0
  #wireAt = new Map<string, number>()

  constructor(nodes: readonly string[], seed: number) {
    this.#random = generator(seed)
    for (const node of nodes) {
      const disk = new ModelDisk(node)
      const member: Member = {
        node,
        disk,
        alive: false,
        life: 0,
        state: initialState({ origin: node, incarnation: '', sequence: 0 }, [], true),
        timerAt: Number.POSITIVE_INFINITY,
        diskAt: 0,
        stallMs: 0,
        up: new Set(),
        readers: new Map(),
        loading: [],
        waiting: [],
      }
      this.members.set(node, member)
    }
    for (const node of nodes) this.start(node)
  }

  start(node: string): void {
    const member = this.#member(node)
    if (member.alive) return
    this.#incarnations += 1
    const own = member.disk.open(`${node}${this.#incarnations}`)
    member.alive = true
    member.life += 1
    member.state = initialState(own, member.disk.positions(), member.disk.complete)
    member.timerAt = Number.POSITIVE_INFINITY
    member.diskAt = this.#now
    member.up.clear()
    member.readers.clear()
    member.waiting = []
    this.#write(node, `starts as ${own.incarnation}`)
    this.#take(member, { input: 'members', nodes: [...this.members.keys()] })
    this.#settlePaths()
  }

  /** @param lost writes that its disk only pretended to have made */
  crash(node: string, lost = 0): void {
    const member = this.#member(node)
    if (!member.alive) return
    member.alive = false
    member.life += 1
    member.disk.crash(lost)
    this.#lied ||= lost > 0
    this.#write(node, `crashes, ${lost} writes lost`)
    for (const fact of this.required.keys()) {
      if (![...this.members.values()].some(({ disk }) => disk.facts.has(fact))) this.required.delete(fact)
    }
    this.#settlePaths()
  }

  accept(node: string, count: number): void {
    const member = this.#member(node)
    this.#disk(member, () => {
      if (member.disk.full) return
      const texts = Array.from({ length: count }, () => `"${node} ${this.#texts++}"`)
      const batch = member.disk.append(texts)
      texts.forEach((text, n) => {
        const fact = `${batch.incarnation}:${batch.from + n}`
        if (this.required.has(fact)) throw new Error(`${fact} was written twice`)
        this.required.set(fact, text)
        member.waiting.push({ fact, sequence: batch.from + n })
      })
      const sequence = batch.from + count - 1
      this.#write(node, `accepts ${batch.incarnation}:${batch.from}..${sequence}`)
      this.#take(member, { input: 'logged', batch })
      const { life } = member
      this.#at(WAIT_MS, () => {
        if (member.life !== life || !member.waiting.some((wait) => wait.sequence <= sequence)) return
        member.waiting = member.waiting.filter((wait) => wait.sequence > sequence)
        this.#take(member, { input: 'missed', sequence })
      })
    })
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
    this.#write(from, `no longer reaches ${to}`)
    this.#settlePaths()
  }

  heal(): void {
    this.#cuts.clear()
    this.#write('', 'the network is whole')
    this.#settlePaths()
  }

  trim(node: string, keep: number): void {
    this.#write(node, `forgets all but ${keep} entries of each log`)
    this.#member(node).disk.trim(keep)
  }

  fill(node: string, full: boolean): void {
    this.#write(node, full ? 'disk is full' : 'disk has room')
    this.#member(node).disk.full = full
  }

  stall(node: string, ms: number): void {
    this.#write(node, `disk takes ${ms} ms a write`)
    this.#member(node).stallMs = ms
  }

  switchPath(node: string, other: string): void {
    const member = this.#member(node)
    if (member.alive && member.up.has(other)) this.#take(member, { input: 'switched', node: other })
  }

  /** Lets time pass. */
  run(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = this.#next()
      if (!next || next.at > until) break
      this.#events.splice(this.#events.indexOf(next), 1)
      this.#now = Math.max(this.#now, next.at)
      this.#count += 1
      if (this.#count > MOST_EVENTS) throw new Error('it does not come to rest')
      next.act()
    }
    this.#now = until
  }

  /** Everything is repaired; runs until all members agree. @returns what is still missing */
  settle(): string | undefined {
    this.loss = 0
    this.disorder = false
    for (const member of this.members.values()) {
      member.disk.full = false
      member.stallMs = 0
      this.start(member.node)
    }
    this.heal()
    let missing = this.#missing()
    for (let n = 0; n < 60 && missing !== undefined; n++) {
      this.run(10_000)
      missing = this.#missing()
    }
    return missing
  }

  #missing(): string | undefined {
    for (const { node, disk, state } of this.members.values()) {
      for (const [fact, text] of this.required) {
        const held = disk.facts.get(fact)
        if (held === undefined) return `${fact} is not on the disk of ${node}`
        if (held !== text) throw new Error(`${fact} differs on ${node}`)
      }
      if (!disk.complete) return `${node} is not complete`
      if (!isSynchronised(state)) return `${node} is not synchronised`
      for (const peer of state.peers.values()) {
        if (peer.phase !== 'current') return `${node} takes ${peer.node} for ${peer.phase}`
      }
    }
    return undefined
  }

  #next() {
    let first = this.#events[0]
    for (const event of this.#events) {
      if (first && (event.at < first.at || (event.at === first.at && event.n < first.n))) first = event
    }
    return first
  }

  #member(node: string): Member {
    const member = this.members.get(node)
    if (!member) throw new Error(node)
    return member
  }

  #write(node: string, text: string): void {
    this.trace.push(`${Math.round(this.#now)} ${node} ${text}`)
  }

  #between(low: number, high: number): number {
    return low + this.#random() * (high - low)
  }

  #at(ms: number, act: () => void): void {
    this.#events.push({ at: this.#now + ms, n: this.#texts + this.#count + this.#events.length, act })
  }

  /** One write after the other; a crash before its end undoes it. */
  #disk(member: Member, act: () => void): void {
    const { life } = member
    if (!member.alive) return
    member.diskAt = Math.max(member.diskAt, this.#now) + this.#between(1, 10) + member.stallMs
    this.#at(member.diskAt - this.#now, () => {
      if (member.life === life) act()
    })
  }

  #linked(a: string, b: string): boolean {
    const alive = this.#member(a).alive && this.#member(b).alive
    return alive && !this.#cuts.has(`${a}>${b}`) && !this.#cuts.has(`${b}>${a}`)
  }

  /** Members learn of paths that open and close some time later, each on its own. */
  #settlePaths(): void {
    for (const member of this.members.values()) {
      for (const node of this.members.keys()) {
        if (node === member.node || this.#linked(member.node, node) === member.up.has(node)) continue
        const { life } = member
        this.#at(this.#linked(member.node, node) ? this.#between(5, 300) : this.#between(5, 3_000), () => {
          const linked = this.#linked(member.node, node)
          if (member.life !== life || linked === member.up.has(node)) return
          if (linked) member.up.add(node)
          else member.up.delete(node)
          this.#take(member, { input: linked ? 'open' : 'closed', node })
        })
      }
    }
  }

  #take(member: Member, input: Input): void {
    if (!member.alive) return
    const { state, effects } = step(member.state, input, this.#now)
    member.state = state
    this.#check(member)
    for (const effect of effects) this.#perform(member, effect)
    this.#answer(member)
    const at = nextDeadline(state)
    if (input.input === 'timer' && at <= this.#now) throw new Error(`${member.node} spins`)
    if (at === Number.POSITIVE_INFINITY || at === member.timerAt) return
    member.timerAt = at
    const { life } = member
    this.#at(Math.max(1, at - this.#now), () => {
      if (member.life !== life || member.timerAt !== at) return
      member.timerAt = Number.POSITIVE_INFINITY
      this.#take(member, { input: 'timer' })
    })
  }

  #check({ node, state, disk }: Member): void {
    for (const peer of state.peers.values()) {
      if (peer.merging > 4 * 1_048_576) throw new Error(`${node} holds too much of ${peer.node}`)
      for (const { flight } of peer.streams.values()) {
        if (flight.length > WINDOW_BATCHES) throw new Error(`${node} sends too much to ${peer.node}`)
      }
      if (!isMet(peer) && peer.phase === 'disconnected' && peer.streams.size > 0) {
        throw new Error(`${node} sends to nobody`)
      }
    }
    for (const [incarnation, { sequence }] of state.held) {
      if (sequence > disk.reach(incarnation))
        throw new Error(`${node} believes in ${incarnation}:${sequence}`)
    }
  }

  /** What has been acknowledged is answered: it must be on two disks at this moment. */
  #answer(member: Member): void {
    const acked = Math.max(0, ...[...member.state.peers.values()].map((peer) => ownAcked(member.state, peer)))
    for (const { fact, sequence } of member.waiting) {
      if (sequence > acked) continue
      const disks = [...this.members.values()].filter(({ disk }) => disk.facts.has(fact))
      if (disks.length < 2 && !this.#lied) throw new Error(`${fact} was said to be on two disks`)
      this.replicated += 1
    }
    member.waiting = member.waiting.filter(({ sequence }) => sequence > acked)
  }

  #perform(member: Member, effect: Effect): void {
    const { disk, life } = member
    const later = (input: () => Input) => this.#disk(member, () => this.#take(member, input()))
    switch (effect.effect) {
      case 'send': {
        const { to, message, version } = effect
        if (message.kind === 'ack' && message.position.sequence > disk.reach(message.position.incarnation)) {
          throw new Error(`${member.node} acknowledges what is not on its disk`)
        }
        this.#carry(member.node, to, encode(message, version))
        return
      }
      case 'read': {
        const { to, incarnation, after, round } = effect
        this.#at(this.#between(1, 5), () => {
          if (member.life !== life) return
          const result = disk.read(incarnation, after, READ) ?? 'end'
          this.#take(member, { input: 'read', to, incarnation, round, result })
        })
        return
      }
      case 'merge': {
        const { from, round, batch } = effect
        const { origin, incarnation } = batch
        const log = { origin, incarnation, sequence: batch.from + batch.count - 1 }
        const input = { input: 'merged', from, round, log, bytes: Buffer.byteLength(batch.entries) } as const
        later(() => ({
          ...input,
          result: disk.full ? { result: 'problem', problem: 'full' } : disk.merge(batch),
        }))
        return
      }
      case 'openSnapshot': {
        const { positions, facts } = disk.snapshot()
        const pages = Array.from({ length: Math.max(1, Math.ceil(facts.length / PAGE)) }, (_, n) =>
          facts.slice(n * PAGE, (n + 1) * PAGE),
        )
        member.readers.set(effect.to, { id: effect.id, pages, positions })
        return
      }
      case 'nextPage': {
        const { to, id } = effect
        this.#at(this.#between(1, 5), () => {
          const reader = member.readers.get(to)
          if (member.life !== life || reader?.id !== id) return
          const page = reader.pages.shift()
          if (page) this.#take(member, { input: 'page', to, id, page: JSON.stringify(page) })
          else this.#take(member, { input: 'pagesEnd', to, id, positions: reader.positions })
        })
        return
      }
      case 'closeSnapshot':
        member.readers.delete(effect.to)
        return
      case 'beginLoad':
        this.#write(member.node, 'begins to take a snapshot in')
        this.#disk(member, () => {
          member.loading = []
          disk.beginLoad()
        })
        return
      case 'loadPage': {
        const { id, page } = effect
        later(() => {
          if (disk.full) return { input: 'loadFailed', id, problem: 'full' }
          member.loading.push(...(JSON.parse(page) as ModelSnapshot['facts']))
          return { input: 'loaded', id }
        })
        return
      }
      case 'finishLoad': {
        const { id } = effect
        later(() => {
          // All that was acknowledged here is in the snapshot already, but for what nobody could wait for any longer.
          const brought = new Set(member.loading.map(([fact]) => fact))
          const others = [...disk.positions()].filter(({ origin }) => origin !== member.node)
          const lacking = [...disk.facts.keys()].filter(
            (fact) =>
              !brought.has(fact) && others.some(({ incarnation }) => fact.startsWith(`${incarnation}:`)),
          )
          if (lacking.length > 0 && member.state.loading?.settled) {
            throw new Error(`the snapshot for ${member.node} lacks ${lacking.join(', ')}`)
          }
          disk.finishLoad({ positions: [...effect.positions], facts: member.loading })
          this.snapshots += 1
          this.#write(member.node, 'has taken a snapshot in')
          return { input: 'loadFinished', id, positions: disk.positions(), complete: disk.complete }
        })
        return
      }
      case 'abandonLoad':
        this.#write(member.node, 'gives a snapshot up')
        return
      case 'alarm':
        this.#write(member.node, `alarm ${effect.code}`)
        return
      case 'note':
        if (effect.level !== 'debug')
          this.#write(member.node, `${effect.text} ${JSON.stringify(effect.fields)}`)
    }
  }

  #carry(from: string, to: string, text: string): void {
    if (this.#random() < this.loss) return
    const way = `${from}>${to}`
    const { life } = this.#member(to)
    const arrival = this.#now + this.#between(0.2, this.disorder ? 400 : 20)
    const at = this.disorder ? arrival : Math.max(arrival, this.#wireAt.get(way) ?? 0)
    this.#wireAt.set(way, at)
    this.#at(at - this.#now, () => {
      const member = this.#member(to)
      if (this.#cuts.has(way) || member.life !== life) return
      const message = decode(text)
      if (!message) throw new Error(`not understood: ${text}`)
      this.#take(member, { input: 'message', from, message })
    })
  }
}

/** mulberry32: small, seeded, good enough to choose delays. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
