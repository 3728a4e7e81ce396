/**
 * Heartbeats on the wire: JSON with short keys, since a heartbeat in 30 s may cost 180 kB an hour in all. Each says in
 * which version it is written and which versions its sender reads, and a member writes the newest one that its reader
 * knows; until it knows, the oldest. Keys that a reader does not know are passed over: they are how a version grows.
 *
 * The files under test/pair/guard/golden/ hold heartbeats of each version and are never edited.
 */
import { errorText } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import { type Role, roles } from '../contract.ts'
import type { Beat } from '../role/contract.ts'

/** The oldest and the newest version that this program reads and writes. */
export const MIN = 1
export const CURRENT = 1

/** Larger ones are neither sent nor read, bytes. */
export const LARGEST = 1_024

/** What the sender reads. */
export interface Reads {
  min: number
  current: number
}

/** The version to write for a member. @param reads what it said; absent: nothing yet */
export const versionFor = (reads: Reads | undefined): number | undefined =>
  reads === undefined
    ? MIN
    : reads.min > CURRENT || reads.current < MIN
      ? undefined
      : Math.min(CURRENT, reads.current)

const pairOf = (term: Term): [number, string] => [term.counter, term.node]

/** Empty fields and those that are not so are left out. */
export function encodeBeat(beat: Beat, version: number): string {
  const { position, echo, released } = beat
  return JSON.stringify({
    v: version,
    m: [MIN, CURRENT],
    n: beat.node,
    s: beat.session,
    q: beat.sequence,
    o: roles.indexOf(beat.role),
    h: pairOf(beat.highest),
    H: beat.holds && pairOf(beat.holds),
    a: beat.asks && pairOf(beat.asks),
    f: beat.follows && pairOf(beat.follows),
    x: released && [
      ...pairOf(released.term),
      ...(released.successor === undefined ? [] : [released.successor]),
    ],
    w: beat.wants,
    d: beat.declines,
    b: beat.closed ? 1 : undefined,
    c: beat.closing ? 1 : undefined,
    e: echo && [echo.session, echo.sequence, Math.round(echo.held * 10) / 10],
    p: beat.priority,
    g: (beat.healthy ? 1 : 0) + (beat.synchronised ? 2 : 0),
    l: position && [
      position.origin === beat.node ? '' : position.origin,
      position.incarnation,
      position.sequence,
    ],
    k: beat.linesHealthy || undefined,
    u: beat.queued || undefined,
    r: beat.revision,
    t: Math.round(beat.wall),
  })
}

export type Decoded =
  | { beat: Beat; reads: Reads }
  | { reads: Reads; problem: 'version' }
  | { problem: string }

/** Whatever comes: a heartbeat, or a sentence. */
export function decodeBeat(bytes: Buffer): Decoded {
  if (bytes.length > LARGEST) return { problem: `${bytes.length} bytes are too many` }
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'no object' }
    const fields = new Map<string, unknown>(Object.entries(value))
    const [min, current] = list(fields.get('m'), 'm')
    const reads = { min: whole(min, 'm'), current: whole(current, 'm') }
    const version = whole(fields.get('v'), 'v')
    if (version < MIN || version > CURRENT) return { reads, problem: 'version' }
    return { reads, beat: beatOf(fields) }
  } catch (error) {
    return { problem: errorText(error) }
  }
}

function beatOf(fields: Map<string, unknown>): Beat {
  const get = (key: string): unknown => fields.get(key)
  const has = (key: string): boolean => fields.get(key) !== undefined
  const node = text(get('n'), 'n')
  const role: Role | undefined = roles[whole(get('o'), 'o')]
  if (role === undefined) throw new Error('o is no role')
  const flags = whole(get('g'), 'g')
  const wants = get('w')
  if (wants !== undefined && wants !== 'command' && wants !== 'preempt') throw new Error('w is not known')
  return {
    node,
    session: text(get('s'), 's', 8),
    sequence: whole(get('q'), 'q'),
    role,
    highest: term(get('h'), 'h'),
    ...(has('H') && { holds: term(get('H'), 'H') }),
    ...(has('a') && { asks: term(get('a'), 'a') }),
    ...(has('f') && { follows: term(get('f'), 'f') }),
    ...(has('x') && { released: releasedOf(get('x')) }),
    ...(wants !== undefined && { wants }),
    ...(has('d') && { declines: text(get('d'), 'd', 64) }),
    ...(get('b') === 1 && { closed: true }),
    ...(get('c') === 1 && { closing: true }),
    ...(has('e') && { echo: echoOf(get('e')) }),
    priority: whole(get('p'), 'p'),
    healthy: (flags & 1) !== 0,
    synchronised: (flags & 2) !== 0,
    ...(has('l') && { position: positionOf(get('l'), node) }),
    linesHealthy: has('k') ? whole(get('k'), 'k') : 0,
    queued: has('u') ? whole(get('u'), 'u') : 0,
    ...(has('r') && { revision: text(get('r'), 'r') }),
    wall: number(get('t'), 't'),
  }
}

function releasedOf(value: unknown): NonNullable<Beat['released']> {
  const items = list(value, 'x')
  return {
    term: term(items.slice(0, 2), 'x'),
    ...(items[2] !== undefined && { successor: text(items[2], 'x') }),
  }
}

function echoOf(value: unknown): NonNullable<Beat['echo']> {
  const [session, sequence, held] = list(value, 'e')
  return { session: text(session, 'e', 8), sequence: whole(sequence, 'e'), held: number(held, 'e') }
}

function positionOf(value: unknown, node: string): NonNullable<Beat['position']> {
  const [origin, incarnation, sequence] = list(value, 'l')
  return {
    origin: origin === '' ? node : text(origin, 'l'),
    incarnation: text(incarnation, 'l'),
    sequence: whole(sequence, 'l'),
  }
}

function term(value: unknown, key: string): Term {
  const [counter, node] = list(value, key)
  // Nobody's term, before the first one, has no node.
  return { counter: whole(counter, key), node: node === '' ? '' : text(node, key) }
}

function list(value: unknown, key: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${key} is no list`)
  return value
}

function text(value: unknown, key: string, longest = 200): string {
  if (typeof value !== 'string' || value === '' || value.length > longest)
    throw new Error(`${key} is no text`)
  return value
}

function number(value: unknown, key: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw new Error(`${key} is no number`)
  return value
}

function whole(value: unknown, key: string): number {
  if (!Number.isSafeInteger(value)) throw new Error(`${key} is no whole number`)
  return number(value, key)
}
