/** The shapes of messages: those that go out, with their deliveries and documents, and those that came in. */
import { durationPattern } from '#core/duration.ts'
import { limits } from '#dispatch/contract.ts'
import { channels, priorities } from '#messages/message.ts'
import { deliveryStates } from '#messages/states.ts'
import { count, flag, list, object, page, pageQuery, reason, text, time } from './schemas.ts'

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

export const messagePage = page(message)

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

/** A page of a document, counted from 1. */
export const pageParam = object(
  {
    id: { type: 'string', minLength: 1, maxLength: 100 },
    page: { type: 'string', pattern: '^[1-9][0-9]{0,3}$' },
  },
  ['id', 'page'],
)
