/**
 * What an operation does to the tables. The same function serves the own log and the logs of other members, so
 * everything follows from the entries and the tables: no clock, no randomness, no settings. Own operations are strict:
 * what the tables do not allow changes nothing and is not logged. Entries of others are joined (deliveries.ts).
 */
import { unreachable } from '#core/errors.ts'
import { concerns, type Step, supersede, take } from '#messages/fold.ts'
import type { Delivery } from '#messages/message.ts'
import type { Operation } from '#messages/operation.ts'
import { compareOrders, type Order, orderText, readOrder } from '#messages/order.ts'
import { mayHappen } from '#messages/states.ts'
import { KEY_MS, restoreArchived } from './archive.ts'
import {
  type Held,
  held,
  heldAt,
  historyOf,
  insertDelivery,
  join,
  joinDuplicate,
  joinSpan,
  originOf,
  type Placed,
  placeOf,
  spans,
  takeOwn,
} from './deliveries.ts'
import { type Applied, applyInbound, applyPartial } from './inbound.ts'
import type { KnownLog, Logs } from './logs.ts'
import { applyRecord } from './records.ts'
import { integer, type Row, type Tables, text } from './tables.ts'

export interface Entry {
  order: Order
  log: KnownLog
  sequence: number
  place: number
  /** ms since 1970 */
  at: number
  operation: Operation
  /** Made here just now: it comes after everything that is known. */
  own: boolean
}

export const nothing: Applied = { changed: false }
export const done: Applied = { changed: true }

type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>

export function applyOperation(tables: Tables, logs: Logs, entry: Entry): Applied {
  const { operation } = entry
  switch (operation.op) {
    case 'accept':
      return applyAccept(tables, logs, entry, operation)
    case 'delivery':
    case 'hand':
      return applyToDelivery(tables, logs, entry, operation)
    case 'adopt':
    case 'shiftTimes':
      return applyToMany(tables, logs, entry, operation)
    case 'inbound':
      return applyInbound(tables, operation.part, entry)
    case 'inboundPartial':
      return applyPartial(tables, operation.group, entry)
    case 'tokenCreate':
    case 'tokenRevoke':
    case 'userSave':
    case 'userRemove':
    case 'sessionSave':
    case 'sessionEnd':
    case 'remember':
    case 'member':
    case 'memberRemove':
    case 'revision':
    case 'conflictSettle':
    case 'audit':
    case 'failover':
      return applyRecord(tables, entry, operation)
    default:
      return unreachable(operation)
  }
}

function applyAccept(tables: Tables, logs: Logs, entry: Entry, operation: Of<'accept'>): Applied {
  const { message, deliveries, key } = operation
  if (placeOf(tables, message.id) || tables.get('SELECT 1 FROM archive_messages WHERE id = ?', message.id)) {
    return nothing
  }
  const twins = !entry.own && key ? twinsOf(tables, message.id, message.at, key.key, key.bodyHash) : []
  const superseded = twins.some(({ order }) => order === undefined || compareOrders(order, entry.order) < 0)
  const first = tables.nextPosition
  tables.run(
    `INSERT INTO messages (position, id, count, at, key, body_hash, ordering, incarnation, sequence, superseded, document)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    first,
    message.id,
    deliveries.length,
    message.at,
    key?.key ?? null,
    key?.bodyHash ?? null,
    orderText(entry.order),
    entry.log.id,
    entry.sequence,
    superseded ? 1 : null,
    JSON.stringify(message),
  )
  const start = { ...entry, at: message.at, incarnation: entry.log.incarnation }
  const wide = entry.own ? [] : spans(tables).filter((span) => concerns(span, start))
  deliveries.forEach((delivery, n) => {
    let made: Delivery = superseded ? supersede(delivery) : delivery
    for (const span of wide) made = take(made, span) ?? made
    insertDelivery(tables, first + n, { ...made, latest: entry.order }, message.at, historyOf(entry.place))
  })
  tables.nextPosition += Math.max(deliveries.length, 1)
  if (entry.own) return done
  joinPending(tables, logs, message.id, first)
  for (const twin of twins) {
    if (twin.order && compareOrders(twin.order, entry.order) > 0)
      supersedeTwin(tables, logs, twin.id, message.at)
  }
  return done
}

interface Twin {
  id: string
  /** Undefined for one that is older than orders are. */
  order: Order | undefined
}

/** Messages with the same idempotency key and body, of about the same time. */
export function twinsOf(tables: Tables, id: string, at: number, key: string, bodyHash: string): Twin[] {
  return ['messages', 'archive_messages'].flatMap((table) =>
    tables
      .all(
        `SELECT id, ordering FROM ${table} WHERE key = ? AND body_hash = ? AND id <> ? AND abs(at - ?) < ?`,
        key,
        bodyHash,
        id,
        at,
        KEY_MS,
      )
      .map((row) => ({
        id: text(row, 'id'),
        order: row['ordering'] === null ? undefined : readOrder(text(row, 'ordering')),
      })),
  )
}

export function supersedeTwin(tables: Tables, logs: Logs, id: string, at: number): void {
  restoreArchived(tables, id)
  const place = placeOf(tables, id)
  if (!place) return
  const { position, count } = place
  const known = tables.number('SELECT superseded FROM messages WHERE position = ?', position)
  if (known === 1) return
  tables.run('UPDATE messages SET superseded = 1 WHERE position = ?', position)
  for (let n = 0; n < count; n++) {
    const before = heldAt(tables, position + n)
    if (before) joinDuplicate(tables, logs, before, at)
  }
}

/** Events that came before the acceptance they belong to: from a member that had it earlier than this one. */
function joinPending(tables: Tables, logs: Logs, message: string, first: number): void {
  const rows = tables.all(
    'SELECT delivery, place, step FROM pending WHERE delivery > ? AND delivery < ?',
    `${message}.`,
    `${message}/`,
  )
  if (rows.length === 0) return
  const byDelivery = new Map<string, Placed[]>()
  for (const row of rows) {
    const placed: Placed = {
      step: JSON.parse(text(row, 'step')),
      place: row['place'] === null ? undefined : integer(row, 'place'),
    }
    const delivery = text(row, 'delivery')
    byDelivery.set(delivery, [...(byDelivery.get(delivery) ?? []), placed])
  }
  for (const [delivery, placed] of byDelivery) {
    const before = held(tables, delivery)
    if (before && before.position >= first) join(tables, logs, before, placed)
    tables.run('DELETE FROM pending WHERE delivery = ?', delivery)
  }
}

function applyToDelivery(
  tables: Tables,
  logs: Logs,
  entry: Entry,
  operation: Of<'delivery' | 'hand'>,
): Applied {
  const before = held(tables, operation.delivery)
  const step: Step = { order: entry.order, at: entry.at, operation }
  if (entry.own) {
    if (!before) return nothing
    if (operation.op === 'delivery' && !mayHappen(before.delivery.state, operation.event.event))
      return nothing
    return takeOwn(tables, before, step, entry.place) ? done : nothing
  }
  if (before) join(tables, logs, before, [{ step, place: entry.place }])
  else keepPending(tables, operation.delivery, step, entry.place)
  return done
}

function keepPending(tables: Tables, delivery: string, step: Step, place: number | null): void {
  tables.run(
    'INSERT OR IGNORE INTO pending (delivery, ordering, place, at, step) VALUES (?, ?, ?, ?, ?)',
    delivery,
    orderText(step.order),
    place,
    step.at,
    JSON.stringify(step),
  )
}

function applyToMany(
  tables: Tables,
  logs: Logs,
  entry: Entry,
  operation: Of<'adopt' | 'shiftTimes'>,
): Applied {
  const span: Step = { order: entry.order, at: entry.at, operation }
  let changed = operation.op === 'adopt'
  for (const before of meant(tables, logs, span, entry.own)) {
    changed = true
    joinSpan(tables, logs, before, span)
  }
  if (!changed && entry.own) return nothing
  tables.run(
    'INSERT OR IGNORE INTO spans (ordering, at, operation) VALUES (?, ?, ?)',
    orderText(entry.order),
    entry.at,
    JSON.stringify(operation),
  )
  return done
}

/** The deliveries that such an operation may change, given what is known now. */
function meant(tables: Tables, logs: Logs, span: Step, own: boolean): Held[] {
  const { operation } = span
  if (operation.op === 'adopt') return concerned(tables, logs, span, unfinishedOf(tables, operation.origin))
  if (operation.op !== 'shiftTimes') return []
  // One that is finished now may have been unfinished in the order of the entries; after an own entry it is finished.
  const rows = tables.all(
    `SELECT position FROM deliveries WHERE ${own ? 'deadline IS NOT NULL AND' : ''} accepted >= ?`,
    operation.since,
  )
  return concerned(tables, logs, span, rows)
}

/** The unfinished deliveries that a member owns. */
const unfinishedOf = (tables: Tables, owner: string): Row[] =>
  tables.all(
    `SELECT position FROM deliveries INDEXED BY deliveries_claim WHERE live = 0 AND owner = ?1
     UNION SELECT position FROM deliveries WHERE live IN (1, 2, 3) AND owner = ?1`,
    owner,
  )

/** By which logs the unfinished deliveries of a member came. */
export const incarnationsOwned = (tables: Tables, logs: Logs, owner: string): string[] => [
  ...new Set(
    unfinishedOf(tables, owner).map(
      (row) => originOf(tables, logs, integer(row, 'position')).accepted.incarnation,
    ),
  ),
]

const concerned = (tables: Tables, logs: Logs, span: Step, rows: readonly Row[]): Held[] =>
  rows.flatMap((row) => {
    const position = integer(row, 'position')
    return concerns(span, originOf(tables, logs, position).accepted) ? (heldAt(tables, position) ?? []) : []
  })
