/**
 * Whether this appliance may transmit, and what. Leadership is a signal with a term: it is asked right before the
 * irrevocable byte, and its loss aborts at once. The pair provides it; an appliance without a pair owns everything.
 */
import type { Delivery, Message } from '#messages/message.ts'
import type { Term } from '#messages/operation.ts'
import type { Reason } from '#messages/states.ts'
import type { MemberView } from '#pair/contract.ts'
import type { LogPosition } from '#store/contract.ts'

export interface Ownership {
  readonly term: Term
  /** Undefined while this appliance may transmit. */
  stop(): Reason | undefined
  /** Whose deliveries may be claimed: those without an owner belong to whoever is active. */
  owner(): { node: string; active: boolean }
  /** Another member may have transmitted it already, and nobody can tell: then the copy is flagged. */
  mayBeCopy(delivery: Delivery, message: Message): boolean
  /** This member is alive, so that what it has in hand is its own to settle. */
  alive(node: string): boolean
  /** Takes over what lost members own, as far as that is this member's to do. @returns whether there was anything */
  adoptLost(): Promise<boolean>
  /** The members that send by themselves what this one hands to them; nobody where the active one sends everything. */
  takers(): readonly MemberView[]
}

/** An appliance without a pair owns everything it accepts. */
export const soleOwner = (node: string): Ownership => ({
  term: { counter: 1, node },
  stop: () => undefined,
  owner: () => ({ node, active: true }),
  mayBeCopy: () => false,
  alive: (other) => other === node,
  adoptLost: async () => false,
  takers: () => [],
})

/** The disks of the other members, as acceptance and the intents need them. */
export interface Replicas {
  /**
   * Whether some other member has on disk what the own log holds up to a position. Waits at most so long, and not at
   * all for members that are away or lag behind.
   */
  acknowledged(position: LogPosition, withinMs: number): Promise<boolean>
  /** Somebody is there to wait for. */
  available(): boolean
  /** Some other member holds everything that is in the own log. */
  current(): boolean
}

export const noReplicas: Replicas = {
  acknowledged: async () => false,
  available: () => false,
  current: () => false,
}
