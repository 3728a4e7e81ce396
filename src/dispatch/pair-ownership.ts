/**
 * The right to transmit as the pair gives it: a lease that the guard renews, and a term. Taking over is done here:
 * nothing is sent before the store carries the new term and it is known what another member may have sent already.
 *
 *   guard: role active ──▶ observe the term ──▶ adopt the other members' logs ──▶ the loop transmits
 *   guard: releasing, end of the guard, lease over ──▶ the loop stops before its next irrevocable byte
 */
import type { PairConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { Delivery, Message } from '#messages/message.ts'
import type { Term } from '#messages/operation.ts'
import type { Reason } from '#messages/states.ts'
import type { MemberView, RoleState } from '#pair/contract.ts'
import type { LogPosition, OperationLog } from '#store/contract.ts'
import type { Ownership } from './ownership.ts'

export interface PairOwnershipDependencies {
  node: string
  mode: PairConfig['mode']
  store: Pick<OperationLog, 'observe' | 'operate' | 'positions'>
  clock: Clock
  log: Log
  /** Until when this member may transmit, ms of the monotonic clock; 0 without a guard. */
  transmitUntil(): number
  members(): readonly MemberView[]
  /** Its gateway is connected to this one. */
  connected(node: string): boolean
}

const standsBy: Reason = {
  code: 'standing-by',
  text: 'Another member transmits, or this one has lost its right to; the message is not lost.',
}

export class PairOwnership implements Ownership {
  readonly #deps: PairOwnershipDependencies
  #state: RoleState
  #term: Term
  /** The term for which everything is settled, so that deliveries may be handed out. */
  #settledFor = 0
  /** Some other member has been heard since the start of this process. */
  #metSomebody = false
  /**
   * Members of whose deliveries this one does not know all: those that were made before this term may have been sent.
   * `*` stands for everybody.
   */
  readonly #flagged = new Map<string, number>()

  constructor(deps: PairOwnershipDependencies, state: RoleState) {
    this.#deps = deps
    this.#state = state
    this.#term = state.term
  }

  get term(): Term {
    return this.#term
  }

  get #active(): boolean {
    return this.#state.role === 'active' || this.#state.role === 'single'
  }

  stop(): Reason | undefined {
    const { clock, transmitUntil, mode } = this.#deps
    const entitled = this.#active ? this.#settledFor === this.#term.counter : mode === 'active-active'
    return entitled && clock.monotonic() < transmitUntil() ? undefined : standsBy
  }

  owner(): { node: string; active: boolean } {
    return { node: this.#deps.node, active: this.#active }
  }

  mayBeCopy({ latest }: Delivery, { node }: Message): boolean {
    const before = this.#flagged.get('*') ?? this.#flagged.get(node ?? '')
    return before !== undefined && (latest?.term.counter ?? 0) < before
  }

  alive(node: string): boolean {
    if (node === this.#deps.node) return true
    const view = this.#deps.members().find((one) => one.node === node)
    // A gateway that hangs is connected, and its guard lives; but nobody can say when it will speak again.
    return view?.healthy !== false && (view?.signal === 'LIVE' || this.#deps.connected(node))
  }

  /** A member was heard of. */
  met(): void {
    this.#metSomebody = true
  }

  /**
   * The guard's word on the role.
   * @returns whether what may be handed out has changed; the caller tells the loop
   */
  async follow(state: RoleState): Promise<boolean> {
    const was = { active: this.#active, counter: this.#term.counter }
    this.#state = state
    this.#term = state.term
    if (!this.#active) return was.active
    if (was.active && was.counter === state.term.counter && this.#settledFor === state.term.counter)
      return false
    await this.#takeOver(state.term)
    return true
  }

  async #takeOver(term: Term): Promise<void> {
    const { store, node, log, members } = this.#deps
    await store.observe(term)
    const announced = members().flatMap(({ position }) => position ?? [])
    if (!this.#metSomebody && members().length > 0) {
      log.warn(
        { term: term.counter },
        'became active without having heard any member: what is unfinished is flagged',
      )
      this.#flagged.set('*', term.counter)
    }
    for (const known of newest(await store.positions())) {
      if (known.origin === node) continue
      const told = announced.find(({ origin }) => origin === known.origin)
      const complete =
        told === undefined || (told.incarnation === known.incarnation && told.sequence <= known.sequence)
      if (complete) this.#flagged.delete(known.origin)
      else {
        this.#flagged.set(known.origin, term.counter)
        log.warn(
          { member: known.origin, held: known.sequence, announced: told.sequence },
          'took over without the newest entries of a member: its unfinished deliveries are flagged',
        )
      }
      const { origin, incarnation, sequence } = known
      await store.operate({ op: 'adopt', origin, incarnation, position: sequence, term })
    }
    // The role may have changed while this was written.
    if (this.#term.counter === term.counter) this.#settledFor = term.counter
  }
}

/** The log that each member wrote to last: positions come in the order in which the logs were opened. */
function newest(positions: readonly LogPosition[]): LogPosition[] {
  return [...new Map(positions.map((position) => [position.origin, position])).values()]
}
