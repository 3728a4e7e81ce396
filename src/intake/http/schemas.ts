/**
 * The shapes of the HTTP interface: one JSON Schema each, which validates requests, writes answers and is the OpenAPI
 * document. Plain objects whose types are inferred, because a schema library costs 12 MB of memory at run time.
 */
import type { FastifyTypeProvider } from 'fastify'
import type { XSchema, XStatic } from 'typebox/schema'
import { durationPattern } from '#core/duration.ts'
import { limits } from '#dispatch/contract.ts'
import { lineStates } from '#lines/contract.ts'
import { channels, priorities } from '#messages/message.ts'
import { scopes } from '#messages/operation.ts'
import { deliveryStates } from '#messages/states.ts'

export type Shape<S> = S extends XSchema ? XStatic<S> : unknown

/** Tells fastify's types what a validated request holds. */
export interface SchemaTypes extends FastifyTypeProvider {
  validator: Shape<this['schema']>
  serializer: unknown
}

export const problemMediaType = 'application/problem+json'

/** An object that has these properties and no others. */
export function object<const P extends object, const R extends readonly (keyof P & string)[]>(
  properties: P,
  required: R,
) {
  return {
    type: 'object',
    additionalProperties: false,
    required,
    properties,
  } as const
}

export const list = <const S extends object>(items: S) => ({ type: 'array', items }) as const

export const text = { type: 'string' } as const
export const count = { type: 'integer', minimum: 0 } as const
export const flag = { type: 'boolean' } as const
/** ISO 8601 in UTC. Not checked on the way out: it is made by Date. */
export const time = { type: 'string', description: 'ISO 8601, UTC' } as const

const reason = object({ code: text, text }, ['code', 'text'])

export const newMessage = object(
  {
    to: {
      type: 'array',
      minItems: 1,
      maxItems: limits.recipients,
      items: { type: 'string', minLength: 1, maxLength: 100 },
      description:
        'Recipients: + and digits, a national number, a short code, the id of a contact or a group',
    },
    text: { type: 'string', minLength: 1 },
    channel: { type: 'string', enum: channels },
    priority: {
      type: 'integer',
      enum: priorities,
      description: '0 is the highest, 2 the default',
    },
    validity: {
      type: 'string',
      pattern: durationPattern,
      maxLength: 14,
      description: 'How long after acceptance it may still be sent, such as 30m or 24h',
    },
    onUnknown: {
      type: 'string',
      enum: ['resend', 'hold'],
      description: 'What to do when the line never said whether it transmitted',
    },
    tag: { type: 'string', minLength: 1, maxLength: limits.tag },
    dedupe: {
      type: 'string',
      minLength: 1,
      maxLength: limits.dedupe,
      description: 'What the storm guard takes for the same message, instead of the text',
    },
    flash: {
      type: 'boolean',
      description: 'SMS class 0: shown at once, not stored',
    },
    acknowledge: {
      type: 'boolean',
      description: 'Adds a line `ACK CODE` to the text, with which the recipient can answer',
    },
  },
  ['to', 'text'],
)

const { to, priority, validity, onUnknown, tag, dedupe } = newMessage.properties

/** The fields of multipart/form-data with a document; `to` may stand several times, or name several with commas. */
export const newFax = object(
  {
    to,
    document: { type: 'string', format: 'binary', description: 'PDF, TIFF, PNG, JPEG or plain text' },
    text: { type: 'string', description: 'Said beside it, for people; it is not faxed' },
    channel: { type: 'string', enum: ['fax'] },
    priority,
    validity,
    onUnknown,
    tag,
    dedupe,
  },
  ['to', 'document'],
)

export const idempotencyHeader = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      minLength: 1,
      maxLength: limits.idempotencyKey,
      pattern: '^[ -~]*$',
      description: 'The same key with the same body gets the first answer again; with another body, 409',
    },
  },
} as const

export const accepted = object(
  {
    id: text,
    replicated: flag,
    deliveries: list(
      object({ id: text, to: text, channel: text, state: text, parts: count }, [
        'id',
        'to',
        'channel',
        'state',
        'parts',
      ]),
    ),
    count: { ...count, description: 'How many deliveries there are, where these are the first of them' },
  },
  ['id', 'replicated', 'deliveries'],
)

const delivery = object(
  {
    id: text,
    to: text,
    channel: text,
    state: { type: 'string', enum: deliveryStates },
    parts: count,
    confirmed: {
      ...count,
      description: 'Parts that the far side has confirmed',
    },
    reason,
    attempts: count,
    possibleDuplicate: flag,
    node: text,
    line: text,
    due: time,
    expires: time,
    reportBy: {
      ...time,
      description: 'While sent: when waiting for its status report ends; absent when none is awaited',
    },
    waiting: {
      ...list(object({ line: text, reason, until: time }, ['line', 'reason'])),
      description:
        'Of one that is due and waits because no line can send it, while it is looked at by itself (another member asks the one that sends it, and leaves this out without its answer): each line that may, why not now, and until when where that is known',
    },
  },
  ['id', 'to', 'channel', 'state', 'parts', 'confirmed', 'attempts', 'possibleDuplicate', 'due', 'expires'],
)

const documentFields = object({ name: text, type: text, bytes: count, pages: count, hash: text }, [
  'name',
  'type',
  'bytes',
  'pages',
  'hash',
])

const messageFields = {
  id: text,
  replicated: flag,
  at: time,
  source: text,
  text,
  priority: { type: 'integer' },
  validity: text,
  onUnknown: text,
  flash: flag,
  tag: text,
  document: { ...documentFields, description: 'Of a fax; GET /messages/{id}/document gives it back' },
  deliveries: list(delivery),
  count: { ...count, description: 'How many deliveries there are, where these are not all of them' },
} as const

const messageRequired = [
  'id',
  'replicated',
  'at',
  'source',
  'text',
  'priority',
  'validity',
  'onUnknown',
  'flash',
  'deliveries',
] as const

export const message = object(messageFields, messageRequired)

const timelineEntry = object(
  {
    delivery: text,
    at: time,
    event: text,
    state: text,
    node: { ...text, description: 'The appliance where it happened' },
    line: text,
    part: count,
    reason,
  },
  ['delivery', 'at', 'event', 'state'],
)

export const messageDetail = object({ ...messageFields, timeline: list(timelineEntry) }, [
  ...messageRequired,
  'timeline',
])

export const page = <const S extends object>(items: S) =>
  object(
    {
      items: list(items),
      next: {
        ...text,
        description: 'Pass as `after`; absent on the last page',
      },
    },
    ['items'],
  )

export const messagePage = page(message)

export const pageQuery = {
  limit: { type: 'integer', minimum: 1, maximum: 500 },
  after: { type: 'string', minLength: 1, maxLength: 100 },
} as const

/** Of a message with many deliveries. */
export const deliveriesQuery = object(
  {
    from: {
      type: 'string',
      pattern: '^[0-9]{1,5}$',
      description: 'The first delivery shown, from 0; 1,000 are',
    },
  },
  [],
)

export const inboxQuery = object(pageQuery, [])

export const inboxPage = page(
  object(
    {
      id: text,
      node: text,
      line: text,
      from: text,
      sentAt: time,
      at: time,
      text,
      complete: flag,
      parts: object({ total: count, received: count }, ['total', 'received']),
      revision: count,
      kind: { type: 'string', enum: ['sms', 'fax'] },
      fax: object({ pages: count, station: text, problem: text, hash: text, bytes: count }, [
        'pages',
        'hash',
        'bytes',
      ]),
    },
    ['id', 'node', 'line', 'from', 'sentAt', 'at', 'text', 'complete', 'parts', 'revision', 'kind'],
  ),
)

export const faxDocumentQuery = object({ type: { type: 'string', enum: ['pdf', 'tiff'] } }, [])

export const totalsQuery = object(
  {
    since: {
      type: 'string',
      maxLength: 40,
      description: 'A time (ISO 8601) or how far back from now (24h); everything when absent',
    },
    until: { type: 'string', maxLength: 40, description: 'As since; up to now when absent' },
    step: {
      type: 'string',
      enum: ['hour', 'day'],
      description: 'day: sums of the days of the appliance, `hour` is when each began; hour when absent',
    },
  },
  [],
)

const sums = {
  sent: count,
  delivered: count,
  failed: count,
  unknown: count,
  received: count,
} as const
const sumNames = ['sent', 'delivered', 'failed', 'unknown', 'received'] as const

export const totals = object(
  {
    since: time,
    items: list(
      object({ node: text, line: text, hour: time, ...sums }, ['node', 'line', 'hour', ...sumNames]),
    ),
    total: object(sums, sumNames),
  },
  ['since', 'items', 'total'],
)

export const line = object(
  {
    id: text,
    kind: text,
    channel: text,
    state: { type: 'string', enum: lineStates },
    reason,
    busy: flag,
    port: text,
    modem: object(
      {
        profile: text,
        manufacturer: text,
        model: text,
        revision: text,
        imei: text,
      },
      [],
    ),
    sim: object({ state: text, iccid: text, imsi: text, smsc: text }, []),
    network: object(
      {
        registered: flag,
        registration: text,
        operator: text,
        technology: text,
      },
      [],
    ),
    signal: { type: 'integer', description: 'dBm' },
    fax: {
      ...object(
        {
          class: text,
          rate: count,
          progress: text,
          lastCall: object(
            {
              at: time,
              from: text,
              result: { type: 'string', enum: ['received', 'partial', 'no-fax', 'left'] },
              text,
            },
            ['at', 'from', 'result', 'text'],
          ),
        },
        [],
      ),
      description:
        'Of a fax line: class of the modem, bit/s of the newest call, what it does now, and the newest call that came in, whoever it was for',
    },
    lastSuccess: time,
    lastError: object({ at: time, reason }, ['at', 'reason']),
    nextTry: time,
    recoveries: count,
    node: { ...text, description: 'The member whose line it is' },
    muted: { ...time, description: 'Nothing is sent over it until then, because somebody said so' },
  },
  ['id', 'kind', 'channel', 'state', 'busy', 'port', 'recoveries'],
)

export const lineList = object({ items: list(line) }, ['items'])

export const status = object(
  {
    node: text,
    role: text,
    version: text,
    at: time,
    ready: flag,
    reason: text,
    queue: object(
      {
        queued: count,
        submitting: count,
        awaitingReport: count,
        unknown: count,
        oldest: time,
      },
      ['queued', 'submitting', 'awaitingReport', 'unknown'],
    ),
    lines: list(line),
  },
  ['node', 'role', 'version', 'at', 'ready', 'queue', 'lines'],
)

const tokenFields = {
  id: text,
  name: text,
  scopes: list({ type: 'string', enum: scopes }),
  createdAt: time,
  createdBy: { ...text, description: 'Who made it; of older ones it is not known' },
}
const tokenRequired = ['id', 'name', 'scopes', 'createdAt'] as const

export const newToken = object(
  {
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    },
    scopes: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: scopes },
    },
  },
  ['name'],
)
export const createdToken = object(
  {
    ...tokenFields,
    token: {
      ...text,
      description: 'Shown this once only; its hash is what is kept',
    },
  },
  [...tokenRequired, 'token'],
)
export const tokenList = object(
  { items: list(object({ ...tokenFields, lastUsedAt: time }, tokenRequired)) },
  ['items'],
)

export const idParam = object({ id: { type: 'string', minLength: 1, maxLength: 100 } }, ['id'])
/** A page of a document, counted from 1. */
export const pageParam = object(
  {
    id: { type: 'string', minLength: 1, maxLength: 100 },
    page: { type: 'string', pattern: '^[1-9][0-9]{0,3}$' },
  },
  ['id', 'page'],
)
export const lineActionParam = object(
  {
    id: { type: 'string', minLength: 1, maxLength: 100 },
    action: { type: 'string', enum: ['restart', 'disable', 'enable', 'unmute'] },
  },
  ['id', 'action'],
)

export const readiness = object({ ready: flag, reason: text }, ['ready'])

export const problem = {
  $id: 'problem',
  ...object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: { ...text, description: 'What is wrong, for people' },
      code: {
        ...text,
        description: 'What is wrong, for programs; see docs/errors.md',
      },
      field: { ...text, description: 'The field at fault, such as to[3]' },
      allowed: {
        type: 'array',
        items: {},
        description: 'What the field may be',
      },
      until: { ...time, description: 'Until when it stays refused, where that is known' },
    },
    ['type', 'title', 'status', 'detail', 'code'],
  ),
} as const
