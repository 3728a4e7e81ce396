/**
 * Snapshots, both ends: for a member that is new or was away for so long that entries it lacks are gone.
 *
 * Before one is taken in, its source must hold everything that is held here (own entries above all), so that nothing
 * that was ever acknowledged is missing from it; entries of others are not merged meanwhile but put off ("hold").
 * Who serves one takes none in, so that never all members are incomplete at once.
 * Pages are acknowledged one by one; what is broken off begins again from the first page. Afterwards this member's
 * store has begun a new life, a new session: every member learns anew what it holds.
 */
import type { Message } from './messages.ts'
import {
  covers,
  type Extent,
  extentsOf,
  type Input,
  isMet,
  type Loading,
  type Peer,
  type State,
} from './state.ts'
import type { Turn } from './turn.ts'

const STALL_MS = 30_000
const AGAIN_MS = 1_000
const AGAIN_LONGEST_MS = 60_000
/** After a source has refused. */
const REFUSED_MS = 2_000
/** How often the source is asked what it holds by now. */
const ASK_MS = 5_000
/** How long the source is given to fetch what it lacks; and how long the one that yields leaves the way to the other. */
const SETTLE_MS = 20_000
const YIELD_MS = 5_000

type Of<K extends Message['kind']> = Extract<Message, { kind: K }>

/** Begins when a complete member is there and nothing else helps. */
export function consider(turn: Turn): void {
  const { state } = turn
  if (state.loading || turn.now < state.loadAfter) return
  const source = turn.met().find(({ complete, offers }) => complete && (offers || !state.complete))
  if (!source) return
  state.snapshots += 1
  const { now } = turn
  const begun = { source: source.node, id: state.snapshots, index: 0, busy: false, at: now, since: now }
  state.loading = { ...begun, stage: 'settling', settled: false, needs: state.held }
  turn.note('info', { member: source.node }, 'replication: a snapshot of the member is needed')
  settle(turn)
}

/**
 * What the source must hold: the own entries of the moment of decision, and all of others (a merge that was under way
 * then still counts). Own entries that are no longer in the log it cannot fetch; what they made here stays all the same.
 */
function needsOf({ held, node }: State, loading: Loading, source: Peer): Map<string, Extent> {
  const foreign = [...held].filter(([, { origin }]) => origin !== node)
  const own = [...loading.needs].filter(([name, { origin }]) => origin === node && !source.told.has(name))
  return new Map([...foreign, ...own])
}

/** Asks for the snapshot once its source holds everything that is held here. */
export function settle(turn: Turn): void {
  const { loading, session } = turn.state
  const source = loading && turn.peer(loading.source)
  if (!source || loading.stage !== 'settling' || isServing(turn)) return
  const settled = covers(source.holds, needsOf(turn.state, loading, source))
  // Each may wait for the other. What is held here and missing there stays, so going on costs only order.
  const patient = turn.now < loading.since + SETTLE_MS
  if (turn.peers().some(({ merging }) => merging > 0) || (!settled && patient)) return
  change(turn, { ...loading, stage: 'asked', at: turn.now, settled })
  turn.send(source, { kind: 'snapshotWant', session, id: loading.id })
}

const isServing = (turn: Turn): boolean => [...turn.state.peers.values()].some(({ serving }) => serving)

function change(turn: Turn, loading: Loading): void {
  turn.state.loading = loading
}

/** Broken off: it begins again from the first page, after a pause that doubles. */
function giveUp(turn: Turn, why: string): void {
  const { state } = turn
  const { loading } = state
  if (!loading) return
  const source = turn.peer(loading.source)
  if (source && isMet(source)) {
    turn.send(source, { kind: 'snapshotLeft', session: state.session, id: loading.id })
  }
  const begun = loading.stage === 'loading' || loading.stage === 'finishing'
  if (begun) turn.effects.push({ effect: 'abandonLoad', id: loading.id })
  delete state.loading
  state.loadAfter = turn.now + Math.min(AGAIN_LONGEST_MS, AGAIN_MS * 2 ** Math.min(state.loadTries, 10))
  state.loadTries += 1
  turn.note(
    'warn',
    { member: loading.source, pages: loading.index, why },
    'replication: the snapshot was broken off',
  )
}

/** The connection or the life of a member's store is over. */
export function partedFrom(turn: Turn, peer: Peer): void {
  if (turn.state.loading?.source === peer.node) giveUp(turn, 'the connection ended')
  if (peer.serving) stopServing(turn, peer, peer.serving.id)
}

export function taken(turn: Turn, peer: Peer, message: Of<'page' | 'snapshotEnd' | 'snapshotRefused'>): void {
  const { loading, session } = turn.state
  if (loading?.source !== peer.node || loading.id !== message.id || loading.stage === 'settling') return
  if (message.kind === 'snapshotRefused') {
    giveUp(turn, message.reason)
    // Whether it is complete was known from an earlier time.
    turn.sayHello(peer, true)
    turn.state.loadAfter = turn.now + REFUSED_MS
    return
  }
  if (message.kind === 'snapshotEnd') {
    if (loading.stage !== 'loading' || loading.busy || message.pages !== loading.index) return
    change(turn, { ...loading, stage: 'finishing', busy: true, at: turn.now })
    turn.effects.push({ effect: 'finishLoad', id: loading.id, positions: message.positions })
    return
  }
  const { index, page } = message
  if (index < loading.index) turn.send(peer, { kind: 'pageAck', session, id: loading.id, index })
  if (index !== loading.index || loading.busy) return
  if (loading.stage === 'asked') {
    turn.effects.push({ effect: 'beginLoad', id: loading.id })
    turn.state.complete = false
  }
  change(turn, { ...loading, stage: 'loading', busy: true, at: turn.now })
  turn.effects.push({ effect: 'loadPage', id: loading.id, page })
}

export function pageLoaded(turn: Turn, id: number): void {
  const { loading, session } = turn.state
  const source = loading && turn.peer(loading.source)
  if (!source || loading.id !== id || loading.stage !== 'loading') return
  const { index } = loading
  change(turn, { ...loading, index: index + 1, busy: false, at: turn.now })
  turn.send(source, { kind: 'pageAck', session, id, index })
  turn.note('debug', { member: source.node, page: index }, 'replication: a page of the snapshot is on disk')
}

export function loadFailed(turn: Turn, { id, problem }: Extract<Input, { input: 'loadFailed' }>): void {
  const { state } = turn
  if (state.loading?.id !== id) return
  if (state.problem === undefined) turn.alarm('own-disk', `The own disk takes no snapshot: ${problem}`)
  state.problem = problem
  state.problemUntil = turn.now + 2 * AGAIN_LONGEST_MS
  giveUp(turn, problem)
}

/** @returns false when it is about a snapshot that was given up */
export function loadFinished(turn: Turn, input: Extract<Input, { input: 'loadFinished' }>): boolean {
  const { state } = turn
  const { loading } = state
  if (loading?.id !== input.id) return false
  const own = state.held.get(state.incarnation)
  const held = extentsOf(input.positions)
  if (own) held.set(state.incarnation, own)
  state.held = held
  state.complete = input.complete
  state.session = `${state.incarnation}.${state.snapshots}`
  state.loadTries = 0
  delete state.loading
  delete state.problem
  const { source: member, index: pages } = loading
  turn.note('info', { member, pages }, 'replication: the snapshot of the member is in')
  for (const peer of turn.peers()) {
    peer.offers = false
    if (peer.phase !== 'disconnected') turn.sayHello(peer, true)
  }
  return true
}

export function snapshotWanted(turn: Turn, peer: Peer, { id }: Of<'snapshotWant'>): void {
  const { state } = turn
  if (peer.serving) stopServing(turn, peer, peer.serving.id)
  const { loading } = state
  // Each asks the other, or a third one: the lower name goes first. One that only waits to ask may serve: whoever asks
  // has made sure that it loses nothing.
  const first = loading?.stage === 'asked' && state.node < peer.node
  if (!state.complete || first) {
    const reason = first ? 'it takes one in first' : 'it is not complete itself'
    turn.send(peer, { kind: 'snapshotRefused', session: state.session, id, reason })
    return
  }
  if (loading?.stage === 'asked') {
    giveUp(turn, 'the other goes first')
    state.loadAfter = turn.now + YIELD_MS
  }
  peer.serving = { id, index: 0, at: turn.now }
  turn.note('info', { member: peer.node }, 'replication: the member takes a snapshot of this store')
  turn.effects.push({ effect: 'openSnapshot', to: peer.node, id }, { effect: 'nextPage', to: peer.node, id })
}

export function pageRead(
  turn: Turn,
  input: Extract<Input, { input: 'page' | 'pagesEnd' | 'pageFailed' }>,
): void {
  const peer = turn.peer(input.to)
  const { session } = turn.state
  const { id } = input
  if (!peer?.serving || peer.serving.id !== id) return
  const { index } = peer.serving
  if (input.input === 'page') {
    peer.serving = { ...peer.serving, at: turn.now }
    turn.send(peer, { kind: 'page', session, id, index, page: input.page })
    return
  }
  if (input.input === 'pagesEnd') {
    turn.send(peer, { kind: 'snapshotEnd', session, id, pages: index, positions: input.positions })
    turn.note('info', { member: peer.node, pages: index }, 'replication: the snapshot is sent')
  } else turn.send(peer, { kind: 'snapshotRefused', session, id, reason: input.reason })
  stopServing(turn, peer, id)
}

export function pageAcked(turn: Turn, peer: Peer, { id, index }: Of<'pageAck'>): void {
  if (peer.serving?.id !== id || peer.serving.index !== index) return
  peer.serving = { ...peer.serving, index: index + 1, at: turn.now }
  turn.effects.push({ effect: 'nextPage', to: peer.node, id })
}

/** The member does not take it any more. */
export function snapshotLeft(turn: Turn, peer: Peer, { id }: Of<'snapshotLeft'>): void {
  if (peer.serving?.id === id) stopServing(turn, peer, id)
}

function stopServing(turn: Turn, peer: Peer, id: number): void {
  delete peer.serving
  turn.effects.push({ effect: 'closeSnapshot', to: peer.node, id })
}

export function snapshotTimers(turn: Turn): void {
  const { loading } = turn.state
  if (loading && loading.stage !== 'settling' && !loading.busy && turn.now >= loading.at + STALL_MS) {
    giveUp(turn, 'nothing came any more')
  }
  const source = loading && turn.peer(loading.source)
  if (source && loading.stage === 'settling' && turn.now >= loading.at + ASK_MS) {
    change(turn, { ...loading, at: turn.now })
    turn.sayHello(source, true)
    settle(turn)
  }
  for (const peer of turn.peers()) {
    if (peer.serving && turn.now >= peer.serving.at + 2 * STALL_MS) stopServing(turn, peer, peer.serving.id)
  }
  consider(turn)
}

export function snapshotDeadlines(state: State): number[] {
  const { loading } = state
  const stalls = [...state.peers.values()].flatMap(({ serving }) =>
    serving ? [serving.at + 2 * STALL_MS] : [],
  )
  if (loading?.stage === 'settling') stalls.push(loading.at + ASK_MS)
  else if (loading && !loading.busy) stalls.push(loading.at + STALL_MS)
  const waits = [...state.peers.values()].some(
    (peer) => isMet(peer) && peer.complete && (peer.offers || !state.complete),
  )
  if (!loading && waits) stalls.push(state.loadAfter)
  return stalls
}
