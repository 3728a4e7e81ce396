/**
 * Messages page by page, newest first, from the queue tables and the archive as one. Positions are shared by both, so a
 * page is a walk down the positions.
 *
 * A slice looks at a bounded number of rows, and every walk goes along an index, so that a page costs the same with a
 * hundred messages or a hundred thousand. What has no index (text, number, tag, source, line) is looked for row by row;
 * the caller goes on slice by slice, and writes get in between.
 */
import type { Delivery, Message } from '#messages/message.ts'
import type { DeliveryState } from '#messages/states.ts'
import { type ListQuery, SHOWN, type StateCounts } from './contract.ts'
import type { Slice, Span } from './protocol.ts'
import { integer, live, type Row, type Tables, text } from './tables.ts'

export const sources = [
  { messages: 'messages', deliveries: 'deliveries', archived: false },
  { messages: 'archive_messages', deliveries: 'archive_deliveries', archived: true },
] as const
type Source = (typeof sources)[number]

/** Deliveries that a listing shows of one message. */
const LISTED = 100
const TOP = Number.MAX_SAFE_INTEGER

/** Beginnings of queries that walk the deliveries down, each along the index that fits. */
const STATE = "json_extract(document, '$.state')"
const QUEUE_ENDED = `SELECT position, document FROM deliveries INDEXED BY deliveries_ended
  WHERE live IS NULL AND ${STATE} = ? AND position < ? AND position >= ? ORDER BY position DESC LIMIT ?`
const QUEUE_LIVE = `SELECT position, document FROM deliveries INDEXED BY deliveries_live
  WHERE live = ? AND position < ? AND position >= ? ORDER BY position DESC LIMIT ?`
const ARCHIVED = `SELECT position, document FROM archive_deliveries INDEXED BY archive_deliveries_state
  WHERE ${STATE} = ? AND position < ? AND position >= ? ORDER BY position DESC LIMIT ?`
const whole = (table: string) =>
  `SELECT position, document FROM ${table} WHERE position < ? AND position >= ? ORDER BY position DESC LIMIT ?`

/**
 * One slice of a listing.
 * @returns a Page<MessageView> as JSON; `next` is where the walk goes on (a message, or a delivery of one that has
 * more), absent when there is nothing more to look at
 */
export function messages(tables: Tables, slice: Slice): string {
  const start = slice.after === undefined ? TOP : positionAt(tables, slice.after)
  if (start === undefined) return page([], undefined)
  const span = { from: slice.from ?? 0, before: Math.min(start, slice.before ?? TOP) }
  const { state, to, line, channel } = slice
  const byDelivery = [state, to, line, channel].some((filter) => filter !== undefined)
  return byDelivery ? walkDeliveries(tables, slice, span) : walkMessages(tables, slice, span)
}

export const page = (items: readonly string[], next: string | undefined): string =>
  `{"items":[${items.join(',')}]${next === undefined ? '' : `,"next":${JSON.stringify(next)}`}}`

/**
 * Positions between which all messages of a time lie. One that came late from another member lies above its time, so
 * every message of the time counts, along the index of times (+ keeps SQLite from walking the table instead).
 */
export function spanOf(tables: Tables, since: number | undefined, until: number | undefined): Span {
  const extreme = (which: 'min' | 'max', comparison: string, at: number) =>
    sources.flatMap(
      ({ messages: table }) =>
        tables.number(
          `SELECT ${which}(+position) FROM ${table} INDEXED BY ${table}_at WHERE at ${comparison} ?`,
          at,
        ) ?? [],
    )
  const from = since === undefined ? 0 : Math.min(TOP, ...extreme('min', '>=', since))
  const before = until === undefined ? TOP : Math.max(0, ...extreme('max', '<', until)) + 1
  return { from, before }
}

function walkMessages(tables: Tables, slice: Slice, { from, before }: Span): string {
  const items: string[] = []
  let last: string | undefined
  const rows = merged(wanted(slice), slice.rows + 1, (source) =>
    tables.all(
      `SELECT position, id, count, at, document FROM ${source.messages}
       WHERE position < ? AND position >= ? ORDER BY position DESC LIMIT ?`,
      before,
      from,
      slice.rows + 1,
    ),
  )
  for (const [n, { row, source }] of rows.entries()) {
    if (n === slice.rows || items.length === slice.limit) return page(items, last)
    last = text(row, 'id')
    if (fits(row, slice)) items.push(listed(tables, source, row))
  }
  return page(items, undefined)
}

function walkDeliveries(tables: Tables, slice: Slice, { from, before }: Span): string {
  const rows = merged(wanted(slice), slice.rows + 1, (source) =>
    statements(source, slice.state).flatMap(({ sql, values }) =>
      tables.all(sql, ...values, before, from, slice.rows + 1),
    ),
  )
  const items: string[] = []
  /** Deliveries from here on up are of a message that has been looked at. */
  let done = TOP
  let last: string | undefined
  for (const [n, { row, source }] of rows.entries()) {
    if (n === slice.rows || items.length === slice.limit) return page(items, last)
    const position = integer(row, 'position')
    if (position >= done) continue
    const document = text(row, 'document')
    const delivery = mayFit(document, slice) ? (JSON.parse(document) as Delivery) : undefined
    if (delivery === undefined || !deliveryFits(delivery, slice)) {
      last = delivery?.id ?? idOf(document)
      continue
    }
    const found = tables.get(
      `SELECT position, id, count, at, document FROM ${source.messages}
       WHERE position <= ? ORDER BY position DESC LIMIT 1`,
      position,
    )
    if (!found) continue
    done = integer(found, 'position')
    last = text(found, 'id')
    if (fits(found, slice)) items.push(listed(tables, source, found))
  }
  return page(items, undefined)
}

const wanted = ({ archived }: ListQuery): Source[] =>
  sources.filter((source) => archived === undefined || source.archived === archived)

/** The newest of several walks, each of which has given its newest. */
function merged(
  of: readonly Source[],
  limit: number,
  rows: (source: Source) => Row[],
): { row: Row; source: Source }[] {
  return of
    .flatMap((source) => rows(source).map((row) => ({ row, source })))
    .sort((a, b) => integer(b.row, 'position') - integer(a.row, 'position'))
    .slice(0, limit)
}

/** The walks that find deliveries in these states; each still wants its span and its limit. */
function statements(
  source: Source,
  state: ListQuery['state'],
): { sql: string; values: (number | string)[] }[] {
  if (state === undefined) return [{ sql: whole(source.deliveries), values: [] }]
  const states = [...new Set([state].flat())]
  if (source.archived) return states.map((one) => ({ sql: ARCHIVED, values: [one] }))
  return states.flatMap((one) => {
    const code = liveOf(one)
    const walks = code === undefined ? [] : [{ sql: QUEUE_LIVE, values: [code] as (number | string)[] }]
    // `sent` is either: it may still await its report.
    if (code === undefined || one === 'sent') walks.push({ sql: QUEUE_ENDED, values: [one] })
    return walks
  })
}

function liveOf(state: DeliveryState): number | undefined {
  switch (state) {
    case 'queued':
      return live.queued
    case 'submitting':
      return live.submitting
    case 'sent':
      return live.awaitingReport
    case 'unknown':
      return live.unknown
    default:
      return undefined
  }
}

/** Spares most deliveries being read as JSON. */
function mayFit(document: string, { line, to }: ListQuery): boolean {
  if (line !== undefined && !document.includes(`"line":"${line.slice(line.indexOf('/') + 1)}"`)) return false
  const digits = to === undefined ? '' : significant(to).slice(-SHORTEST)
  return digits.length < SHORTEST || document.includes(digits)
}

function deliveryFits(delivery: Delivery, { state, to, line, channel }: ListQuery): boolean {
  if (state !== undefined && ![state].flat().includes(delivery.state)) return false
  if (channel !== undefined && delivery.channel !== channel) return false
  if (line !== undefined && line !== delivery.line && line !== `${delivery.node}/${delivery.line}`)
    return false
  return to === undefined || sameNumber(delivery.to, to)
}

const idOf = (document: string): string => (JSON.parse(document) as Delivery).id

/** @param row a message's position, id, count, at and document */
function fits(row: Row, { since, until, source, tag, search }: ListQuery): boolean {
  const at = integer(row, 'at')
  if ((since !== undefined && at < since) || (until !== undefined && at >= until)) return false
  if (source === undefined && tag === undefined && search === undefined) return true
  const asked: Message = JSON.parse(text(row, 'document'))
  if (tag !== undefined && asked.tag !== tag) return false
  if (source !== undefined && !sourceFits(asked.source, source)) return false
  return search === undefined || asked.text.toLowerCase().includes(search.toLowerCase())
}

const sourceFits = (source: string, pattern: string): boolean =>
  pattern.endsWith('*') ? source.startsWith(pattern.slice(0, -1)) : source === pattern

const listed = (tables: Tables, source: Source, row: Row): string =>
  view(row, deliveriesOf(tables, source, row, 0, LISTED))

/** One message may have 60,000 of them: more than fit into a small heap at a time. */
export function deliveriesOf(
  tables: Tables,
  source: Source,
  row: Row,
  from: number,
  limit: number,
): string[] {
  const position = integer(row, 'position')
  return tables
    .all(
      `SELECT document FROM ${source.deliveries} WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`,
      position + from,
      position + integer(row, 'count'),
      Math.min(limit, SHOWN),
    )
    .map((delivery) => text(delivery, 'document'))
}

export function view(row: Row, deliveries: readonly string[]): string {
  const count = integer(row, 'count')
  const more = count > deliveries.length ? `,"count":${count}` : ''
  return `{"message":${text(row, 'document')},"deliveries":[${deliveries.join(',')}]${more}}`
}

/** Ids sort by time: where the message itself is gone, the page goes on below it. */
function positionAt(tables: Tables, after: string): number | undefined {
  const [id = '', n] = after.split('.')
  let position: number | undefined
  for (const { messages: table } of sources) {
    const found = tables.number(`SELECT position FROM ${table} WHERE id = ?`, id)
    if (found !== undefined) return found + (n === undefined ? 0 : Number(n) || 0)
    const below = tables.number(`SELECT position FROM ${table} WHERE id < ? ORDER BY id DESC LIMIT 1`, id)
    if (below !== undefined) position = Math.max(position ?? 0, below + 1)
  }
  return position
}

/** Deliveries by state, without the archive. */
export function stateCounts(tables: Tables): StateCounts {
  const counts: StateCounts = {}
  const add = (state: DeliveryState, n: number) => {
    if (n > 0) counts[state] = (counts[state] ?? 0) + n
  }
  const [queued = 0, submitting = 0, awaitingReport = 0, unknown = 0] = tables.counts()
  for (const [state, n] of Object.entries({ queued, submitting, sent: awaitingReport, unknown })) {
    add(state as DeliveryState, n)
  }
  for (const row of tables.iterate(
    `SELECT ${STATE} AS state, count(*) AS n FROM deliveries INDEXED BY deliveries_ended
     WHERE live IS NULL GROUP BY 1`,
  )) {
    add(text(row, 'state') as DeliveryState, integer(row, 'n'))
  }
  return counts
}

/** How many digits two spellings of one number must share: national ones lack the prefix, some have a zero in front. */
const DIGITS = 9
/** A national number without its zero may be shorter than that, but a short code is never a part of a number. */
const SHORTEST = 6

export function sameNumber(a: string, b: string): boolean {
  const [one, other] = [significant(a), significant(b)]
  if (one === other) return true
  const shared = Math.min(DIGITS, one.length, other.length)
  return shared >= SHORTEST && one.slice(-shared) === other.slice(-shared)
}

const significant = (number: string): string => number.replace(/\D/g, '').replace(/^0+/, '')
