/**
 * A world for the role machine: boxes with a guard, a gateway, a kernel that ends leases by itself (never early, up to
 * 0.5 s late, and a renewal brings an expired address back, as measured), a disk with one term, a network with two
 * paths, a witness. Everything happens in an order that follows from the seed; every box has a clock of its own.
 */
import type { RoleState } from '#pair/contract.ts'
import type { Beat, RoleEffect, RoleInput } from '#pair/role/contract.ts'
import { startMachine, step } from '#pair/role/machine.ts'
import { decide, type Tenure } from '#pair/witness/decide.ts'
import { type Box, before, type Event, healthOf, normal, type TakeOver, type WorldOptions } from './box.ts'

/** Events at one moment: a machine that asks to be called again at once, always, would keep a real guard from everything. */
const MOST_AT_ONCE = 10_000

export class World {
  now = 0
  readonly boxes: Box[]
  readonly takeovers: TakeOver[] = []
  readonly violations: string[] = []
  /** Directed, `from>to`: until when nothing gets through. */
  readonly cutUntil = new Map<string, number>()
  lossUntil = 0
  loss = 0
  slowUntil = 0
  slow = 0
  stranger = false
  routerUp = true
  witnessDownUntil = 0
  witnessStarted = -10_000
  witnessRestarts = 0
  tenure: Tenure = { lasted: 0 }
  /** Directions in which a heartbeat was lost or late and none has come through since; and when one did last. */
  private readonly deaf = new Set<string>()
  private heardAgain = Number.NEGATIVE_INFINITY
  /** Every effect, newest last, for tests that look at the order. */
  readonly effects: { at: number; node: string; effect: RoleEffect }[] = []
  private readonly arrivals = new Map<string, number>()
  private readonly events: Event[] = []
  private order = 0
  private random: number
  readonly options: WorldOptions

  constructor(options: WorldOptions) {
    this.options = options
    this.random = options.seed | 0 || 1
    const nodes = Array.from({ length: options.members }, (_, index) => String.fromCharCode(97 + index))
    this.boxes = nodes.map((node, index) => ({
      index,
      node,
      settings: {
        node,
        priority: 100 - index,
        profile: options.profile ?? normal,
        mode: 'active-standby',
        preempt: false,
        switchover: 'automatic',
        aloneAfter: 3_000,
        selfCheck: 2_000,
        witness: options.witness,
        router: false,
        address: true,
        ackWithin: 150,
        ...options.settings,
        ...options.own?.[index],
      },
      machine: undefined,
      life: 0,
      clock: index * 1e6,
      wall: 1e12,
      frozenUntil: 0,
      waitingInputs: [],
      disk: { counter: 0, node: '' },
      diskDelay: 3,
      address: { here: false, until: 0 },
      carrier: true,
      gateway: { hungUntil: 0, transmitUntil: 0, role: undefined, problem: false, synchronised: true },
      log: [],
      alarms: [],
      results: [],
      signals: [],
    }))
  }

  /** From 0 to below `below`; xorshift, so that a seed tells everything. */
  chance(below: number): number {
    this.random ^= this.random << 13
    this.random ^= this.random >>> 17
    this.random ^= this.random << 5
    return ((this.random >>> 0) / 2 ** 32) * below
  }

  box(index: number): Box {
    const box = this.boxes[index % this.boxes.length]
    if (box === undefined) throw new Error('no box')
    return box
  }

  after(ms: number, run: () => void): void {
    this.order += 1
    const event = { at: this.now + ms, order: this.order, run }
    const { events } = this
    let at = events.length
    events.push(event)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = events[up]
      if (parent === undefined || before(parent, event)) break
      events[at] = parent
      events[up] = event
      at = up
    }
  }

  private next(): Event | undefined {
    const { events } = this
    const [first] = events
    const last = events.pop()
    if (first === undefined || last === undefined || first === last) return first
    let at = 0
    events[0] = last
    for (;;) {
      const left = 2 * at + 1
      const [a, b] = [events[left], events[left + 1]]
      const child = b !== undefined && a !== undefined && before(b, a) ? left + 1 : left
      const smaller = events[child]
      if (smaller === undefined || before(last, smaller)) break
      events[at] = smaller
      events[child] = last
      at = child
    }
    return first
  }

  run(ms: number): void {
    const until = this.now + ms
    let atOnce = 0
    while ((this.events[0]?.at ?? Number.POSITIVE_INFINITY) <= until) {
      const event = this.next()
      if (event === undefined) break
      atOnce = event.at === this.now ? atOnce + 1 : 0
      if (atOnce > MOST_AT_ONCE)
        throw new Error(`at ${this.now} ms things go on for ever without time passing`)
      this.now = event.at
      event.run()
    }
    this.now = until
    this.check()
  }

  /** Runs until it is so. @returns ms it took, or undefined when it was not so within `ms` */
  until(ms: number, so: () => boolean): number | undefined {
    const start = this.now
    while (this.now - start < ms) {
      if (so()) return this.now - start
      this.run(5)
    }
    return so() ? this.now - start : undefined
  }

  // Boxes

  start(box: Box, members = this.boxes): void {
    box.life += 1
    box.frozenUntil = 0
    box.waitingInputs = []
    // The new guard removes what an earlier one left, before it says anything.
    box.address.here = false
    box.machine = startMachine(
      box.settings,
      {
        members: members.map(({ node, settings }) => ({ node, priority: settings.priority })),
        stored: box.disk,
        session: `${box.node}${box.life}`,
        wallOffset: box.wall - box.clock,
      },
      this.now + box.clock,
    )
    const { life } = box
    this.give(box, { input: 'tick' })
    if (!box.carrier) this.give(box, { input: 'carrier', up: false })
    this.health(box, life)
    this.connections(box, true)
  }

  startAll(): void {
    for (const box of this.boxes) this.start(box)
  }

  /** kill -9 of the guard: nothing is said, the kernel's lease goes on, the gateway sees the end of file. */
  kill(box: Box): void {
    if (box.machine === undefined) return
    box.machine = undefined
    box.life += 1
    box.gateway.transmitUntil = 0
    this.connections(box, false)
  }

  freeze(box: Box, ms: number): void {
    box.frozenUntil = Math.max(box.frozenUntil, this.now + ms)
    const { life } = box
    this.after(ms, () => this.thaw(box, life))
  }

  cut(from: Box, to: Box, ms: number): void {
    this.cutUntil.set(`${from.node}>${to.node}`, this.now + ms)
  }

  cutBoth(one: Box, other: Box, ms: number): void {
    this.cut(one, other, ms)
    this.cut(other, one, ms)
  }

  setCarrier(box: Box, up: boolean): void {
    if (box.carrier === up) return
    box.carrier = up
    this.give(box, { input: 'carrier', up })
  }

  give(box: Box, input: RoleInput): void {
    if (box.machine === undefined) return
    if (this.now < box.frozenUntil) {
      box.waitingInputs.push(input)
      return
    }
    const { state, effects } = step(box.machine, input, this.now + box.clock)
    box.machine = state
    const { life } = box
    for (const effect of effects) this.perform(box, effect)
    if (box.life !== life || state.phase === 'stopped') return
    const at = state.wakeAt - box.clock
    // As the guard's timers, which count whole ms; a rounding error of a sum would otherwise be waited for for ever.
    this.after(Math.max(0, Math.ceil(at - this.now)), () => {
      if (box.life === life && box.machine?.wakeAt === state.wakeAt) this.give(box, { input: 'tick' })
    })
    this.check()
  }

  private thaw(box: Box, life: number): void {
    if (box.life !== life || this.now < box.frozenUntil) return
    const inputs = box.waitingInputs
    box.waitingInputs = []
    // The worst order: the timer first, then what waited on the sockets.
    this.give(box, { input: 'tick' })
    for (const input of inputs) this.give(box, input)
  }

  private health(box: Box, life: number): void {
    if (box.life !== life || box.machine === undefined) return
    if (this.now >= box.gateway.hungUntil) this.give(box, { input: 'health', health: healthOf(box) })
    this.after(250, () => this.health(box, life))
  }

  private connections(box: Box, up: boolean): void {
    for (const other of this.boxes) {
      if (other === box) continue
      const paths = [{ address: 'p0', up }]
      this.after(2, () => {
        if (this.reaches(box, other)) this.give(other, { input: 'paths', node: box.node, paths })
      })
      if (up) this.after(2, () => this.give(box, { input: 'paths', node: other.node, paths }))
    }
  }

  reaches(from: Box, to: Box): boolean {
    return from.carrier && to.carrier && this.now >= (this.cutUntil.get(`${from.node}>${to.node}`) ?? 0)
  }

  private send(from: Box, to: Box, beat: Beat): void {
    for (let path = 0; path < (this.options.paths ?? 1); path += 1) {
      if (!this.reaches(from, to) || (this.now < this.lossUntil && this.chance(1) < this.loss)) {
        this.deaf.add(`${from.node}>${to.node}`)
        continue
      }
      const delay = this.now < this.slowUntil ? this.chance(this.slow) : 1 + this.chance(4)
      if (delay > 50) this.deaf.add(`${from.node}>${to.node}`)
      const key = `${from.node}>${to.node}/${path}`
      const at = Math.max(this.now + delay, this.arrivals.get(key) ?? 0)
      this.arrivals.set(key, at)
      this.after(at - this.now, () => this.arrive(to, beat, `p${path}`, delay > 50))
    }
  }

  private arrive(to: Box, beat: Beat, path: string, late: boolean): void {
    const input: RoleInput = { input: 'beat', beat, path, wall: to.wall + this.now }
    // A frozen one hears it when it thaws.
    if (!late && this.now >= to.frozenUntil && this.deaf.delete(`${beat.node}>${to.node}`)) {
      this.heardAgain = this.now
    }
    this.give(to, input)
  }

  private perform(box: Box, effect: RoleEffect): void {
    const { life } = box
    const later = (ms: number, input: () => RoleInput) =>
      this.after(ms, () => {
        if (box.life === life) this.give(box, input())
      })
    if (this.effects.length < 20_000) this.effects.push({ at: this.now, node: box.node, effect })
    switch (effect.effect) {
      case 'send': {
        const to = this.boxes.find(({ node }) => node === effect.to)
        if (to !== undefined) this.send(box, to, effect.beat)
        return
      }
      case 'storeTerm':
        this.after(1 + this.chance(box.diskDelay), () => {
          if (box.life !== life) return
          box.disk = effect.term
          this.give(box, { input: 'termStored', term: effect.term })
        })
        return
      case 'probe': {
        const there =
          this.stranger ||
          this.boxes.some((other) => other !== box && other.address.here && this.reaches(other, box))
        later(50, () => ({ input: 'probed', ...(there ? { answered: '02:00' } : {}) }))
        return
      }
      case 'addAddress':
        this.keep(box)
        later(1 + this.chance(3), () => ({ input: 'addressAdded' }))
        return
      case 'renewAddress':
        this.keep(box)
        return
      case 'removeAddress':
        this.after(1 + this.chance(2), () => {
          if (box.life !== life) return
          box.address.here = false
          this.give(box, { input: 'addressRemoved' })
        })
        return
      case 'askWitness':
        this.witness(box, life, effect)
        return
      case 'releaseWitness':
        this.toWitness(box, () => {
          const question = {
            kind: 'release' as const,
            node: box.node,
            term: effect.term,
            grantWait: box.settings.profile.grantWait,
          }
          this.tenure = decide(this.tenure, question, this.now, this.witnessStarted).tenure
        })
        return
      case 'askRouter':
        later(30, () => ({ input: 'router', reachable: this.routerUp && box.carrier }))
        return
      case 'role':
        this.role(box, effect.state)
        return
      case 'lease':
        box.gateway.transmitUntil = effect.until - box.clock
        return
      case 'releasing':
        box.gateway.transmitUntil = 0
        if (this.now >= box.gateway.hungUntil) later(1 + this.chance(5), () => ({ input: 'gatewayReleased' }))
        return
      case 'failover':
        box.log.push(effect.text)
        return
      case 'alarm':
        box.alarms.push(effect.code)
        return
      case 'signal':
        box.signals.push(`${effect.node} ${effect.signal}`)
        return
      case 'result':
        box.results.push({
          id: effect.id,
          result: effect.result.result,
          ...(effect.result.result === 'refused' ? { code: effect.result.code } : {}),
        })
        return
      case 'exit':
        this.after(1, () => {
          if (box.life === life) this.kill(box)
        })
        return
      case 'announce':
        return
    }
  }

  /** The kernel: a lease of the profile's length from now, ended up to half a second late; also one that was gone. */
  private keep(box: Box): void {
    const { profile } = box.settings
    box.address.here = true
    const until = this.now + profile.lease + this.chance(500)
    box.address.until = until
    this.after(until - this.now, () => {
      if (box.address.until === until) box.address.here = false
    })
  }

  private toWitness(box: Box, run: () => void): void {
    if (!this.witnessReached(box)) return
    this.after(1 + this.chance(3), () => {
      if (this.now >= this.witnessDownUntil) run()
    })
  }

  private witnessReached(box: Box): boolean {
    return box.carrier && this.now >= (this.cutUntil.get(`${box.node}>w`) ?? 0)
  }

  private witness(box: Box, life: number, question: Extract<RoleEffect, { effect: 'askWitness' }>): void {
    this.toWitness(box, () => {
      const { grantWait } = box.settings.profile
      const { tenure, verdict } = decide(
        this.tenure,
        {
          kind: 'ask',
          node: box.node,
          term: question.term,
          grantWait,
          ...(question.released === undefined ? {} : { released: question.released }),
        },
        this.now,
        this.witnessStarted,
      )
      this.tenure = tenure
      const granted = verdict.result === 'granted'
      this.after(1 + this.chance(3), () => {
        if (box.life !== life || !this.witnessReached(box)) return
        this.give(box, {
          input: 'witness',
          request: question.request,
          granted,
          ...(verdict.result === 'refused' && verdict.leftMs !== undefined
            ? { retryAfter: verdict.leftMs }
            : {}),
          ...(verdict.result === 'refused' && verdict.highest !== undefined
            ? { highest: verdict.highest }
            : {}),
        })
      })
    })
  }

  restartWitness(): void {
    this.witnessStarted = this.now
    this.witnessRestarts += 1
    this.tenure = { lasted: this.tenure.lasted }
  }

  // What must always be so

  get strict(): boolean {
    return this.options.witness || this.options.members > 2
  }

  holders(): Box[] {
    return this.boxes.filter(({ address }) => address.here)
  }

  transmitting(): Box[] {
    return this.boxes.filter(({ gateway }) => gateway.transmitUntil > this.now)
  }

  private role(box: Box, state: RoleState): void {
    const was = box.gateway.role
    box.gateway.role = state
    if (state.role !== 'active' || was?.role === 'active') return
    const { term } = state
    for (const earlier of this.takeovers) {
      const order =
        term.counter - earlier.term.counter ||
        (term.node < earlier.term.node ? -1 : term.node > earlier.term.node ? 1 : 0)
      if (order === 0)
        this.violate(`${box.node} and ${earlier.node} both took term ${term.counter} ${term.node}`)
      if (order < 0 && this.strict && this.witnessRestarts === 0) {
        this.violate(
          `${box.node} took term ${term.counter} ${term.node} after ${earlier.term.counter} ${earlier.term.node}`,
        )
      }
    }
    this.takeovers.push({ at: this.now, node: box.node, term, reason: state.reason })
  }

  private check(): void {
    // Two members without a witness: not while they cannot hear each other, and one second is theirs after that.
    if (!this.strict && (this.deaf.size > 0 || this.now - this.heardAgain <= 1_000)) return
    const holders = this.holders()
    if (holders.length > 1) this.violate(`the address is at ${holders.map(({ node }) => node).join(' and ')}`)
    const transmitting = this.transmitting()
    if (transmitting.length > 1 && this.options.settings?.mode !== 'active-active') {
      this.violate(`${transmitting.map(({ node }) => node).join(' and ')} may transmit`)
    }
  }

  private violate(text: string): void {
    if (this.violations.length < 5) this.violations.push(`${Math.round(this.now)} ms: ${text}`)
  }
}
