/** One step of the machine under way: a copy of the state that the step may change, and what it wants done. */
import type { Message } from './messages.ts'
import { type Effect, type Extent, isMet, type Peer, type PhaseEvent, phases, type State } from './state.ts'
import { CURRENT, MIN } from './wire.ts'

/** Between two hellos that nobody answers. */
const HELLO_MS = 500
const HELLO_LONGEST_MS = 5_000

export class Turn {
  readonly state: State
  readonly now: number
  readonly effects: Effect[] = []
  readonly #peers: Map<string, Peer>
  readonly #copied = new Set<string>()

  constructor(before: State, now: number) {
    this.now = now
    this.#peers = new Map(before.peers)
    this.state = { ...before, peers: this.#peers }
  }

  /** A member that may be changed. */
  peer(node: string): Peer | undefined {
    const peer = this.#peers.get(node)
    if (!peer || this.#copied.has(node)) return peer
    const copy = { ...peer }
    this.#copied.add(node)
    this.#peers.set(node, copy)
    return copy
  }

  peers(): Peer[] {
    return [...this.#peers.keys()].flatMap((node) => this.peer(node) ?? [])
  }

  met(): Peer[] {
    return this.peers().filter(isMet)
  }

  add(peer: Peer): void {
    this.#copied.add(peer.node)
    this.#peers.set(peer.node, peer)
  }

  remove(node: string): void {
    this.#peers.delete(node)
  }

  /** Notes that the own disk holds more of a log. */
  hold(incarnation: string, extent: Extent): void {
    this.state.held = new Map(this.state.held).set(incarnation, extent)
  }

  /** Follows the table of phases; tells whether anything changed. */
  move(peer: Peer, event: PhaseEvent): boolean {
    const next = phases[peer.phase][event]
    if (next === undefined || next === peer.phase) return false
    peer.phase = next
    this.note('info', { member: peer.node }, `replication: ${phaseTexts[next]}`)
    return true
  }

  send(peer: Peer, message: Message): void {
    this.effects.push({ effect: 'send', to: peer.node, message, version: peer.version ?? MIN })
  }

  sayHello(peer: Peer, ask = !isMet(peer)): void {
    const { session, incarnation, complete, held } = this.state
    const positions = [...held].map(([name, { origin, sequence }]) => ({
      origin,
      incarnation: name,
      sequence,
    }))
    const heard = peer.session === undefined ? {} : { heard: peer.session }
    this.send(peer, {
      kind: 'hello',
      session,
      min: MIN,
      current: CURRENT,
      incarnation,
      ...heard,
      ask,
      complete,
      positions,
    })
    peer.helloAt = this.now + Math.min(HELLO_LONGEST_MS, HELLO_MS * 2 ** Math.min(peer.hellos, 8))
    peer.hellos += 1
  }

  note(level: 'debug' | 'info' | 'warn', fields: object, text: string): void {
    this.effects.push({ effect: 'note', level, fields, text })
  }

  alarm(code: string, text: string): void {
    this.effects.push({ effect: 'alarm', code, text })
  }
}

const phaseTexts: Record<Peer['phase'], string> = {
  disconnected: 'the member is out of reach',
  greeting: 'a path to the member is open',
  catchingUp: 'connected; it catches up with this log',
  current: 'the member is current',
  lagging: 'the member lags behind: nothing waits for its disk until it has caught up',
}
