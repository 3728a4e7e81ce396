/** Questions that change nothing. Documents are handed on as they are stored, without being read on the way. */
import type { Delivery, Message } from '#messages/message.ts'
import type { InboxFactsQuery, ReportMatch, TokenEntry } from './contract.ts'
import { SHOWN } from './contract.ts'
import type { Slice } from './protocol.ts'
import { integer, type Row, type Tables, text } from './tables.ts'

const sources = [
  { messages: 'messages', deliveries: 'deliveries' },
  { messages: 'archive_messages', deliveries: 'archive_deliveries' },
] as const
type Source = (typeof sources)[number]

/** Deliveries that a listing shows of one message. */
const LISTED = 100

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

/** One message may have 60,000 of them: more than fit into a small heap at a time. */
function deliveriesOf(tables: Tables, source: Source, row: Row, from: number, limit: number): string[] {
  const position = integer(row, 'position')
  return tables
    .all(
      `SELECT document FROM ${source.deliveries} WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`,
      position + from,
      position + integer(row, 'count'),
      limit,
    )
    .map((delivery) => text(delivery, 'document'))
}

function view(row: Row, deliveries: readonly string[]): string {
  const count = integer(row, 'count')
  const more = count > deliveries.length ? `,"count":${count}` : ''
  return `{"message":${text(row, 'document')},"deliveries":[${deliveries.join(',')}]${more}}`
}

/**
 * One slice of a listing, newest first.
 * @returns a Page<MessageView> as JSON; `next` is the last message looked at, absent when there are no more
 */
export function messages(tables: Tables, slice: Slice): string {
  let before = Number.MAX_SAFE_INTEGER
  if (slice.after !== undefined) {
    const start = positionAt(tables, slice.after)
    if (start === undefined) return '{"items":[]}'
    before = start
  }
  const items: string[] = []
  let last: string | undefined
  const rows = newest(tables, before, slice.rows + 1)
  for (const [n, { row, source }] of rows.entries()) {
    if (n === slice.rows || items.length === slice.limit) {
      return page(items, last)
    }
    last = text(row, 'id')
    const found = match(tables, source, row, slice)
    if (found) items.push(view(row, found))
  }
  return page(items, undefined)
}

const page = (items: readonly string[], next: string | undefined): string =>
  `{"items":[${items.join(',')}]${next === undefined ? '' : `,"next":${JSON.stringify(next)}`}}`

/** Ids sort by time: where the message itself is gone, the page goes on below it. */
function positionAt(tables: Tables, id: string): number | undefined {
  let position: number | undefined
  for (const { messages } of sources) {
    const found = tables.number(`SELECT position FROM ${messages} WHERE id = ?`, id)
    if (found !== undefined) return found
    const below = tables.number(`SELECT position FROM ${messages} WHERE id < ? ORDER BY id DESC LIMIT 1`, id)
    if (below !== undefined) position = Math.max(position ?? 0, below + 1)
  }
  return position
}

/** Positions are shared by both sets of tables, so the newest of both is the newest of each, merged. */
function newest(tables: Tables, before: number, limit: number): { row: Row; source: Source }[] {
  return sources
    .flatMap((source) =>
      tables
        .all(
          `SELECT position, id, count, document FROM ${source.messages} WHERE position < ? ORDER BY position DESC LIMIT ?`,
          before,
          limit,
        )
        .map((row) => ({ row, source })),
    )
    .sort((a, b) => integer(b.row, 'position') - integer(a.row, 'position'))
    .slice(0, limit)
}

/** The deliveries of a message that the query wants, as JSON texts; undefined when it does not want the message. */
function match(tables: Tables, source: Source, row: Row, query: Slice): string[] | undefined {
  if (query.tag !== undefined || query.search !== undefined) {
    const asked: Message = JSON.parse(text(row, 'document'))
    if (query.tag !== undefined && asked.tag !== query.tag) return undefined
    if (query.search !== undefined && !asked.text.toLowerCase().includes(query.search.toLowerCase())) {
      return undefined
    }
  }
  const shown = () => deliveriesOf(tables, source, row, 0, LISTED)
  if (query.state === undefined && query.to === undefined) return shown()
  const count = integer(row, 'count')
  for (let from = 0; from < count; from += SHOWN) {
    const wanted = deliveriesOf(tables, source, row, from, SHOWN).some((document) => {
      const delivery: Delivery = JSON.parse(document)
      return (
        (query.state === undefined || delivery.state === query.state) &&
        (query.to === undefined || sameNumber(delivery.to, query.to))
      )
    })
    if (wanted) return shown()
  }
  return undefined
}

/** How many digits two spellings of one number must share: national ones lack the prefix, some have a zero in front. */
const DIGITS = 9
/** A national number without its zero may be shorter than that, but a short code is never a part of a number. */
const SHORTEST = 6

export function sameNumber(a: string, b: string): boolean {
  const [one, other] = [a, b].map((number) => number.replace(/\D/g, '').replace(/^0+/, ''))
  if (one === undefined || other === undefined) return false
  if (one === other) return true
  const shared = Math.min(DIGITS, one.length, other.length)
  return shared >= SHORTEST && one.slice(-shared) === other.slice(-shared)
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
