/**
 * The wire format of the log: one header line of JSON, then, for entries, pages and positions, a body that goes
 * through as text. A body is never parsed here, so operations of a newer version pass through a member that does not
 * know them.
 *
 * Rules that let versions meet: a member writes what the lower of both announced versions understands; header fields
 * and kinds that are not known are ignored; the hello's shape never changes. test/pair/replication/golden holds what
 * each version looks like.
 */
import type { LogPosition } from '#store/contract.ts'
import type { Message } from './messages.ts'

/** The wire versions that this program reads and writes. */
export const MIN = 1
export const CURRENT = 1

/** @returns the version both write, or undefined when they have none in common */
export function commonVersion(min: number, current: number): number | undefined {
  const common = Math.min(CURRENT, current)
  return common >= Math.max(MIN, min) ? common : undefined
}

type Header = Record<string, unknown>

/** @param version what the receiver understands (commonVersion); a hello goes before that is known */
export function encode(message: Message, version: number): string {
  const { kind, session } = message
  const begin = { v: version, kind, session }
  switch (message.kind) {
    case 'hello': {
      const { min, current, incarnation, heard, ask, complete } = message
      const known = heard === undefined ? {} : { heard }
      const header = { ...begin, min, current, incarnation, ...known, ask, complete }
      return joined(header, JSON.stringify(message.positions.map(tuple)))
    }
    case 'have':
      return joined(begin, JSON.stringify(message.positions.map(tuple)))
    case 'push': {
      const { origin, incarnation, from, count, entries } = message.batch
      return joined({ ...begin, round: message.round, origin, incarnation, from, count }, entries)
    }
    case 'ack': {
      const { round, position, state, problem } = message
      const [incarnation, sequence, origin] = tuple(position)
      const header = { ...begin, round, origin, incarnation, sequence, state }
      return joined(problem === undefined ? header : { ...header, problem })
    }
    case 'want':
    case 'trimmed': {
      const [incarnation, sequence, origin] = tuple(message.position)
      return joined({ ...begin, origin, incarnation, sequence })
    }
    case 'snapshotWant':
    case 'snapshotLeft':
      return joined({ ...begin, id: message.id })
    case 'snapshotRefused':
      return joined({ ...begin, id: message.id, reason: message.reason })
    case 'page':
      return joined({ ...begin, id: message.id, index: message.index }, message.page)
    case 'pageAck':
      return joined({ ...begin, id: message.id, index: message.index })
    case 'snapshotEnd': {
      const { id, pages, positions } = message
      return joined({ ...begin, id, pages }, JSON.stringify(positions.map(tuple)))
    }
  }
}

/** @returns undefined for a kind that this version does not know, and for what is damaged */
export function decode(text: string): Message | undefined {
  const end = text.indexOf('\n')
  const header = parsed(end < 0 ? text : text.slice(0, end))
  if (!isRecord(header)) return undefined
  return messageOf(header, end < 0 ? '' : text.slice(end + 1))
}

function messageOf(header: Header, body: string): Message | undefined {
  const { kind } = header
  const session = text(header, 'session')
  if (session === undefined) return undefined
  switch (kind) {
    case 'hello':
      return helloOf(header, session, body)
    case 'have': {
      const positions = positionsOf(body)
      return positions && { kind, session, positions }
    }
    case 'push': {
      const origin = text(header, 'origin')
      const incarnation = text(header, 'incarnation')
      const from = count(header, 'from')
      const number = count(header, 'count')
      const round = count(header, 'round')
      if (origin === undefined || incarnation === undefined) return undefined
      if (!from || !number || round === undefined) return undefined
      return { kind, session, round, batch: { origin, incarnation, from, count: number, entries: body } }
    }
    case 'ack':
      return ackOf(header, session)
    case 'want':
    case 'trimmed': {
      const position = positionOf(header)
      return position && { kind, session, position }
    }
    default:
      return snapshotMessageOf(header, session, body)
  }
}

function helloOf(header: Header, session: string, body: string): Message | undefined {
  const min = count(header, 'min')
  const current = count(header, 'current')
  const incarnation = text(header, 'incarnation')
  const heard = text(header, 'heard')
  const positions = positionsOf(body)
  if (min === undefined || current === undefined || incarnation === undefined || !positions) return undefined
  return {
    kind: 'hello',
    session,
    min,
    current,
    incarnation,
    ...(heard === undefined ? {} : { heard }),
    ask: header['ask'] === true,
    complete: header['complete'] === true,
    positions,
  }
}

function ackOf(header: Header, session: string): Message | undefined {
  const position = positionOf(header)
  const round = count(header, 'round')
  const state = header['state']
  if (!position || round === undefined) return undefined
  if (state !== 'merged' && state !== 'gap' && state !== 'hold' && state !== 'problem') return undefined
  const problem = text(header, 'problem')
  return { kind: 'ack', session, round, position, state, ...(problem === undefined ? {} : { problem }) }
}

function snapshotMessageOf(header: Header, session: string, body: string): Message | undefined {
  const { kind } = header
  const id = count(header, 'id')
  const index = count(header, 'index')
  if (id === undefined) return undefined
  switch (kind) {
    case 'snapshotWant':
    case 'snapshotLeft':
      return { kind, session, id }
    case 'snapshotRefused':
      return { kind, session, id, reason: text(header, 'reason') ?? '' }
    case 'page':
      return index === undefined ? undefined : { kind, session, id, index, page: body }
    case 'pageAck':
      return index === undefined ? undefined : { kind, session, id, index }
    case 'snapshotEnd': {
      const pages = count(header, 'pages')
      const positions = positionsOf(body)
      return pages === undefined || !positions ? undefined : { kind, session, id, pages, positions }
    }
    default:
      return undefined
  }
}

const joined = (header: object, body?: string): string =>
  body === undefined ? JSON.stringify(header) : `${JSON.stringify(header)}\n${body}`

const tuple = ({ origin, incarnation, sequence }: LogPosition): [string, number, string] => [
  incarnation,
  sequence,
  origin,
]

function positionOf(header: Header): LogPosition | undefined {
  const origin = text(header, 'origin')
  const incarnation = text(header, 'incarnation')
  const sequence = count(header, 'sequence')
  if (origin === undefined || incarnation === undefined || sequence === undefined) return undefined
  return { origin, incarnation, sequence }
}

function positionsOf(body: string): LogPosition[] | undefined {
  const list = parsed(body)
  if (!Array.isArray(list)) return undefined
  const positions: LogPosition[] = []
  for (const item of list) {
    if (!Array.isArray(item)) return undefined
    const [incarnation, sequence, origin]: unknown[] = item
    if (typeof incarnation !== 'string' || !isCount(sequence) || typeof origin !== 'string') return undefined
    positions.push({ origin, incarnation, sequence })
  }
  return positions
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Header =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function text(header: Header, field: string): string | undefined {
  const value = header[field]
  return typeof value === 'string' ? value : undefined
}

function count(header: Header, field: string): number | undefined {
  const value = header[field]
  return isCount(value) ? value : undefined
}
