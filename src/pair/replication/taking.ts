/**
 * The taking half of the machine: entries of other members on their way to the own disk, and logs that must be asked
 * for because the member that wrote them does not send them: it is away, or its own disk has lost their tail.
 */
import { Buffer } from 'node:buffer'
import type { LogPosition } from '#store/contract.ts'
import type { Message } from './messages.ts'
import { pump, raise, serveOwnLogs } from './sending.ts'
import { settle } from './snapshots.ts'
import { covers, type Input, isMet, type Peer, reach, type State } from './state.ts'
import type { Turn } from './turn.ts'

/** Pushes of one member that wait for the own disk, bytes; what comes beyond is dropped and will be sent again. */
const MERGING_BYTES = 4 * 1_048_576
const WANT_MS = 5_000
/** Twice the longest pause after which a member tries again. */
const PROBLEM_MS = 60_000
/** Between two tellings of what has grown here. */
const NEWS_MS = 1_000

type Push = Extract<Message, { kind: 'push' }>

export function pushed(turn: Turn, peer: Peer, { batch, round }: Push): void {
  const { origin, incarnation, from, count, entries } = batch
  const { state } = turn
  if (incarnation === state.incarnation) return
  // Said in this life of its store, so it is true of this life; when the merge ends there may be another one.
  raise(peer, { origin, incarnation, sequence: from + count - 1 })
  if (state.loading || !state.complete) {
    answer(turn, peer, round, origin, incarnation, 'hold')
    return
  }
  if (from + count - 1 <= reach(state.held, incarnation)) {
    answer(turn, peer, round, origin, incarnation, 'merged')
    return
  }
  const bytes = Buffer.byteLength(entries)
  if (peer.merging > 0 && peer.merging + bytes > MERGING_BYTES) return
  peer.merging += bytes
  turn.effects.push({ effect: 'merge', from: peer.node, round, batch })
}

function answer(
  turn: Turn,
  peer: Peer,
  round: number,
  origin: string,
  incarnation: string,
  state: 'merged' | 'gap' | 'hold',
): void {
  const position = { origin, incarnation, sequence: reach(turn.state.held, incarnation) }
  turn.send(peer, { kind: 'ack', session: turn.state.session, round, position, state })
}

export function merged(turn: Turn, input: Extract<Input, { input: 'merged' }>): void {
  const { log, result, round, bytes } = input
  const { state } = turn
  const peer = turn.peer(input.from)
  if (peer) peer.merging = Math.max(0, peer.merging - bytes)
  if (result.result === 'problem' && log.sequence <= reach(state.held, log.incarnation)) {
    // It came twice, and the first time the disk took it.
    if (peer) answer(turn, peer, round, log.origin, log.incarnation, 'merged')
    settle(turn)
    return
  }
  if (result.result === 'problem') {
    if (state.problem === undefined) {
      turn.alarm('own-disk', `The own disk takes no entries of other members: ${result.problem}`)
    }
    state.problem = result.problem
    state.problemUntil = turn.now + PROBLEM_MS
    const position = { ...log, sequence: reach(state.held, log.incarnation) }
    const { session } = state
    const problem = result.problem
    if (peer) turn.send(peer, { kind: 'ack', session, round, position, state: 'problem', problem })
    settle(turn)
    return
  }
  if (state.problem !== undefined) turn.note('info', {}, 'replication: the own disk takes entries again')
  delete state.problem
  grown(turn, result.position)
  if (peer) answer(turn, peer, round, log.origin, log.incarnation, result.result)
  settle(turn)
}

/** The own disk holds more of a log than before. */
function grown(turn: Turn, { origin, incarnation, sequence }: LogPosition): void {
  const { state } = turn
  if (sequence <= reach(state.held, incarnation)) return
  turn.hold(incarnation, { origin, sequence })
  if (!state.newest.has(origin)) state.newest = new Map(state.newest).set(origin, incarnation)
  if (turn.peers().some(({ holds }) => reach(holds, incarnation) < sequence)) {
    if (state.news.size === 0) state.newsAt = turn.now + NEWS_MS
    state.news = new Set(state.news).add(incarnation)
  }
  for (const peer of turn.met()) {
    if (origin === state.node) serveOwnLogs(turn, peer)
    else if (peer.streams.has(incarnation)) pump(turn, peer)
    keepStep(turn, peer)
  }
  const asked = state.wanted.get(incarnation)
  if (asked) {
    const wanted = new Map(state.wanted)
    if (sequence >= asked.sequence) wanted.delete(incarnation)
    else wanted.set(incarnation, { ...asked, at: turn.now })
    state.wanted = wanted
    if (sequence >= asked.sequence) chooseWants(turn)
  }
}

/** Notes what a member holds and this one does not: the measure of being in step with it. */
export function setGoal(turn: Turn, peer: Peer): void {
  const { held } = turn.state
  peer.goal = new Map(
    [...peer.holds].filter(([incarnation, { sequence }]) => sequence > reach(held, incarnation)),
  )
  if (peer.goal.size > 0) peer.inStep = false
  keepStep(turn, peer)
  // Nothing is left to be written: whether the disk would take it is not known, and no reason for alarm.
  if (turn.met().every(({ inStep }) => inStep)) {
    delete turn.state.problem
    turn.state.everInStep ||= turn.state.complete
  }
  if (!peer.inStep) {
    const entries = [...peer.goal].reduce(
      (sum, [name, { sequence }]) => sum + sequence - reach(held, name),
      0,
    )
    turn.note('info', { member: peer.node, entries }, 'replication: catching up with the member')
  }
}

function keepStep(turn: Turn, peer: Peer): void {
  const { state } = turn
  if (peer.inStep || !isMet(peer) || !covers(state.held, peer.goal)) return
  peer.inStep = true
  peer.goal = new Map()
  turn.note('info', { member: peer.node }, 'replication: everything that the member holds is here')
  if (turn.met().every(({ inStep }) => inStep) && state.complete) state.everInStep = true
}

/** Asks for what some member holds and its own member does not send. */
export function chooseWants(turn: Turn): void {
  const { state } = turn
  if (state.loading || !state.complete) {
    // A snapshot will bring it, and until then nothing is merged.
    state.wanted = new Map()
    return
  }
  const best = new Map<string, { from: Peer; origin: string; sequence: number }>()
  const met = turn.met()
  const metNodes = new Set(met.map(({ node }) => node))
  for (const peer of met) {
    for (const [incarnation, { origin, sequence }] of peer.holds) {
      const sends = metNodes.has(origin) || incarnation === state.incarnation
      if (sends || sequence <= reach(state.held, incarnation)) continue
      if (sequence > (best.get(incarnation)?.sequence ?? 0))
        best.set(incarnation, { from: peer, origin, sequence })
    }
  }
  const wanted = new Map<string, { from: string; sequence: number; at: number }>()
  for (const [incarnation, { from, origin, sequence }] of best) {
    const before = state.wanted.get(incarnation)
    if (before && metNodes.has(before.from) && turn.now < before.at + WANT_MS) {
      wanted.set(incarnation, before)
      continue
    }
    const after = reach(state.held, incarnation)
    wanted.set(incarnation, { from: from.node, sequence, at: turn.now })
    turn.note(
      'info',
      { member: from.node, origin, after, upTo: sequence },
      'replication: fetching a log from the member',
    )
    const position = { origin, incarnation, sequence: after }
    turn.send(from, { kind: 'want', session: state.session, position })
  }
  state.wanted = wanted
}

export function takingTimers(turn: Turn): void {
  const { state } = turn
  if (state.problem !== undefined && turn.now >= state.problemUntil) delete state.problem
  if ([...state.wanted.values()].some(({ at }) => turn.now >= at + WANT_MS)) chooseWants(turn)
  if (state.news.size === 0 || turn.now < state.newsAt) return
  for (const peer of turn.met()) {
    const positions = [...state.news].flatMap((incarnation): LogPosition[] => {
      const extent = state.held.get(incarnation)
      const lacks = extent && reach(peer.holds, incarnation) < extent.sequence
      return lacks ? [{ incarnation, ...extent }] : []
    })
    if (positions.length > 0) turn.send(peer, { kind: 'have', session: state.session, positions })
  }
  state.news = new Set()
}

export function takingDeadlines(state: State): number[] {
  const wants = [...state.wanted.values()].map(({ at }) => at + WANT_MS)
  if (state.problem !== undefined) wants.push(state.problemUntil)
  return state.news.size > 0 ? [...wants, state.newsAt] : wants
}
