/**
 * Received parts become inbox entries. A part is kept once (by fingerprint) and belongs to one entry from the moment
 * it comes; the entry shows in the inbox when it is complete, or when the wait for the rest has ended.
 *
 * Which part joins which entry follows from the order of the log entries (messages/grouping.ts): what comes late from
 * another member's log makes its group be put together anew, so that every member has the same inbox.
 */
import { createHash } from 'node:crypto'
import { Group, type Grouped, type GroupStep } from '#messages/grouping.ts'
import type { InboundPart, InboxEntry } from '#messages/inbound.ts'
import type { Operation } from '#messages/operation.ts'
import { beginning, compareOrders, type Order, orderText, readOrder } from '#messages/order.ts'
import { groupOf } from '#messages/reassembly.ts'
import { type Row, type Tables, text } from './tables.ts'
import { addToTotals } from './totals.ts'

export interface Applied {
  /** False when the operation changed nothing: it was known already, or the state does not allow it. */
  changed: boolean
  /** The inbox entry that an inbound operation completed or amended. */
  entry?: InboxEntry
  /** The operation as it is to be logged, where that is decided when it is applied. */
  written?: Operation
}

interface InboundEntry {
  order: Order
  at: number
  own: boolean
}

export function applyInbound(tables: Tables, part: InboundPart, { order, own }: InboundEntry): Applied {
  const known = tables.get(
    'SELECT ordering, parts_of, document FROM inbound WHERE fingerprint = ?',
    part.fingerprint,
  )
  if (known && (own || compareOrders(orderOf(known), order) <= 0)) return { changed: false }
  const group = groupOf(part)
  // The same part in two logs: the earlier one stands.
  if (known) forget(tables, JSON.parse(text(known, 'document')), text(known, 'parts_of'))
  if (!own || part.call !== undefined) {
    insert(tables, part, group, entryId(part), order)
    regroup(tables, group)
    // Of a fax that is fuller in the inbox already nothing is told.
    const shown = own && tables.get('SELECT document FROM inbox WHERE id = ?', entryId(part))
    return { changed: true, ...(shown ? { entry: JSON.parse(text(shown, 'document')) } : {}) }
  }
  const gathered = load(tables, group)
  const grouped = gathered.add(part, entryId(part))
  insert(tables, part, group, grouped.id, order)
  const entry = keep(tables, group, grouped)
  return { changed: true, ...(entry === undefined ? {} : { entry }) }
}

/** Takes a part out as if it had never come; its group is put together anew. */
function forget(tables: Tables, part: InboundPart, group: string): void {
  tables.run('DELETE FROM inbound WHERE fingerprint = ?', part.fingerprint)
  const id = entryId(part)
  hide(tables, id)
  for (const other of partsOf(tables, group)) {
    if (other.entry !== id) continue
    tables.run(
      'UPDATE inbound SET entry = ? WHERE fingerprint = ?',
      entryId(other.part),
      other.part.fingerprint,
    )
  }
  regroup(tables, group)
}

/** Shows an entry although parts are missing. */
export function applyPartial(tables: Tables, id: string, { order, at, own }: InboundEntry): Applied {
  const waiting = tables.get('SELECT parts_of FROM inbound_waiting WHERE entry = ?', id)
  if (own && !waiting) return { changed: false }
  tables.run(
    'INSERT OR IGNORE INTO partials (entry, ordering, at) VALUES (?, ?, ?)',
    id,
    orderText(order),
    at,
  )
  const group = waiting ?? tables.get('SELECT parts_of FROM inbound WHERE entry = ? LIMIT 1', id)
  if (!group) return { changed: true }
  const name = text(group, 'parts_of')
  if (!own) {
    regroup(tables, name)
    return { changed: true }
  }
  const grouped = load(tables, name).show(id)
  const entry = grouped && keep(tables, name, grouped)
  return { changed: true, ...(entry === undefined ? {} : { entry }) }
}

/** Entries whose newest part came before `olderThan` and that nobody has seen yet. */
export function waitingEntries(tables: Tables, olderThan: number): string[] {
  return tables
    .all('SELECT entry FROM inbound_waiting WHERE newest < ? ORDER BY newest, entry', olderThan)
    .map((row) => text(row, 'entry'))
}

function insert(tables: Tables, part: InboundPart, group: string, entry: string, order: Order): void {
  tables.run(
    'INSERT INTO inbound (fingerprint, parts_of, entry, at, ordering, document) VALUES (?, ?, ?, ?, ?, ?)',
    part.fingerprint,
    group,
    entry,
    part.at,
    orderText(order),
    JSON.stringify(part),
  )
}

const orderOf = (row: Row): Order => (row['ordering'] === null ? beginning : readOrder(text(row, 'ordering')))

interface Kept {
  part: InboundPart
  entry: string
  order: Order
}

const partsOf = (tables: Tables, group: string): Kept[] =>
  tables
    .all('SELECT entry, ordering, document FROM inbound WHERE parts_of = ? ORDER BY position', group)
    .map((row) => ({
      part: JSON.parse(text(row, 'document')),
      entry: text(row, 'entry'),
      order: orderOf(row),
    }))
    .sort((a, b) => compareOrders(a.order, b.order))

/** A group as it stands. */
function load(tables: Tables, name: string): Group {
  const group = new Group()
  for (const { part, entry } of partsOf(tables, name)) group.put(part, entry)
  for (const grouped of group.entries()) {
    const revision = tables.number('SELECT revision FROM inbox WHERE id = ?', grouped.id)
    if (revision !== undefined) grouped.revision = revision
  }
  return group
}

/**
 * Puts a group together anew, in the order of its log entries. Entries whose first part is so old that it was dropped
 * stay as they are.
 */
export function regroup(tables: Tables, name: string): void {
  const all = partsOf(tables, name)
  const founders = new Set(all.map(({ part }) => entryId(part)))
  const steps: (GroupStep & { order: Order })[] = []
  for (const { part, entry, order } of all) {
    if (founders.has(entry)) steps.push({ part, id: entryId(part), order })
  }
  for (const id of founders) {
    for (const row of tables.all('SELECT ordering FROM partials WHERE entry = ?', id)) {
      steps.push({ shown: id, order: orderOf(row) })
    }
  }
  steps.sort((a, b) => compareOrders(a.order, b.order))
  const group = Group.of(steps)
  const after = new Map([...group.entries()].map((grouped) => [grouped.id, grouped]))
  for (const id of founders) {
    if (!after.has(id)) hide(tables, id)
  }
  for (const grouped of after.values()) {
    for (const { fingerprint } of grouped.parts) {
      tables.run(
        'UPDATE inbound SET entry = ? WHERE fingerprint = ? AND entry <> ?',
        grouped.id,
        fingerprint,
        grouped.id,
      )
    }
    keep(tables, name, grouped)
  }
}

function hide(tables: Tables, id: string): void {
  tables.run('DELETE FROM inbound_waiting WHERE entry = ?', id)
  const shown = tables.get('SELECT document FROM inbox WHERE id = ?', id)
  if (!shown) return
  countReceived(tables, JSON.parse(text(shown, 'document')), -1)
  tables.run('DELETE FROM inbox WHERE id = ?', id)
}

const countReceived = (tables: Tables, { node, line, at }: InboxEntry, by: number): void =>
  addToTotals(tables, { node, line, column: 'received', at }, by)

/** Stores what a group made of an entry. @returns the entry when it is shown */
function keep(tables: Tables, group: string, grouped: Grouped): InboxEntry | undefined {
  const entry = Group.shown(grouped)
  if (!entry) {
    hide(tables, grouped.id)
    tables.run(
      'INSERT OR REPLACE INTO inbound_waiting (entry, parts_of, newest) VALUES (?, ?, ?)',
      grouped.id,
      group,
      Math.max(...grouped.parts.map(({ at }) => at)),
    )
    return undefined
  }
  showEntry(tables, entry)
  return entry
}

function showEntry(tables: Tables, entry: InboxEntry): void {
  const document = JSON.stringify(entry)
  const before = tables.get('SELECT document FROM inbox WHERE id = ?', entry.id)
  tables.run('DELETE FROM inbound_waiting WHERE entry = ?', entry.id)
  if (before && text(before, 'document') === document) return
  if (before) countReceived(tables, JSON.parse(text(before, 'document')), -1)
  countReceived(tables, entry, 1)
  tables.run(
    `INSERT INTO inbox (id, at, revision, document) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (id) DO UPDATE SET at = ?2, revision = ?3, document = ?4`,
    entry.id,
    entry.at,
    entry.revision,
    document,
  )
}

/** A UUID version 7 that follows from the part, so that every member that applies it names the entry alike. */
function entryId(part: InboundPart): string {
  const bytes = createHash('sha256').update(part.fingerprint).digest().subarray(0, 16)
  bytes.writeUIntBE(part.at, 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
