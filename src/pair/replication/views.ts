/** What people, heartbeats and the store want to know of the machine's state. Pure. */
import type { LogPosition } from '#store/contract.ts'
import type { ReplicationView } from '../contract.ts'
import { behind } from './sending.ts'
import { type Peer, reach, type State } from './state.ts'

const shown = (state: State, peer: Peer): ReplicationView['state'] => {
  if (peer.phase === 'disconnected') return 'disconnected'
  if (peer.serving || state.loading?.source === peer.node) return 'snapshot'
  return peer.phase === 'greeting' ? 'catchingUp' : peer.phase
}

export const viewsOf = (state: State): ReplicationView[] =>
  [...state.peers.values()].map((peer) => ({
    node: peer.node,
    state: shown(state, peer),
    behind: behind(state, peer),
    ...(peer.problem === undefined ? {} : { problem: peer.problem }),
  }))

/** How far the newest log of every other member is on the own disk. */
export const others = (state: State): LogPosition[] =>
  [...state.newest].flatMap(([origin, incarnation]) =>
    origin === state.node ? [] : [{ origin, incarnation, sequence: reach(state.held, incarnation) }],
  )

/** Up to where every other member holds each log: entries after that are still needed here. */
export const retained = (state: State): Map<string, number> =>
  new Map(
    [...state.held].map(([incarnation, { sequence }]) => [
      incarnation,
      Math.min(sequence, ...[...state.peers.values()].map(({ holds }) => reach(holds, incarnation))),
    ]),
  )
