/** Questions that change nothing. Documents are handed on as they are stored, without being read on the way. */
import type { Delivery } from '#messages/message.ts'
import type { InboxFactsQuery, ReportMatch, TokenEntry } from './contract.ts'
import { SHOWN } from './contract.ts'
import { deliveriesOf, page, sameNumber, sources, view } from './listing.ts'
import { integer, type Tables, text } from './tables.ts'

/**
 * @param from the first of its deliveries that is wanted, from 0; at most SHOWN come
 * @returns a MessageView as JSON, from the queue tables or the archive; `null` when it is in neither
 */
export function message(tables: Tables, id: string, from = 0): string {
  for (const source of sources) {
    const row = tables.get(`SELECT position, count, document FROM ${source.messages} WHERE id = ?`, id)
    if (row) return view(row, deliveriesOf(tables, source, row, from, SHOWN))
  }
  return 'null'
}

/** Several parts may carry one reference (it has 8 bits): the newest one to that number is meant. */
export function matchReport(
  tables: Tables,
  report: { node: string; line: string; reference: number; to: string },
): ReportMatch | null {
  const rows = tables.iterate(
    `SELECT awaiting.position AS position, part, document
     FROM lines JOIN awaiting ON awaiting.line = lines.id
     JOIN deliveries ON deliveries.position = awaiting.position
     WHERE lines.node = ? AND lines.line = ? AND reference = ? ORDER BY awaiting.position DESC, part DESC`,
    report.node,
    report.line,
    report.reference,
  )
  for (const row of rows) {
    const delivery: Delivery = JSON.parse(text(row, 'document'))
    if (sameNumber(delivery.to, report.to)) return { delivery: delivery.id, part: integer(row, 'part') }
  }
  return null
}

/** @returns a Page<InboxEntry> as JSON */
export function inbox(tables: Tables, query: { limit: number; after?: string }): string {
  const before =
    query.after === undefined
      ? Number.MAX_SAFE_INTEGER
      : (tables.number('SELECT position FROM inbox WHERE id = ?', query.after) ?? 0)
  const rows = tables.all(
    'SELECT id, document FROM inbox WHERE position < ? ORDER BY position DESC LIMIT ?',
    before,
    query.limit + 1,
  )
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  return page(
    shown.map((row) => text(row, 'document')),
    rows.length > query.limit && last ? text(last, 'id') : undefined,
  )
}

/** @returns an InboxEntry as JSON, or null */
export function inboxEntry(tables: Tables, id: string): string {
  const row = tables.get('SELECT document FROM inbox WHERE id = ?', id)
  return row === undefined ? 'null' : text(row, 'document')
}

export function received(tables: Tables, beginning: string): boolean {
  // No character is greater than the last one that there is.
  const next = `${beginning}\u{10ffff}`
  return (
    tables.get(
      'SELECT 1 FROM inbound WHERE fingerprint >= ? AND fingerprint < ? LIMIT 1',
      beginning,
      next,
    ) !== undefined
  )
}

/** Entries that one look takes in, so that deliveries get in between looks at a large inbox. */
const INBOX_LOOK = 1_000

/** @returns InboxFacts as JSON */
export function inboxFacts(tables: Tables, { after, containing, orNone }: InboxFactsQuery): string {
  // Entries that were taken out leave gaps, which cost nothing here.
  const next = tables.number(
    'SELECT max(position) FROM (SELECT position FROM inbox WHERE position > ? ORDER BY position LIMIT ?)',
    after,
    INBOX_LOOK,
  )
  if (next === undefined) return '{"items":[]}'
  const rows = tables.all(
    `SELECT inbox.document, facts.value FROM inbox LEFT JOIN facts ON facts.name = 'inbound:' || inbox.id
     WHERE position > ?1 AND position <= ?2 AND CASE WHEN facts.value IS NULL THEN ?4 ELSE instr(facts.value, ?3) END
     ORDER BY position`,
    after,
    next,
    containing,
    orNone ? 1 : 0,
  )
  const items = rows.map((row) => {
    const fact = row['value'] === null ? '' : `,"fact":${JSON.stringify(text(row, 'value'))}`
    return `{"entry":${text(row, 'document')}${fact}}`
  })
  return `{"items":[${items.join(',')}],"next":${next}}`
}

/** Messages that one look takes in. */
const CALLBACK_LOOK = 500

/** @returns Callbacks as JSON */
export function callbacks(tables: Tables, after: number, settled: string): string {
  const rows = tables.all(
    `SELECT position, id, value FROM messages LEFT JOIN facts ON facts.name = 'callback:' || messages.id
     WHERE instr(document, '"callback":{') > 0 AND position > ? ORDER BY position LIMIT ?`,
    after,
    CALLBACK_LOOK,
  )
  const items = rows
    .filter((row) => row['value'] !== settled)
    .map((row) => ({ id: text(row, 'id'), ...(row['value'] === null ? {} : { told: text(row, 'value') }) }))
  const last = rows.at(-1)
  return JSON.stringify({ items, ...(last === undefined ? {} : { next: integer(last, 'position') }) })
}

export function tokens(tables: Tables): TokenEntry[] {
  return tables.all('SELECT document, last_used FROM tokens ORDER BY id').map((row) => ({
    ...JSON.parse(text(row, 'document')),
    ...(row['last_used'] === null ? {} : { lastUsedAt: integer(row, 'last_used') }),
  }))
}

/** The message that an idempotency key made since `since`, as a row of id and body_hash. */
export function keyed(
  tables: Tables,
  key: string,
  since: number,
): { id: string; bodyHash: string } | undefined {
  const row = tables.get(
    'SELECT id, body_hash FROM messages WHERE key = ? AND at > ? ORDER BY position DESC LIMIT 1',
    key,
    since,
  )
  return row && { id: text(row, 'id'), bodyHash: text(row, 'body_hash') }
}
