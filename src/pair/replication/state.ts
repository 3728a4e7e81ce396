/**
 * What the replication machine knows, what it hears and what it wants done. Pure data; machine.ts decides.
 *
 * How another member stands:
 *
 *   disconnected ──open──▶ greeting ──heard──▶ catchingUp ──caughtUp──▶ current ──missed──▶ lagging
 *        ▲                                          ▲                      ▲                  │
 *        └───────────── closed (from any) ──────────┴── renewed (from any) └──── caughtUp ────┘
 */
import type { LogBatch, LogPosition, MergeResult } from '#store/contract.ts'
import type { Message } from './messages.ts'
import type { Stream } from './stream.ts'

export type Phase = 'disconnected' | 'greeting' | 'catchingUp' | 'current' | 'lagging'
export type PhaseEvent = 'open' | 'closed' | 'heard' | 'renewed' | 'caughtUp' | 'missed'

/** Where an event leads; what is not in a row changes nothing. */
export const phases: Record<Phase, Partial<Record<PhaseEvent, Phase>>> = {
  disconnected: { open: 'greeting' },
  greeting: { closed: 'disconnected', heard: 'catchingUp' },
  catchingUp: { closed: 'disconnected', renewed: 'catchingUp', caughtUp: 'current' },
  current: { closed: 'disconnected', renewed: 'catchingUp', missed: 'lagging' },
  lagging: { closed: 'disconnected', renewed: 'catchingUp', caughtUp: 'current' },
}

/** Messages go both ways: both hellos were heard. */
export const isMet = ({ phase }: Peer): boolean => phase !== 'disconnected' && phase !== 'greeting'

/** A log without its name: whose it is and how far it goes. */
export interface Extent {
  readonly origin: string
  readonly sequence: number
}

/** By incarnation. */
export type Extents = ReadonlyMap<string, Extent>

/** Another member. */
export interface Peer {
  readonly node: string
  phase: Phase
  /** The life of its store that its last hello named, and lives that are over: a late word from those is dropped. */
  session?: string
  retired: readonly string[]
  /** The wire version that both understand; undefined when there is none. */
  version?: number
  complete: boolean
  /** What its disk holds of every log, as it said itself. */
  holds: Extents
  /** What is being sent to it, by incarnation. */
  streams: ReadonlyMap<string, Stream>
  /** What it held when it was last met and this member does not: once that is here, this member is in step with it. */
  goal: Extents
  inStep: boolean
  /** Why its disk refuses what is sent to it. */
  problem?: string
  /** Bytes of its pushes that are being merged here. */
  merging: number
  /** When to say hello again. */
  helloAt: number
  hellos: number
  /** A snapshot that is being read for it. */
  serving?: { id: number; index: number; at: number }
  /** Logs of which it was told that entries it lacks are no longer held here: it cannot be asked to hold those. */
  told: ReadonlySet<string>
  /** It said so of a log that this member lacks: only a snapshot helps. */
  offers: boolean
}

/** A snapshot that is being taken in. */
export interface Loading {
  source: string
  id: number
  /** `settling`: the source must hold everything first that this member held when it decided. */
  stage: 'settling' | 'asked' | 'loading' | 'finishing'
  needs: Extents
  /** The source held all of it when it was asked. */
  settled: boolean
  since: number
  index: number
  /** A page, or the writer itself, is on its way to the disk. */
  busy: boolean
  /** When something last went on. */
  at: number
}

export interface State {
  readonly node: string
  /** This life of the own store. */
  session: string
  /** Of the own log that grows now. */
  incarnation: string
  complete: boolean
  /** What the own disk holds of every log. */
  held: Extents
  peers: ReadonlyMap<string, Peer>
  loading?: Loading
  /** Before that time no snapshot is begun again after one that failed. */
  loadAfter: number
  loadTries: number
  snapshots: number
  /** Logs asked of a member because their own does not send them. */
  wanted: ReadonlyMap<string, { from: string; sequence: number; at: number }>
  /** Why the own disk refuses what others send; forgotten at `problemUntil` when nobody has tried again by then. */
  problem?: string
  problemUntil: number
  /** This member has once held what the others held. */
  everInStep: boolean
  /** Logs that have grown since the others were told. */
  news: ReadonlySet<string>
  newsAt: number
  /** The newest incarnation of every member's log. */
  newest: ReadonlyMap<string, string>
}

export type Input =
  | { input: 'members'; nodes: readonly string[] }
  /** The first path to a member has opened; the last one has closed. */
  | { input: 'open'; node: string }
  | { input: 'closed'; node: string }
  /** One of several paths has closed: what was under way on it is lost. */
  | { input: 'switched'; node: string }
  | { input: 'message'; from: string; message: Message }
  /** Own entries that have reached the disk. */
  | { input: 'logged'; batch: LogBatch }
  /** What `read` brought; `end` when the log goes no further. */
  | {
      input: 'read'
      to: string
      incarnation: string
      round: number
      result: LogBatch | 'trimmed' | 'end' | 'failed'
    }
  /** What `merge` came to. */
  | {
      input: 'merged'
      from: string
      round: number
      bytes: number
      log: LogPosition
      result: MergeResult | Problem
    }
  /** Somebody has waited in vain for these own entries to reach another disk. */
  | { input: 'missed'; sequence: number }
  /** A page of a snapshot for a member was read. */
  | { input: 'page'; to: string; id: number; page: string }
  | { input: 'pagesEnd'; to: string; id: number; positions: readonly LogPosition[] }
  | { input: 'pageFailed'; to: string; id: number; reason: string }
  /** A step of taking a snapshot in is on disk. */
  | { input: 'loaded'; id: number }
  | { input: 'loadFailed'; id: number; problem: string }
  /** The snapshot is in: what the store holds now. */
  | { input: 'loadFinished'; id: number; positions: readonly LogPosition[]; complete: boolean }
  | { input: 'timer' }

export interface Problem {
  result: 'problem'
  problem: string
}

export type Effect =
  | { effect: 'send'; to: string; message: Message; version: number }
  | { effect: 'read'; to: string; incarnation: string; after: number; round: number }
  | { effect: 'merge'; from: string; round: number; batch: LogBatch }
  /** Serving: open a view of the store, read its next page, or let go of it. */
  | { effect: 'openSnapshot'; to: string; id: number }
  | { effect: 'nextPage'; to: string; id: number }
  | { effect: 'closeSnapshot'; to: string; id: number }
  /** Taking in: begin, write a page, finish, or give up. */
  | { effect: 'beginLoad'; id: number }
  | { effect: 'loadPage'; id: number; page: string }
  | { effect: 'finishLoad'; id: number; positions: readonly LogPosition[] }
  | { effect: 'abandonLoad'; id: number }
  | { effect: 'alarm'; code: string; text: string }
  | { effect: 'note'; level: 'debug' | 'info' | 'warn'; text: string; fields: object }

/** What is on a disk of every log at the start. */
export function extentsOf(positions: readonly LogPosition[]): Map<string, Extent> {
  return new Map(positions.map(({ origin, incarnation, sequence }) => [incarnation, { origin, sequence }]))
}

export const positionsOf = (extents: Extents): LogPosition[] =>
  [...extents].map(([incarnation, { origin, sequence }]) => ({ origin, incarnation, sequence }))

export const reach = (extents: Extents, incarnation: string): number =>
  extents.get(incarnation)?.sequence ?? 0

/** Whether one disk holds everything that another one holds. */
export const covers = (extents: Extents, needs: Extents): boolean =>
  [...needs].every(([incarnation, { sequence }]) => reach(extents, incarnation) >= sequence)

/** @param own where the own log stands; its incarnation was opened at this start, so it names this life of the store */
export function initialState(own: LogPosition, positions: readonly LogPosition[], complete: boolean): State {
  const held = extentsOf(positions)
  held.set(own.incarnation, { origin: own.origin, sequence: own.sequence })
  const newest = new Map([...held].map(([incarnation, { origin }]) => [origin, incarnation]))
  newest.set(own.origin, own.incarnation)
  return {
    node: own.origin,
    session: own.incarnation,
    incarnation: own.incarnation,
    complete,
    held,
    peers: new Map(),
    loadAfter: 0,
    loadTries: 0,
    snapshots: 0,
    wanted: new Map(),
    problemUntil: 0,
    everInStep: false,
    news: new Set(),
    newsAt: 0,
    newest,
  }
}

/** How far the own log, as it grows now, is on a member's disk. */
export const ownAcked = (state: State, peer: Peer): number => reach(peer.holds, state.incarnation)
