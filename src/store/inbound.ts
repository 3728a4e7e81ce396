/**
 * Received parts become inbox entries. A part is kept once (by fingerprint) and belongs to one entry from the moment
 * it comes; the entry shows in the inbox when it is complete, or when the wait for the rest has ended.
 *
 * Concatenation references come round again, some senders use one reference for ever (3GPP TS 23.040 9.2.3.24.1 asks
 * only that it differ between messages of a kind). So a part joins an entry only where its number is still missing and
 * the service centre had both within a day of each other; otherwise it begins a new entry. Nothing is ever swallowed.
 */
import { createHash } from 'node:crypto'
import type { InboundPart, InboxEntry } from '#messages/inbound.ts'
import { assemble, groupOf } from '#messages/reassembly.ts'
import { type Tables, text } from './tables.ts'
import { addToTotals } from './totals.ts'

const DAY_MS = 86_400_000

export interface Applied {
  /** False when the operation changed nothing: it was known already, or the state does not allow it. */
  changed: boolean
  /** The inbox entry that an inbound operation completed or amended. */
  entry?: InboxEntry
}

export function applyInbound(tables: Tables, part: InboundPart): Applied {
  if (tables.get('SELECT 1 FROM inbound WHERE fingerprint = ?', part.fingerprint)) return { changed: false }
  const group = groupOf(part)
  const entry = entryFor(tables, group, part) ?? entryId(part)
  tables.run(
    'INSERT INTO inbound (fingerprint, parts_of, entry, at, document) VALUES (?, ?, ?, ?, ?)',
    part.fingerprint,
    group,
    entry,
    part.at,
    JSON.stringify(part),
  )
  const shown = tables.get('SELECT revision FROM inbox WHERE id = ?', entry)
  const parts = partsOf(tables, group, entry)
  if (shown || assemble(parts).complete) return { changed: true, entry: show(tables, entry, parts) }
  tables.run(
    'INSERT OR REPLACE INTO inbound_waiting (entry, parts_of, newest) VALUES (?, ?, ?)',
    entry,
    group,
    part.at,
  )
  return { changed: true }
}

/** Shows an entry although parts are missing. */
export function applyPartial(tables: Tables, entry: string): Applied {
  const waiting = tables.get('SELECT parts_of FROM inbound_waiting WHERE entry = ?', entry)
  if (!waiting) return { changed: false }
  return {
    changed: true,
    entry: show(tables, entry, partsOf(tables, text(waiting, 'parts_of'), entry)),
  }
}

/** Entries whose newest part came before `olderThan` and that nobody has seen yet. */
export function waitingEntries(tables: Tables, olderThan: number): string[] {
  return tables
    .all('SELECT entry FROM inbound_waiting WHERE newest < ? ORDER BY newest, entry', olderThan)
    .map((row) => text(row, 'entry'))
}

function partsOf(tables: Tables, group: string, entry: string): InboundPart[] {
  return tables
    .all('SELECT document FROM inbound WHERE parts_of = ? AND entry = ? ORDER BY position', group, entry)
    .map((row): InboundPart => JSON.parse(text(row, 'document')))
}

/** The entry that misses this part: of several the one nearest in service-centre time, then the first. */
function entryFor(tables: Tables, group: string, part: InboundPart): string | undefined {
  const number = part.concatenation?.part
  if (number === undefined) return undefined
  const entries = new Map<string, { gap: number; taken: boolean }>()
  for (const row of tables.iterate(
    'SELECT entry, document FROM inbound WHERE parts_of = ? ORDER BY position',
    group,
  )) {
    const other: InboundPart = JSON.parse(text(row, 'document'))
    const known = entries.get(text(row, 'entry')) ?? {
      gap: Number.POSITIVE_INFINITY,
      taken: false,
    }
    known.gap = Math.min(known.gap, Math.abs(other.sentAt - part.sentAt))
    known.taken ||= other.concatenation?.part === number
    entries.set(text(row, 'entry'), known)
  }
  let best: string | undefined
  let bestGap = DAY_MS
  for (const [entry, { gap, taken }] of entries) {
    if (!taken && gap < bestGap) {
      best = entry
      bestGap = gap
    }
  }
  return best
}

function show(tables: Tables, id: string, parts: readonly InboundPart[]): InboxEntry {
  const first = parts.reduce((a, b) => (b.at < a.at ? b : a))
  const { text: whole, complete, total, received } = assemble(parts)
  const before = tables.number('SELECT revision FROM inbox WHERE id = ?', id)
  const entry: InboxEntry = {
    id,
    node: first.node,
    line: first.line,
    from: first.from,
    sentAt: first.sentAt,
    at: first.at,
    text: whole,
    complete,
    parts: { total, received },
    revision: before === undefined ? 0 : before + 1,
  }
  if (before === undefined) addToTotals(tables, entry.node, entry.line, 'received', entry.at)
  tables.run(
    `INSERT INTO inbox (id, at, revision, document) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (id) DO UPDATE SET revision = ?3, document = ?4`,
    id,
    entry.at,
    entry.revision,
    JSON.stringify(entry),
  )
  tables.run('DELETE FROM inbound_waiting WHERE entry = ?', id)
  return entry
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
