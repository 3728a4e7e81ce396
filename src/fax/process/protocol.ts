/**
 * What the gateway and the process of a fax line tell each other: JSON texts, one a line, over file descriptor 3. Each
 * call has a number, given by who begins it; what comes for a call that has ended is dropped.
 */
import type { FaxLineConfig } from '#config/types.ts'
import type { ChannelLimits } from '#core/json-channel.ts'
import type { TraceEntry } from '#lines/at-trace.ts'
import type { LineStatus } from '#lines/contract.ts'
import type { Reason } from '#messages/states.ts'
import type { CallInResult, CallOut, CallOutResult, FaxClass, ReceivedPage } from '../contract.ts'
import type { FaxProfile } from '../profile.ts'

/** Base64 of the largest page that is taken; a page of Group 4 has 20 to 100 kB. */
export const channelLimits: ChannelLimits = { longestLine: 16_000_000, mostWaiting: 32_000_000 }

export type ProcessConfig = Pick<
  FaxLineConfig,
  'id' | 'port' | 'class' | 'station' | 'ecm' | 'maxRate' | 'answer' | 'profile'
> & {
  /** Of all fax modems that are known. */
  profiles: readonly FaxProfile[]
}

export type ToProcess =
  /** First of all, once. */
  | { kind: 'begin'; config: ProcessConfig }
  /** Opens the port and keeps the modem working; `rest` lets go of it. */
  | { kind: 'run' | 'rest' | 'restart' }
  | { kind: 'call'; call: number; out: CallOut }
  /** The answer to `intend`. */
  | { kind: 'intended'; call: number; ask: number; reason?: Reason }
  /** The confirmation of a page is on disk; the answer to `confirmed`. */
  | { kind: 'recorded'; call: number; page: number }
  /** The call is to end now, in order. */
  | { kind: 'hangUp'; call: number }
  /** The answer to `page`: it is on disk, or it could not be kept. */
  | { kind: 'kept'; call: number; page: number; problem?: string }
  | { kind: 'stop' }

/** What the process knows of its modem. */
export interface ModemView extends Pick<LineStatus, 'reason' | 'port' | 'recoveries'> {
  state: LineStatus['state']
  class?: FaxClass
  /** Its profile, where it has one. */
  profile?: string
  modem?: { manufacturer: string; model: string; revision: string }
  /** Somebody is calling or being answered: it cannot dial. */
  occupied: boolean
  /** Somebody is calling and not answered yet: who, empty when that is not known. */
  caller?: string
  /** ms of the monotonic clock, which all processes of a machine share. */
  nextTry?: number
}

/** A received page on its way: its data in base64. */
export type PageOnWire = Omit<ReceivedPage, 'data'> & { data: string }

export type FromProcess =
  /** Everything is loaded. */
  | { kind: 'up' }
  /** It turns; said every second. */
  | { kind: 'alive' }
  | { kind: 'view'; view: ModemView }
  /** What was said between it and the modem since the last time, masked. */
  | { kind: 'dialogue'; entries: TraceEntry[] }
  | { kind: 'intend'; call: number; ask: number; page: number; step: 'dial' | 'post-page' }
  | { kind: 'confirmed'; call: number; page: number }
  | { kind: 'progress'; call: number; text: string }
  | { kind: 'ended'; call: number; result: CallOutResult }
  /** It cannot dial now: somebody is calling, or the modem has just gone. Nothing was done. */
  | { kind: 'engaged'; call: number; reason: Reason }
  /** A ringing call is being answered. `from` as the caller-ID says, empty when it says nothing. */
  | { kind: 'answering'; call: number; from: string }
  /** Somebody called, and the ringing has stopped without an answer here. */
  | { kind: 'left'; from: string }
  | { kind: 'page'; call: number; page: PageOnWire }
  | { kind: 'answered'; call: number; result: CallInResult }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: object; text: string }
