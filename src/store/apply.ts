/**
 * What an operation does to the tables. The same function serves the own log and, later, the logs of other members,
 * so everything follows from the entry and the tables: no clock, no randomness, no settings.
 */
import { unreachable } from '#core/errors.ts'
import { type Delivery, messageOf } from '#messages/message.ts'
import type { LogEntry, Operation } from '#messages/operation.ts'
import { applyEvent, type DeliveryEvent } from '#messages/states.ts'
import { restoreArchived } from './archive.ts'
import { type Applied, applyInbound, applyPartial } from './inbound.ts'
import { columnsOf, integer, type Tables, text } from './tables.ts'
import { addToTotals } from './totals.ts'

export type Entry = Pick<LogEntry, 'origin' | 'at' | 'operation'>

const nothing: Applied = { changed: false }
const done: Applied = { changed: true }

export function applyOperation(tables: Tables, entry: Entry): Applied {
  const { operation, at } = entry
  switch (operation.op) {
    case 'accept':
      return applyAccept(tables, operation)
    case 'delivery':
      return applyDelivery(tables, entry.origin, operation.delivery, operation.event, at)
    case 'inbound':
      return applyInbound(tables, operation.part)
    case 'inboundPartial':
      return applyPartial(tables, operation.group)
    case 'tokenCreate':
      tables.run(
        'INSERT OR REPLACE INTO tokens (id, document) VALUES (?, ?)',
        operation.token.id,
        JSON.stringify(operation.token),
      )
      return done
    case 'tokenRevoke':
      return tables.run('DELETE FROM tokens WHERE id = ?', operation.id) > 0 ? done : nothing
    case 'remember':
      tables.run('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', operation.name, operation.value)
      return done
    case 'shiftTimes':
      return applyShift(tables, operation.since, operation.byMs)
    case 'adopt':
    case 'hand':
    case 'member':
    case 'memberRemove':
    case 'revision':
    case 'conflictSettle':
    case 'audit':
    case 'failover':
      return done
    default:
      return unreachable(operation)
  }
}

function applyAccept(tables: Tables, operation: Extract<Operation, { op: 'accept' }>): Applied {
  const { message, deliveries, key } = operation
  if (placeOf(tables, message.id) || tables.get('SELECT 1 FROM archive_messages WHERE id = ?', message.id)) {
    return nothing
  }
  const first = tables.nextPosition
  tables.run(
    'INSERT INTO messages (position, id, count, at, key, body_hash, document) VALUES (?, ?, ?, ?, ?, ?, ?)',
    first,
    message.id,
    deliveries.length,
    message.at,
    key?.key ?? null,
    key?.bodyHash ?? null,
    JSON.stringify(message),
  )
  deliveries.forEach((delivery, n) => {
    const { live, deadline } = columnsOf(delivery)
    tables.run(
      `INSERT INTO deliveries (position, live, priority, due, deadline, accepted, changed, document)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      first + n,
      live,
      delivery.priority,
      delivery.due,
      deadline,
      message.at,
      message.at,
      JSON.stringify(delivery),
    )
    tables.counted(null, live)
  })
  tables.nextPosition += Math.max(deliveries.length, 1)
  return done
}

/** Where a message is stored; undefined when it is not known, or archived. */
export function placeOf(tables: Tables, id: string): { position: number; count: number } | undefined {
  const row = tables.get('SELECT position, count FROM messages WHERE id = ?', id)
  return row && { position: integer(row, 'position'), count: integer(row, 'count') }
}

/** The position of a delivery; undefined when it is not known, or archived. */
export function positionOf(tables: Tables, delivery: string): number | undefined {
  const place = placeOf(tables, messageOf(delivery))
  const n = Number(delivery.slice(delivery.lastIndexOf('.') + 1))
  return place && Number.isInteger(n) && n >= 0 && n < place.count ? place.position + n : undefined
}

function applyDelivery(
  tables: Tables,
  origin: string,
  id: string,
  event: DeliveryEvent,
  at: number,
): Applied {
  let position = positionOf(tables, id)
  if (position === undefined && restoreArchived(tables, messageOf(id))) position = positionOf(tables, id)
  const row =
    position === undefined
      ? undefined
      : tables.get('SELECT document FROM deliveries WHERE position = ?', position)
  if (position === undefined || !row) return nothing
  const before: Delivery = JSON.parse(text(row, 'document'))
  const after = applyEvent(before, event, at)
  if (!after) return nothing
  store(tables, position, before, after, at)
  tables.counted(columnsOf(before).live, columnsOf(after).live)
  follow(tables, position, before, after)
  count(tables, origin, before, after, event, at)
  return done
}

/** Names only the columns that change: SQLite rewrites the index of every column that an update names. */
function store(tables: Tables, position: number, before: Delivery, after: Delivery, at: number): void {
  const old = columnsOf(before)
  const now = columnsOf(after)
  const names = ['changed = ?', 'document = ?']
  const values: (number | string | null)[] = [at, JSON.stringify(after)]
  for (const [name, from, to] of [
    ['live', old.live, now.live],
    ['deadline', old.deadline, now.deadline],
    ['due', before.due, after.due],
  ] as const) {
    if (from === to) continue
    names.push(`${name} = ?`)
    values.push(to)
  }
  tables.run(`UPDATE deliveries SET ${names.join(', ')} WHERE position = ?`, ...values, position)
}

/** Parts that a status report may still come for, as `line:reference:part`, computed from the delivery alone. */
function awaited(
  delivery: Delivery,
): Map<string, { node: string; line: string; reference: number; part: number }> {
  const parts = new Map<string, { node: string; line: string; reference: number; part: number }>()
  const { node, line } = delivery
  const open =
    delivery.state === 'submitting' ||
    delivery.state === 'queued' ||
    delivery.state === 'unknown' ||
    (delivery.state === 'sent' && delivery.reportBy !== undefined)
  if (!open || node === undefined || line === undefined) return parts
  delivery.references.forEach((reference, part) => {
    if (delivery.reported.includes(part)) return
    parts.set(JSON.stringify([node, line, reference, part]), {
      node,
      line,
      reference,
      part,
    })
  })
  return parts
}

/** Keeps the table of awaited reports in step. */
function follow(tables: Tables, position: number, before: Delivery, after: Delivery): void {
  if (before.references.length === 0 && after.references.length === 0) return
  const old = awaited(before)
  const now = awaited(after)
  for (const [name, { node, line, reference, part }] of old) {
    if (now.has(name)) continue
    tables.run(
      'DELETE FROM awaiting WHERE line = ? AND reference = ? AND position = ? AND part = ?',
      tables.line(node, line),
      reference,
      position,
      part,
    )
  }
  for (const [name, { node, line, reference, part }] of now) {
    if (old.has(name)) continue
    tables.run(
      'INSERT OR IGNORE INTO awaiting (line, reference, position, part) VALUES (?, ?, ?, ?)',
      tables.line(node, line),
      reference,
      position,
      part,
    )
  }
}

/** Totals are of deliveries: sent once each time a line got its last part through, and the state it came to. */
function count(
  tables: Tables,
  origin: string,
  before: Delivery,
  after: Delivery,
  event: DeliveryEvent,
  at: number,
): void {
  const columns: ('sent' | 'delivered' | 'failed' | 'unknown')[] = event.event === 'accepted' ? ['sent'] : []
  if (before.state !== after.state) {
    if (after.state === 'delivered' || after.state === 'failed' || after.state === 'unknown') {
      columns.push(after.state)
    }
  }
  // What failed before any line had it is counted for its member, with no line.
  for (const column of columns) addToTotals(tables, after.node ?? origin, after.line ?? '', column, at)
}

/** Moves `reportBy` as well: a wait that the wrong clock began would otherwise end at once. */
function applyShift(tables: Tables, since: number, byMs: number): Applied {
  const changed = tables.run(
    `UPDATE deliveries SET due = due + ?1, deadline = deadline + ?1,
       document = json_set(document, '$.due', due + ?1, '$.expires', document ->> '$.expires' + ?1,
         CASE live WHEN 2 THEN '$.reportBy' ELSE '$.due' END,
         CASE live WHEN 2 THEN document ->> '$.reportBy' ELSE due END + ?1)
     WHERE deadline IS NOT NULL AND accepted >= ?2`,
    byMs,
    since,
  )
  return changed > 0 ? done : nothing
}
