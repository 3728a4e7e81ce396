/**
 * Deliveries in the tables: brought in, changed by one step on top, or folded anew from the logs when a step comes late
 * (messages/fold.ts). Totals and awaited reports are kept in step with whatever a delivery becomes.
 *
 * Each delivery lists the places of the entries that it was folded from. Where some of them are not held any more, a
 * late step is taken on top, and the delivery is flagged as a possible duplicate.
 */
import {
  type Count,
  concerns,
  counted,
  fold,
  type Origin,
  type Step,
  supersede,
  take,
} from '#messages/fold.ts'
import { type Delivery, messageOf } from '#messages/message.ts'
import type { Operation } from '#messages/operation.ts'
import { beginning, compareOrders, readOrder } from '#messages/order.ts'
import { parseOperation } from '#messages/packing.ts'
import { restoreArchived } from './archive.ts'
import { clockOf, ENTRIES, type Logs, termOf } from './logs.ts'
import { columnsOf, integer, type Row, type Tables, text } from './tables.ts'
import { addToTotals } from './totals.ts'

/** A history longer than this, in characters (some 400 entries), is not kept: such a delivery is never folded anew. */
const HISTORY_MOST = 4_000
/** Stands first in a history that misses entries. */
const BROKEN = '-'
/** The history of a delivery that came with a snapshot. */
export const REPLACED = BROKEN

/** A delivery as it lies in the queue tables. */
export interface Held {
  position: number
  delivery: Delivery
  history: string
}

export function held(tables: Tables, id: string): Held | undefined {
  let position = positionOf(tables, id)
  if (position === undefined && restoreArchived(tables, messageOf(id))) position = positionOf(tables, id)
  return position === undefined ? undefined : heldAt(tables, position)
}

export function heldAt(tables: Tables, position: number): Held | undefined {
  const row = tables.get('SELECT document, history FROM deliveries WHERE position = ?', position)
  if (!row) return undefined
  const history = row['history'] === null ? BROKEN : text(row, 'history')
  return { position, delivery: JSON.parse(text(row, 'document')), history }
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

export function insertDelivery(
  tables: Tables,
  position: number,
  delivery: Delivery,
  at: number,
  history: string,
): void {
  const { live, deadline } = columnsOf(delivery)
  tables.run(
    `INSERT INTO deliveries (position, live, priority, due, deadline, accepted, changed, owner, history, document)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    position,
    live,
    delivery.priority,
    delivery.due,
    deadline,
    at,
    at,
    delivery.owner ?? null,
    history,
    JSON.stringify(delivery),
  )
  tables.counted(null, live)
}

/** Names only the columns that change: SQLite rewrites the index of every column that an update names. */
export function storeDelivery(
  tables: Tables,
  before: Held,
  after: Delivery,
  at: number,
  history: string,
): void {
  const old = columnsOf(before.delivery)
  const now = columnsOf(after)
  const names = ['changed = max(changed, ?)', 'document = ?', 'history = ?']
  const values: (number | string | null)[] = [at, JSON.stringify(after), history]
  for (const [name, from, to] of [
    ['live', old.live, now.live],
    ['deadline', old.deadline, now.deadline],
    ['due', before.delivery.due, after.due],
    ['owner', before.delivery.owner, after.owner],
  ] as const) {
    if (from === to) continue
    names.push(`${name} = ?`)
    values.push(to ?? null)
  }
  tables.run(`UPDATE deliveries SET ${names.join(', ')} WHERE position = ?`, ...values, before.position)
  tables.counted(old.live, now.live)
  follow(tables, before.position, before.delivery, after)
}

export const historyOf = (place: number): string => place.toString(36)

/** @param place undefined for a step that is in no log here any more */
function longer(history: string, place: number | undefined): string {
  const whole = place === undefined && !history.startsWith(BROKEN) ? `${BROKEN} ${history}` : history
  const grown = place === undefined ? whole : `${whole} ${place.toString(36)}`
  return grown.length > HISTORY_MOST ? BROKEN : grown
}

/** The places that a history names. */
export const placesOf = (history: string): number[] =>
  history
    .split(' ')
    .filter((word) => word !== BROKEN && word !== '')
    .map((word) => Number.parseInt(word, 36))

/** How the message of a delivery came in, as far as it is known. */
export function originOf(
  tables: Tables,
  logs: Logs,
  position: number,
): { accepted: Origin; superseded: boolean } {
  const row = tables.get(
    `SELECT at, ordering, incarnation, sequence, superseded FROM messages
     WHERE position <= ? ORDER BY position DESC LIMIT 1`,
    position,
  )
  return { accepted: readOrigin(logs, row), superseded: row?.['superseded'] === 1 }
}

function readOrigin(logs: Logs, row: Row | undefined): Origin {
  const ordering = row?.['ordering']
  const log = row && typeof row['incarnation'] === 'number' ? logs.byId(row['incarnation']) : undefined
  return {
    // What was there before there were members was accepted here.
    order: typeof ordering === 'string' ? readOrder(ordering) : { ...beginning, origin: logs.node },
    incarnation: log?.incarnation ?? '',
    sequence: row && typeof row['sequence'] === 'number' ? row['sequence'] : 0,
    at: row ? integer(row, 'at') : 0,
  }
}

/** Operations on many deliveries that are known, in order. Few: one for each takeover and correction of a clock. */
export function spans(tables: Tables): Step[] {
  return tables
    .all('SELECT ordering, at, operation FROM spans')
    .map((row) => ({
      order: readOrder(text(row, 'ordering')),
      at: integer(row, 'at'),
      operation: JSON.parse(text(row, 'operation')),
    }))
    .sort((a, b) => compareOrders(a.order, b.order))
}

/** One step for one delivery; `place` is where it stands in the log, undefined when it is not held. */
export interface Placed {
  step: Step
  place: number | undefined
}

/** Takes steps that may have come in any order. */
export function join(tables: Tables, logs: Logs, before: Held, placed: readonly Placed[]): void {
  const { accepted, superseded } = originOf(tables, logs, before.position)
  const wide = spans(tables).filter((span) => concerns(span, accepted))
  const sorted = [...placed].sort((a, b) => compareOrders(a.step.order, b.step.order))
  const lowest = sorted[0]
  if (!lowest) return
  const newest = before.delivery.latest ?? accepted.order
  const late =
    compareOrders(lowest.step.order, newest) <= 0 ||
    wide.some(({ order }) => compareOrders(order, lowest.step.order) > 0)
  const history = sorted.reduce((grown, { place }) => longer(grown, place), before.history)
  const anew =
    late && refold(tables, logs, before, sorted, { accepted, wide, from: superseded, to: superseded })
  if (anew) storeDelivery(tables, before, anew, Math.max(...sorted.map(({ step }) => step.at)), history)
  else onTop(tables, before, sorted, late ? longer(history, undefined) : history, late)
}

/** Another message with its key stands: an order lower than anything that happened to this one. */
export function joinDuplicate(tables: Tables, logs: Logs, before: Held, at: number): void {
  const { accepted } = originOf(tables, logs, before.position)
  const wide = spans(tables).filter((span) => concerns(span, accepted))
  const anew = refold(tables, logs, before, [], { accepted, wide, from: false, to: true })
  const after = anew ?? supersede(before.delivery)
  storeDelivery(tables, before, after, at, anew ? before.history : longer(before.history, undefined))
}

/** An operation on many deliveries that may have come late. */
export function joinSpan(tables: Tables, logs: Logs, before: Held, span: Step): void {
  const { accepted, superseded } = originOf(tables, logs, before.position)
  const { latest } = before.delivery
  const others = spans(tables).filter((one) => concerns(one, accepted))
  const late =
    (latest && compareOrders(span.order, latest) < 0) ||
    others.some(({ order }) => compareOrders(order, span.order) > 0)
  if (late) {
    const folding = { accepted, wide: others, from: superseded, to: superseded }
    const anew = refold(tables, logs, before, [], folding, span)
    if (anew) {
      storeDelivery(tables, before, anew, span.at, before.history)
      return
    }
  }
  const after = take(before.delivery, span)
  if (after) storeDelivery(tables, before, after, span.at, before.history)
}

/** Takes steps in their order after all that is known. */
function onTop(
  tables: Tables,
  before: Held,
  placed: readonly Placed[],
  history: string,
  flagged = false,
): void {
  let delivery = before.delivery
  let at = 0
  for (const { step } of placed) {
    const after = take(delivery, step) ?? { ...delivery }
    for (const count of counted(delivery, after, step)) add(tables, count, 1)
    if (!after.latest || compareOrders(step.order, after.latest) > 0) after.latest = step.order
    if (flagged && step.operation.op === 'delivery') after.possibleDuplicate = true
    delivery = after
    at = Math.max(at, step.at)
  }
  storeDelivery(tables, before, delivery, at, history)
}

/** Takes one step of the own log: it comes after everything. @returns false when the delivery does not allow it */
export function takeOwn(tables: Tables, before: Held, step: Step, place: number): boolean {
  const after = take(before.delivery, step)
  if (!after) return false
  for (const count of counted(before.delivery, after, step)) add(tables, count, 1)
  after.latest = step.order
  storeDelivery(tables, before, after, step.at, longer(before.history, place))
  return true
}

interface Folding {
  accepted: Origin
  wide: readonly Step[]
  /** Whether it was, and is, superseded by another message with its key. */
  from: boolean
  to: boolean
}

/**
 * @param span an operation on many that was not known before
 * @returns undefined when part of what it was folded from is not held any more
 */
function refold(
  tables: Tables,
  logs: Logs,
  before: Held,
  added: readonly Placed[],
  { accepted, wide, from, to }: Folding,
  span?: Step,
): Delivery | undefined {
  const known = stepsOf(tables, logs, before)
  if (!known || added.some(({ place }) => place === undefined)) return undefined
  const steps = [...known.steps, ...added.map(({ step }) => step)]
  const old = fold(known.start, from, [...known.steps, ...wide])
  const anew = fold(known.start, to, [...steps, ...wide, ...(span ? [span] : [])])
  for (const count of old.counts) add(tables, count, -1)
  for (const count of anew.counts) add(tables, count, 1)
  const latest = steps.reduce(
    (high, { order }) => (compareOrders(order, high) > 0 ? order : high),
    accepted.order,
  )
  return { ...anew.delivery, latest }
}

/** Everything that a delivery was folded from, read from the logs; undefined when something of it is gone. */
function stepsOf(
  tables: Tables,
  logs: Logs,
  { delivery, history }: Held,
): { start: Delivery; steps: Step[] } | undefined {
  if (history.startsWith(BROKEN)) return undefined
  let start: Delivery | undefined
  const steps: Step[] = []
  for (const place of placesOf(history)) {
    const row = tables.get(`${ENTRIES} WHERE place = ?`, place)
    const operation = row && parsed(text(row, 'operation'))
    if (operation?.op === 'accept') {
      start = operation.deliveries.find(({ id }) => id === delivery.id)
      continue
    }
    const step = stepAt(tables, logs, place, delivery.id)
    if (!step) return undefined
    steps.push(step)
  }
  return start && { start, steps }
}

/** The step for a delivery that stands in the log; undefined when the entry is gone. */
export function stepAt(tables: Tables, logs: Logs, place: number, delivery: string): Step | undefined {
  const log = logs.at(place)
  const row = tables.get(`${ENTRIES} WHERE place = ?`, place)
  if (!row || !log) return undefined
  const operation = parsed(text(row, 'operation'))
  if (operation.op !== 'delivery' && operation.op !== 'hand') return undefined
  if (operation.delivery !== delivery) return undefined
  const order = { term: termOf(row), clock: clockOf(row), origin: log.origin }
  return { order, at: integer(row, 'at'), operation }
}

let parsedLast: { text: string; operation: Operation } | undefined

/** The deliveries of one acceptance, which may be thousands, are often folded one after the other. */
function parsed(text: string): Operation {
  if (parsedLast?.text !== text) parsedLast = { text, operation: parseOperation(text) }
  return parsedLast.operation
}

const add = (tables: Tables, { node, line, column, at }: Count, by: number): void =>
  addToTotals(tables, { node, line, column, at }, by)

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
    parts.set(JSON.stringify([node, line, reference, part]), { node, line, reference, part })
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

/** What a delivery inserted as it is awaits: a snapshot brings some in the middle of their life. */
export const followNew = (tables: Tables, position: number, delivery: Delivery): void =>
  follow(tables, position, { ...delivery, references: [] }, delivery)
