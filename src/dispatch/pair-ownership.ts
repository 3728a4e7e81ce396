/**
 * The right to transmit as the pair gives it: a lease that the guard renews, and a term. Taking over is done here:
 * nothing is sent before the store carries the new term and it is known what another member may have sent already.
 *
 *   guard: role active ──▶ observe the term ──▶ adopt what lost members own ──▶ the loop transmits
 *   guard: releasing, end of the guard, lease over ──▶ the loop stops before its next irrevocable byte
 *
 * In mode active-active a standby transmits what it owns, and it owns what it accepted. It asks the logs of the active
 * first: while it was away what it owned may have been taken over.
 */
import type { PairConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { Delivery, Message } from '#messages/message.ts'
import type { Term } from '#messages/operation.ts'
import type { Reason } from '#messages/states.ts'
import type { MemberView, RoleState } from '#pair/contract.ts'
import { wentAlone } from '#pair/membership.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import type { Ownership } from './ownership.ts'

export interface PairOwnershipDependencies {
  node: string
  mode: PairConfig['mode']
  store: Pick<OperationLog, 'observe' | 'operate' | 'positions' | 'owned'> &
    Pick<Store, 'remember' | 'recall'>
  clock: Clock
  log: Log
  /** Until when this member may transmit, ms of the monotonic clock; 0 without a guard. */
  transmitUntil(): number
  members(): readonly MemberView[]
  /** Its gateway is connected to this one. */
  connected(node: string): boolean
  /** This member holds what the connected members hold. */
  synchronised(): boolean
  /** After so long a silence a member's right to transmit is over, ms. */
  grantWait: number
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
    const { clock, transmitUntil } = this.#deps
    const entitled = this.#active ? this.#settledFor === this.#term.counter : this.#sendsItsOwn()
    return entitled && clock.monotonic() < transmitUntil() ? undefined : standsBy
  }

  /** As a standby. */
  #sendsItsOwn(): boolean {
    const { mode, connected, synchronised } = this.#deps
    const { active } = this.#state
    return mode === 'active-active' && active !== undefined && connected(active) && synchronised()
  }

  owner(): { node: string; active: boolean } {
    return { node: this.#deps.node, active: this.#active }
  }

  mayBeCopy({ latest, handed = [] }: Delivery, { node }: Message): boolean {
    // What was accepted here just now has not been read back; what knows no member is older than orders are.
    if (latest === undefined && node !== undefined) return false
    const counter = latest?.term.counter ?? 0
    return ['*', node ?? '', ...handed].some((each) => counter < (this.#flagged.get(each) ?? 0))
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
    const was = { active: this.#active, counter: this.#term.counter, follows: this.#state.active }
    this.#state = state
    this.#term = state.term
    if (!this.#active) return was.active
    if (was.active && was.counter === state.term.counter && this.#settledFor === state.term.counter)
      return false
    await this.#takeOver(state.term, was.follows)
    return true
  }

  async adoptLost(): Promise<boolean> {
    const { mode, members, node, store } = this.#deps
    if (mode !== 'active-active' || !this.#active || this.stop()) return false
    let any = false
    for (const view of members()) {
      if (view.node === node || !this.#lost(view) || (await store.owned(view.node)).length === 0) continue
      await this.#adopt(view.node, this.#term)
      any = true
    }
    return any
  }

  /** So long that its right to transmit what it owns is over as well. */
  #lost({ node, silentMs, signal }: MemberView): boolean {
    return (
      !this.alive(node) && signal !== 'LIVE' && (silentMs ?? Number.POSITIVE_INFINITY) >= this.#deps.grantWait
    )
  }

  takers(): readonly MemberView[] {
    const { mode, members, connected } = this.#deps
    return mode === 'active-active' ? members().filter(({ node }) => connected(node)) : []
  }

  /** @param former who was active before; the guard has seen to it that its right is over */
  async #takeOver(term: Term, former: string | undefined): Promise<void> {
    const { store, node, log, members, mode } = this.#deps
    await store.observe(term)
    if (!this.#metSomebody && members().length > 0) {
      log.warn(
        { term: term.counter },
        'became active without having heard any member: what is unfinished is flagged',
      )
      this.#flagged.set('*', term.counter)
    }
    await this.#flagFormerPair(term)
    for (const origin of new Set((await store.positions()).map((position) => position.origin))) {
      const view = members().find((each) => each.node === origin)
      // In mode active-active each goes on with its own; one that may still be at it is adopted when its time is over.
      const keeps =
        mode === 'active-active' &&
        view !== undefined &&
        (this.alive(origin) || (origin !== former && !this.#lost(view)))
      if (origin !== node && !keeps) await this.#adopt(origin, term)
    }
    // The role may have changed while this was written.
    if (this.#term.counter === term.counter) this.#settledFor = term.counter
  }

  /** It was removed from its pair and goes on alone: what it held then may have been sent by the others. */
  async #flagFormerPair({ counter }: Term): Promise<void> {
    const { store, node } = this.#deps
    const since = await store.recall(wentAlone(node))
    if (since === undefined) return
    if (since === '0') await store.remember(wentAlone(node), String(counter))
    this.#flagged.set('*', Math.max(this.#flagged.get('*') ?? 0, Number(since) || counter))
  }

  /** By whichever log it came: an earlier run of that member may have accepted it, or a third one handed it over. */
  async #adopt(origin: string, term: Term): Promise<void> {
    const { store, log, members } = this.#deps
    const positions = await store.positions()
    // Positions stand in the order in which this store came to know the logs.
    const newest = positions.findLast((position) => position.origin === origin)
    const told = members().find((each) => each.node === origin)?.position
    const complete =
      told === undefined ||
      positions.some(
        ({ incarnation, sequence }) => incarnation === told.incarnation && told.sequence <= sequence,
      )
    if (complete) this.#flagged.delete(origin)
    else {
      this.#flagged.set(origin, term.counter)
      log.warn(
        { member: origin, held: newest?.sequence, announced: told.sequence },
        'took over without the newest entries of a member: its unfinished deliveries are flagged',
      )
    }
    const owned = new Set(await store.owned(origin))
    for (const position of positions) {
      if (position !== newest && !owned.has(position.incarnation)) continue
      const { incarnation, sequence } = position
      await store.operate({ op: 'adopt', origin, incarnation, position: sequence, term })
    }
  }
}
