/** How the program's objects look outside: times as ISO 8601, spans as people write them, nothing internal. */
import { formatDuration } from '#core/duration.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import type { LineStatus } from '#lines/contract.ts'
import type { InboxEntry } from '#messages/inbound.ts'
import type { Delivery, TimelineEntry } from '#messages/message.ts'
import { DUPLICATE } from '#messages/states.ts'
import type { MessageView, Page, QueueDepth, TotalsRow } from '#store/contract.ts'
import type * as lineSchemas from './line-schemas.ts'
import type * as schemas from './message-schemas.ts'
import type { Shape } from './schemas.ts'
import type * as statusSchemas from './status-schemas.ts'

export const iso = (ms: number): string => new Date(ms).toISOString()

/** The answer to an accepted message: what it was at that moment, also when a replay asks later. */
export const acceptedView = (view: MessageView, replicated: boolean): Shape<typeof schemas.accepted> => ({
  id: view.message.id,
  replicated,
  deliveries: view.deliveries.map(({ id, to, channel, parts, reason }) => ({
    id,
    to,
    channel,
    // As it was at acceptance, so that the answer to a repeated request is the same.
    state: reason?.code === 'recipient-stopped' ? 'cancelled' : 'queued',
    parts,
  })),
  ...(view.count === undefined ? {} : { count: view.count }),
})

function deliveryView(delivery: Delivery): Shape<typeof schemas.message>['deliveries'][number] {
  const { id, to, channel, state, parts, confirmed, reason, attempts, possibleDuplicate, node, line } =
    delivery
  return {
    id,
    to,
    channel,
    state,
    parts,
    confirmed,
    attempts,
    possibleDuplicate,
    due: iso(delivery.due),
    expires: iso(delivery.expires),
    ...(reason === undefined ? {} : { reason }),
    ...(node === undefined ? {} : { node }),
    ...(line === undefined ? {} : { line }),
    ...(delivery.reportBy === undefined ? {} : { reportBy: iso(delivery.reportBy) }),
  }
}

export function messageView(
  { message, deliveries, count }: MessageView,
  replicated: boolean,
): Shape<typeof schemas.message> {
  const { id, at, source, text, priority, validity, onUnknown, flash, tag, document } = message
  return {
    id,
    replicated,
    at: iso(at),
    source,
    text,
    priority,
    validity: formatDuration(validity),
    onUnknown,
    flash,
    ...(tag === undefined ? {} : { tag }),
    ...(document === undefined ? {} : { document }),
    deliveries: deliveries.map(deliveryView),
    ...(count === undefined ? {} : { count }),
  }
}

/** The message with everything that happened to all its deliveries, in the order of time. */
export function detailView(
  view: MessageView,
  dispatch: Pick<Dispatch, 'replicated' | 'waiting'>,
): Shape<typeof schemas.messageDetail> {
  const { node } = view.message
  const waiting = dispatch.waiting(view.deliveries)
  // Of two messages with one key the later one was void from its acceptance on.
  const whereAccepted = ({ event, reason }: TimelineEntry) =>
    (event === 'accept' || reason?.code === DUPLICATE) && node !== undefined ? { node } : {}
  const timeline = view.deliveries
    .flatMap((delivery) => delivery.timeline.map((entry) => ({ delivery: delivery.id, ...entry })))
    // Sorting is stable: what happened within one millisecond stays in the order of its delivery.
    .sort((a, b) => a.at - b.at)
    .map((entry) => ({ ...whereAccepted(entry), ...entry, at: iso(entry.at) }))
  const message = messageView(view, dispatch.replicated(view.message))
  const deliveries = message.deliveries.map((delivery) => {
    const lines = (waiting.get(delivery.id) ?? []).map(({ until, ...line }) => ({
      ...line,
      ...(until === undefined ? {} : { until: iso(until) }),
    }))
    return lines.length === 0 ? delivery : { ...delivery, waiting: lines }
  })
  return { ...message, deliveries, timeline }
}

export function pageView<T, V>(
  { items, next }: Page<T>,
  view: (item: T) => V,
): { items: V[]; next?: string } {
  return { items: items.map(view), ...(next === undefined ? {} : { next }) }
}

export function inboxView({ fax, ...entry }: InboxEntry): Shape<typeof schemas.inboxPage>['items'][number] {
  const view = { ...entry, sentAt: iso(entry.sentAt), at: iso(entry.at) }
  if (fax === undefined) return { ...view, kind: 'sms' }
  const { document, complete: _, ...facts } = fax
  return { ...view, kind: 'fax', fax: { ...facts, hash: document.hash, bytes: document.bytes } }
}

export function lineView(status: LineStatus): Shape<typeof lineSchemas.line> {
  const { lastSuccess, lastError, nextTry, muted, fax, ...rest } = status
  return {
    ...rest,
    ...(fax === undefined ? {} : { fax: faxView(fax) }),
    ...(muted === undefined ? {} : { muted: iso(muted) }),
    ...(lastSuccess === undefined ? {} : { lastSuccess: iso(lastSuccess) }),
    ...(lastError === undefined ? {} : { lastError: { at: iso(lastError.at), reason: lastError.reason } }),
    ...(nextTry === undefined ? {} : { nextTry: iso(nextTry) }),
  }
}

function faxView({
  lastCall,
  ...fax
}: NonNullable<LineStatus['fax']>): NonNullable<Shape<typeof lineSchemas.line>['fax']> {
  return lastCall === undefined ? fax : { ...fax, lastCall: { ...lastCall, at: iso(lastCall.at) } }
}

export function depthView({ oldest, ...counts }: QueueDepth): Shape<typeof statusSchemas.status>['queue'] {
  return {
    ...counts,
    ...(oldest === undefined ? {} : { oldest: iso(oldest) }),
  }
}

export function totalsView(since: number, rows: readonly TotalsRow[]): Shape<typeof statusSchemas.totals> {
  const total = { sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 }
  for (const row of rows) {
    total.sent += row.sent
    total.delivered += row.delivered
    total.failed += row.failed
    total.unknown += row.unknown
    total.received += row.received
  }
  return {
    since: iso(since),
    items: rows.map((row) => ({ ...row, hour: iso(row.hour) })),
    total,
  }
}
