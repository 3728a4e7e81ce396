/**
 * Takes in entries of other members' logs, and lost ones of own earlier incarnations: each is kept as it is, so that it
 * can be passed on, and applied as far as this version understands it. All within the transaction of its batch.
 */
import { CodedError } from '#core/errors.ts'
import type { Operation, Term } from '#messages/operation.ts'
import { readOperation } from '#messages/received.ts'
import { applyOperation } from './apply.ts'
import type { LogBatch, Merged, MergeResult } from './contract.ts'
import type { EntryHead, Log } from './log.ts'
import type { KnownLog, Logs } from './logs.ts'
import { primaryCode } from './sqlite-errors.ts'
import type { Tables } from './tables.ts'

/** SQLite's SQLITE_CONSTRAINT: the entry does not fit into the tables, whatever the disk does. */
const CONSTRAINT = 19

export const noChange = (): Merged => ({
  queue: false,
  tokens: false,
  users: false,
  members: false,
  revisions: false,
  inbox: false,
  facts: false,
  audit: false,
  failover: [],
})

/**
 * @param merged is told what changed
 * @throws CodedError `log-malformed` when the batch itself cannot be read; nothing is changed then
 */
export function merge(tables: Tables, logs: Logs, log: Log, batch: LogBatch, merged: Merged): MergeResult {
  const { origin, incarnation, from, count } = batch
  const known = logs.get(incarnation) ?? logs.fresh(origin, incarnation)
  const position = () => ({ origin: known.origin, incarnation, sequence: known.last })
  if (from > known.last + 1) return { result: 'gap', position: position() }
  // What was written here just now and is not on the disk yet is known as well.
  if (from + count - 1 <= known.last) return { result: 'merged', position: position() }
  const entries = readBatch(batch)
  for (const entry of entries.slice(known.last + 1 - from)) {
    mergeEntry(tables, logs, log, known, entry, merged)
  }
  return { result: 'merged', position: position() }
}

function readBatch({ origin, entries, from, count }: LogBatch): unknown[] {
  let read: unknown
  try {
    read = JSON.parse(entries)
  } catch (error) {
    throw new CodedError('log-malformed', `log entries of ${origin} cannot be read`, { cause: error })
  }
  if (!Array.isArray(read) || read.length !== count || !Number.isSafeInteger(from) || from < 1) {
    throw new CodedError('log-malformed', `log entries of ${origin} are not the ones announced`)
  }
  return read
}

function mergeEntry(
  tables: Tables,
  logs: Logs,
  log: Log,
  known: KnownLog,
  entry: unknown,
  merged: Merged,
): void {
  const { head, body, operation } = readEntry(entry)
  const place = log.keep(known, head, body)
  if (!operation) return
  tables.runVolatile('SAVEPOINT entry')
  try {
    const { term, clock, at } = head
    const order = { term, clock, origin: known.origin }
    const sequence = known.last
    const placed = { order, log: known, sequence, place, at, operation, own: false }
    const { changed } = applyOperation(tables, logs, placed)
    tables.runVolatile('RELEASE entry')
    if (changed) note(merged, known.origin, at, operation)
  } catch (error) {
    // The entry is kept, and what it did is taken back; a log must not end at an entry that does not fit.
    if (!isItsOwn(error)) throw error
    tables.runVolatile('ROLLBACK TO entry')
    tables.runVolatile('RELEASE entry')
    tables.reload()
  }
}

/** Whether the entry is at fault, and not the disk or the database. */
function isItsOwn(error: unknown): boolean {
  if (error instanceof CodedError) return false
  const code = primaryCode(error)
  return code === undefined ? error instanceof TypeError || error instanceof RangeError : code === CONSTRAINT
}

/** An entry that cannot be read takes its number and is passed on, in a form in which nobody applies it. */
function readEntry(entry: unknown): { head: EntryHead; body: string; operation: Operation | undefined } {
  const fields: Record<string, unknown> =
    typeof entry === 'object' && entry !== null ? { ...entry } : { operation: entry }
  const term = readTerm(fields['term'])
  const count = (value: unknown) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
  const clock = count(fields['clock'])
  const at = count(fields['at'])
  if (term === undefined || clock === undefined || at === undefined) {
    const head = { term: term ?? { counter: 0, node: '' }, clock: clock ?? 0, at: at ?? 0 }
    return { head, body: JSON.stringify({ op: 'unreadable', entry }), operation: undefined }
  }
  const { operation } = fields
  return {
    head: { term, clock, at },
    body: JSON.stringify(operation ?? null),
    operation: readOperation(operation),
  }
}

function readTerm(value: unknown): Term | undefined {
  if (typeof value !== 'object' || value === null || !('counter' in value) || !('node' in value))
    return undefined
  const { counter, node } = value
  if (typeof counter !== 'number' || !Number.isSafeInteger(counter) || counter < 0) return undefined
  return typeof node === 'string' ? { counter, node } : undefined
}

function note(merged: Merged, origin: string, at: number, operation: Operation): void {
  switch (operation.op) {
    case 'accept':
    case 'delivery':
    case 'hand':
    case 'adopt':
    case 'shiftTimes':
      merged.queue = true
      break
    case 'tokenCreate':
    case 'tokenRevoke':
      merged.tokens = true
      break
    case 'userSave':
    case 'userRemove':
    case 'sessionSave':
    case 'sessionEnd':
      merged.users = true
      break
    case 'member':
    case 'memberRemove':
      merged.members = true
      break
    case 'revision':
    case 'conflictSettle':
      merged.revisions = true
      break
    case 'inbound':
    case 'inboundPartial':
      merged.inbox = true
      break
    case 'remember':
      merged.facts = true
      break
    case 'audit':
      merged.audit = true
      break
    case 'failover':
      merged.failover.push({ origin, at, text: operation.text })
      break
    default:
      break
  }
}
