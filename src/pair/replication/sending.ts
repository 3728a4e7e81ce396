/** The sending half of the machine: the own logs, and those that a member asked for, on their way to one member. */
import { Buffer } from 'node:buffer'
import type { LogBatch } from '#store/contract.ts'
import type { Message } from './messages.ts'
import { type Extents, type Input, isMet, type Peer, reach, type State } from './state.ts'
import {
  ackedOn,
  backOff,
  beginStream,
  hasRoom,
  lost,
  lostAt,
  rewind,
  type Stream,
  sentOn,
} from './stream.ts'
import type { Turn } from './turn.ts'

const GAP_MS = 20
const READ_MS = 1_000
const PROBLEM_MS = 1_000
const HOLD_MS = 1_000
const TRIMMED_MS = 5_000
/** A member whose disk answers within this time while everything is under way has caught up. */
const PROMPT_MS = 200

type Ack = Extract<Message, { kind: 'ack' }>

const put = (peer: Peer, stream: Stream): void => {
  peer.streams = new Map(peer.streams).set(stream.incarnation, stream)
}

function drop(peer: Peer, incarnation: string): void {
  const streams = new Map(peer.streams)
  streams.delete(incarnation)
  peer.streams = streams
}

/** What a member's disk holds can only grow within one session. */
export function raise(peer: Peer, log: { origin: string; incarnation: string; sequence: number }): void {
  if (log.sequence <= reach(peer.holds, log.incarnation)) return
  peer.holds = new Map(peer.holds).set(log.incarnation, { origin: log.origin, sequence: log.sequence })
}

/** Begins to send every own log of which a member lacks something, and goes on with those under way. */
export function serveOwnLogs(turn: Turn, peer: Peer): void {
  const { node, held, incarnation: current } = turn.state
  for (const [incarnation, { origin, sequence }] of held) {
    if (origin !== node || peer.streams.has(incarnation)) continue
    const from = reach(peer.holds, incarnation)
    if (sequence > from || incarnation === current)
      put(peer, beginStream({ origin, incarnation }, from, false))
  }
  pump(turn, peer)
  judge(turn, peer)
}

/** Lets go whatever may leave now. */
export function pump(turn: Turn, peer: Peer): void {
  if (!isMet(peer)) return
  for (const stream of peer.streams.values()) {
    if (stream.reading || stream.sent >= reach(turn.state.held, stream.incarnation)) continue
    if (!hasRoom(stream, turn.now)) continue
    const { incarnation, sent: after, round } = stream
    turn.effects.push({ effect: 'read', to: peer.node, incarnation, after, round })
    put(peer, { ...stream, reading: true })
  }
}

/** After a new connection: what was under way may be lost. */
export function beginAgain(peer: Peer): void {
  peer.streams = new Map(
    [...peer.streams].map(([incarnation, stream]) => {
      const acked = Math.max(stream.acked, reach(peer.holds, incarnation))
      return [incarnation, { ...rewind({ ...stream, acked }), probing: false, tries: 0, pausedUntil: 0 }]
    }),
  )
}

/** Own entries have reached the disk: whoever is up to date gets them at once, the others when they have caught up. */
export function logged(turn: Turn, batch: LogBatch): void {
  const { origin, incarnation, from, count } = batch
  turn.hold(incarnation, { origin, sequence: from + count - 1 })
  delete turn.state.problem
  for (const peer of turn.met()) {
    const stream = peer.streams.get(incarnation)
    if (!stream) serveOwnLogs(turn, peer)
    else if (stream.sent + 1 === from && !stream.reading && hasRoom(stream, turn.now)) {
      push(turn, peer, stream, batch)
    } else pump(turn, peer)
  }
}

function push(turn: Turn, peer: Peer, stream: Stream, batch: LogBatch): void {
  const { session } = turn.state
  turn.send(peer, { kind: 'push', session, round: stream.round, batch })
  const upTo = batch.from + batch.count - 1
  put(peer, sentOn(stream, upTo, Buffer.byteLength(batch.entries), turn.now))
}

export function readDone(turn: Turn, input: Extract<Input, { input: 'read' }>): void {
  const peer = turn.peer(input.to)
  const stream = peer?.streams.get(input.incarnation)
  if (!peer || !isMet(peer) || !stream?.reading || stream.round !== input.round) return
  const { result } = input
  if (result === 'trimmed') {
    const { origin, incarnation, sent: sequence } = stream
    const { session } = turn.state
    const level = peer.told.has(incarnation) ? 'debug' : 'info'
    turn.note(level, { member: peer.node, sequence }, 'replication: entries that the member lacks are gone')
    turn.send(peer, { kind: 'trimmed', session, position: { origin, incarnation, sequence } })
    peer.told = new Set(peer.told).add(incarnation)
    put(peer, backOff(stream, TRIMMED_MS, turn.now))
  } else if (result === 'end' && stream.asked && stream.flight.length === 0) drop(peer, input.incarnation)
  else if (result === 'end' || result === 'failed') put(peer, backOff(stream, READ_MS, turn.now))
  else if (result.from !== stream.sent + 1) put(peer, { ...stream, reading: false })
  else push(turn, peer, stream, result)
  pump(turn, peer)
}

/** A member tells what is on its disk. */
export function acknowledged(turn: Turn, peer: Peer, { position, round, state, problem }: Ack): void {
  raise(peer, position)
  const stream = peer.streams.get(position.incarnation)
  if (!stream) return
  const { stream: after, age } = ackedOn(stream, position.sequence, turn.now)
  const present = round === stream.round
  put(peer, after)
  if (state === 'gap' && present) put(peer, backOff(after, GAP_MS, turn.now))
  if (state === 'hold' && present) put(peer, backOff(after, HOLD_MS, turn.now))
  if (state === 'problem') refused(turn, peer, problem ?? 'it did not say why')
  if (state === 'problem' && present) put(peer, backOff(after, PROBLEM_MS, turn.now))
  if (state === 'merged' && peer.problem !== undefined) {
    delete peer.problem
    turn.note('info', { member: peer.node }, 'replication: the disk of the member takes entries again')
  }
  const { incarnation, sequence } = position
  turn.note('debug', { member: peer.node, incarnation, sequence, state }, 'replication: acknowledged')
  const done = sequence >= reach(turn.state.held, incarnation) && incarnation !== turn.state.incarnation
  if (done) drop(peer, incarnation)
  pump(turn, peer)
  judge(turn, peer, age)
}

function refused(turn: Turn, peer: Peer, problem: string): void {
  if (peer.problem === undefined) {
    turn.alarm('member-disk', `The disk of ${peer.node} takes no entries: ${problem}`)
  }
  peer.problem = problem
}

/** @param age how long the newest acknowledged batch took, ms */
function judge(turn: Turn, peer: Peer, age?: number): void {
  if (peer.phase !== 'catchingUp' && peer.phase !== 'lagging') return
  const prompt = age !== undefined && age <= PROMPT_MS
  const { node, held } = turn.state
  const caughtUp = ownLogs(held, node).every(([incarnation, sequence]) => {
    const sent = prompt ? (peer.streams.get(incarnation)?.sent ?? 0) : 0
    return Math.max(sent, reach(peer.holds, incarnation)) >= sequence
  })
  if (caughtUp) turn.move(peer, 'caughtUp')
}

const ownLogs = (held: Extents, node: string): [string, number][] =>
  [...held].flatMap(([incarnation, { origin, sequence }]) =>
    origin === node ? [[incarnation, sequence]] : [],
  )

/** Own entries that a member has not acknowledged. */
export const behind = ({ held, node }: State, peer: Peer): number =>
  ownLogs(held, node).reduce(
    (sum, [name, sequence]) => sum + Math.max(0, sequence - reach(peer.holds, name)),
    0,
  )

/** A member asks for a log because its own member does not send it. */
export function wanted(turn: Turn, peer: Peer, { position }: Extract<Message, { kind: 'want' }>): void {
  raise(peer, position)
  const { origin, incarnation, sequence } = position
  const stream = peer.streams.get(incarnation)
  if (stream) put(peer, rewind(ackedOn(stream, sequence, turn.now).stream))
  else if (reach(turn.state.held, incarnation) > sequence) {
    put(peer, beginStream({ origin, incarnation }, sequence, origin !== turn.state.node))
  }
  pump(turn, peer)
}

export function sendingTimers(turn: Turn, peer: Peer): void {
  for (const stream of peer.streams.values()) {
    const at = lostAt(stream)
    if (at === undefined || at > turn.now) continue
    const { incarnation, acked } = stream
    turn.note('debug', { member: peer.node, incarnation, acked }, 'replication: no answer, sent again')
    put(peer, lost(stream))
  }
  pump(turn, peer)
}

/** When something must be sent (again) to a member at the latest, ms of the monotonic clock. */
export function sendingDeadlines(state: State, peer: Peer): number[] {
  if (!isMet(peer)) return [peer.phase === 'greeting' ? peer.helloAt : Number.POSITIVE_INFINITY]
  return [...peer.streams.values()].map((stream) => {
    if (stream.reading) return Number.POSITIVE_INFINITY
    const waits = stream.sent < reach(state.held, stream.incarnation) && stream.pausedUntil > 0
    const idle = stream.flight.length === 0
    return lostAt(stream) ?? (waits && idle ? stream.pausedUntil : Number.POSITIVE_INFINITY)
  })
}
