/**
 * Replication between N members, as a pure machine: step(state, input, now) → { state, effects }. How a member stands
 * is the table `phases` in state.ts; sending.ts, taking.ts and snapshots.ts decide about entries. Nothing here reads a
 * clock, a disk or a socket, so test/pair/replication runs thousands of schedules of loss and crashes through it.
 *
 *   hello ⇄ hello      who I am, what my disk holds, whether I am complete
 *   push → ← ack       entries of the sender's own logs, and of logs it was asked for; what is on the receiver's disk
 *   want →             a log whose own member is away or has lost its tail
 *   trimmed →          it is no longer held: snapshotWant → ← page, pageAck →, ← snapshotEnd
 *   have →             what else has grown here, once a second
 *
 * What it keeps: an acknowledgement names only what a fsync has confirmed in the session it names; entries of a log
 * are merged in order; what is under way is bounded on both sides; nothing waits for a member that has once missed.
 */
import { unreachable } from '#core/errors.ts'
import type { Hello, Message } from './messages.ts'
import {
  acknowledged,
  beginAgain,
  logged,
  raise,
  readDone,
  sendingDeadlines,
  sendingTimers,
  serveOwnLogs,
  wanted,
} from './sending.ts'
import {
  consider,
  loadFailed,
  loadFinished,
  pageAcked,
  pageLoaded,
  pageRead,
  partedFrom,
  settle,
  snapshotDeadlines,
  snapshotLeft,
  snapshotTimers,
  snapshotWanted,
  taken,
} from './snapshots.ts'
import { type Effect, extentsOf, type Input, isMet, ownAcked, type Peer, type State } from './state.ts'
import { chooseWants, merged, pushed, setGoal, takingDeadlines, takingTimers } from './taking.ts'
import { Turn } from './turn.ts'
import { commonVersion } from './wire.ts'

const RETIRED = 16

/** @param now ms of the monotonic clock */
export function step(before: State, input: Input, now: number): { state: State; effects: Effect[] } {
  const turn = new Turn(before, now)
  decide(turn, input)
  return { state: turn.state, effects: turn.effects }
}

function decide(turn: Turn, input: Input): void {
  switch (input.input) {
    case 'members':
      members(turn, input.nodes)
      return
    case 'open': {
      const peer = turn.peer(input.node)
      if (peer) opened(turn, peer)
      return
    }
    case 'closed': {
      const peer = turn.peer(input.node)
      if (peer) closed(turn, peer)
      return
    }
    case 'switched': {
      const peer = turn.peer(input.node)
      if (!peer || !isMet(peer)) return
      beginAgain(peer)
      // The answer to a question: the other side begins again too.
      turn.sayHello(peer, true)
      serveOwnLogs(turn, peer)
      return
    }
    case 'message': {
      const peer = turn.peer(input.from)
      if (peer) heard(turn, peer, input.message)
      return
    }
    case 'logged':
      logged(turn, input.batch)
      return
    case 'read':
      readDone(turn, input)
      settle(turn)
      return
    case 'merged':
      merged(turn, input)
      return
    case 'missed':
      for (const peer of turn.peers()) {
        if (ownAcked(turn.state, peer) < input.sequence) turn.move(peer, 'missed')
      }
      return
    case 'page':
    case 'pagesEnd':
    case 'pageFailed':
      pageRead(turn, input)
      return
    case 'loaded':
      pageLoaded(turn, input.id)
      return
    case 'loadFailed':
      loadFailed(turn, input)
      return
    case 'loadFinished':
      if (!loadFinished(turn, input)) return
      for (const peer of turn.met()) {
        setGoal(turn, peer)
        serveOwnLogs(turn, peer)
      }
      chooseWants(turn)
      return
    case 'timer':
      timers(turn)
      return
    default:
      unreachable(input)
  }
}

function members(turn: Turn, nodes: readonly string[]): void {
  for (const peer of turn.peers()) {
    if (nodes.includes(peer.node)) continue
    partedFrom(turn, peer)
    turn.remove(peer.node)
  }
  for (const node of nodes) {
    if (node === turn.state.node || turn.peer(node)) continue
    turn.add({
      node,
      phase: 'disconnected',
      retired: [],
      complete: false,
      holds: new Map(),
      streams: new Map(),
      goal: new Map(),
      inStep: false,
      merging: 0,
      helloAt: 0,
      hellos: 0,
      told: new Set(),
      offers: false,
    })
  }
}

function opened(turn: Turn, peer: Peer): void {
  if (!turn.move(peer, 'open')) return
  peer.hellos = 0
  turn.sayHello(peer)
}

function closed(turn: Turn, peer: Peer): void {
  if (!turn.move(peer, 'closed')) return
  partedFrom(turn, peer)
  peer.streams = new Map()
  chooseWants(turn)
  // Whoever has more of its log than this member: now is the time to know.
  for (const other of turn.met()) turn.sayHello(other, true)
}

function heard(turn: Turn, peer: Peer, message: Message): void {
  // What has come over a path proves that there is one.
  opened(turn, peer)
  if (message.kind === 'hello') {
    greeted(turn, peer, message)
    return
  }
  if (message.session !== peer.session || !isMet(peer)) {
    if (!peer.retired.includes(message.session) && turn.now >= peer.helloAt) turn.sayHello(peer, true)
    return
  }
  switch (message.kind) {
    case 'have':
      for (const position of message.positions) raise(peer, position)
      settle(turn)
      chooseWants(turn)
      return
    case 'push':
      pushed(turn, peer, message)
      return
    case 'ack':
      acknowledged(turn, peer, message)
      settle(turn)
      return
    case 'want':
      wanted(turn, peer, message)
      return
    case 'trimmed':
      peer.offers = true
      consider(turn)
      return
    case 'snapshotWant':
      snapshotWanted(turn, peer, message)
      return
    case 'snapshotLeft':
      snapshotLeft(turn, peer, message)
      return
    case 'pageAck':
      pageAcked(turn, peer, message)
      return
    case 'page':
    case 'snapshotEnd':
    case 'snapshotRefused':
      taken(turn, peer, message)
      return
    default:
      unreachable(message)
  }
}

function greeted(turn: Turn, peer: Peer, hello: Hello): void {
  if (peer.retired.includes(hello.session)) return
  const renewed = peer.session !== hello.session
  if (renewed) begunAnew(turn, peer, hello)
  for (const position of hello.positions) raise(peer, position)
  peer.complete = hello.complete
  const newest = turn.state.newest.get(peer.node)
  if (newest !== hello.incarnation) {
    turn.state.newest = new Map(turn.state.newest).set(peer.node, hello.incarnation)
  }
  const version = commonVersion(hello.min, hello.current)
  if (version === undefined) {
    differs(turn, peer, hello)
    return
  }
  peer.version = version
  const knowsUs = hello.heard === turn.state.session
  const met = knowsUs && turn.move(peer, 'heard')
  if (renewed && !met) turn.move(peer, 'renewed')
  if (hello.ask) turn.sayHello(peer)
  if (!isMet(peer) || !(met || renewed || hello.ask)) {
    settle(turn)
    return
  }
  beginAgain(peer)
  setGoal(turn, peer)
  serveOwnLogs(turn, peer)
  chooseWants(turn)
  settle(turn)
  consider(turn)
}

/** Another life of the member's store: what is known of its disk counts no more. */
function begunAnew(turn: Turn, peer: Peer, hello: Hello): void {
  partedFrom(turn, peer)
  if (peer.session !== undefined) peer.retired = [...peer.retired, peer.session].slice(-RETIRED)
  peer.session = hello.session
  peer.holds = extentsOf(hello.positions)
  peer.streams = new Map()
  peer.told = new Set()
  peer.offers = false
  delete peer.problem
  const { state } = turn
  state.wanted = new Map([...state.wanted].filter(([, { from }]) => from !== peer.node))
}

function differs(turn: Turn, peer: Peer, { min, current }: Hello): void {
  const text = `${peer.node} speaks versions ${min} to ${current} of the log's wire format, none of which this one knows`
  if (peer.problem !== text) turn.alarm('wire-version', text)
  peer.problem = text
}

function timers(turn: Turn): void {
  for (const peer of turn.peers()) {
    if (peer.phase === 'greeting' && turn.now >= peer.helloAt) turn.sayHello(peer)
    if (isMet(peer)) sendingTimers(turn, peer)
  }
  takingTimers(turn)
  snapshotTimers(turn)
}

/** When a `timer` is due at the latest, ms of the monotonic clock; infinity when nothing waits. */
export const nextDeadline = (state: State): number =>
  Math.min(
    ...[...state.peers.values()].flatMap((peer) => sendingDeadlines(state, peer)),
    ...takingDeadlines(state),
    ...snapshotDeadlines(state),
    Number.POSITIVE_INFINITY,
  )

/** This member holds what the connected ones hold, and has held it once: it may take over. */
export const isSynchronised = (state: State): boolean =>
  state.peers.size === 0 ||
  (state.everInStep &&
    state.complete &&
    state.loading === undefined &&
    state.problem === undefined &&
    [...state.peers.values()].every((peer) => !isMet(peer) || peer.inStep))
