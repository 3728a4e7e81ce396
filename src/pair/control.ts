/**
 * What people and programs may ask of the pair, over HTTP and the command line. Types only: app.ts builds it with
 * commands.ts from the parts that do the work. `who` is for the audit log.
 */
import type { Values } from '#core/errors.ts'
import type { MemberRecord } from '#messages/operation.ts'
import type { PairStatus, SwitchResult } from './contract.ts'
import type { Standing } from './membership.ts'

/** `code` is documented in docs/errors.md, `text` a whole sentence. */
export type Refused = { result: 'refused'; code: string; text: string; values?: Values }

export type InviteResult = { result: 'done'; code: string /** ms since 1970 */; expires: number } | Refused
export type JoinResult = { result: 'done'; inviter: string; members: readonly string[] } | Refused
export type RemoveResult = { result: 'done' } | Refused

export const drills = ['kill', 'freeze', 'cut'] as const
export type DrillKind = (typeof drills)[number]
/** `text` says what happens now, and how it ends by itself. */
export type DrillResult = { result: 'done'; text: string } | Refused

export interface RecoveryReport {
  /** What was found and done, whole sentences in order. */
  steps: readonly string[]
  members: readonly RecoveredMember[]
  /** Changes of one setting made apart; the newer stands, the other is kept. */
  conflicts: readonly { revision: string; path: string }[]
  /** Deliveries that may have been sent twice. */
  duplicates: readonly { message: string; delivery: string; to: string }[]
  /** This appliance and every member that it asked hold the same. */
  same: boolean
  /** What a person should do now; empty when there is nothing to do. */
  advice: readonly string[]
}

export interface RecoveredMember {
  node: string
  reached: boolean
  /** Entries taken from it, and brought to it, meanwhile. */
  received: number
  sent: number
  /** Own entries that it still lacks. */
  behind: number
}

export interface PairControl {
  status(): PairStatus
  standing(): Standing
  members(): readonly MemberRecord[]
  /** URLs of the active's HTTP interface, when another member is active and has told them. */
  activeAt(): readonly string[]
  invite(who: string): Promise<InviteResult>
  join(code: string, who: string): Promise<JoinResult>
  /** On the standby: it becomes active. Settles when it is, or when it is refused. */
  takeover(who: string): Promise<SwitchResult>
  /** On the active: another member becomes active. Settles when it is, or when it is refused. */
  handover(who: string): Promise<SwitchResult>
  remove(node: string, who: string): Promise<RemoveResult>
  drill(kind: DrillKind, who: string): Promise<DrillResult>
  /** Brings this appliance and the others (or only `from`) to the same, and says what happened. */
  recover(from: string | undefined, who: string): Promise<RecoveryReport | Refused>
}
