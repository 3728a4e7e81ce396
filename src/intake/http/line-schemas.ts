/** The shapes of lines, and of what people do with one: mute it, try it, watch it speak with its modem. */
import { durationPattern } from '#core/duration.ts'
import { lineStates } from '#lines/contract.ts'
import { count, flag, list, object, reason, type Shape, text, time } from './schemas.ts'

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

export const lineActionParam = object(
  {
    id: { type: 'string', minLength: 1, maxLength: 100 },
    action: { type: 'string', enum: ['restart', 'disable', 'enable', 'unmute'] },
  },
  ['id', 'action'],
)

const nodeName = { type: 'string', minLength: 1, maxLength: 63 } as const

export const memberQuery = object(
  {
    node: {
      ...nodeName,
      description: 'The member whose lines are meant; the one that answers when absent',
    },
  },
  [],
)

export const linesQuery = object(
  { node: { ...nodeName, description: 'As elsewhere; * is every member that can be reached' } },
  [],
)

export const muteRequest = object(
  {
    for: {
      type: 'string',
      pattern: durationPattern,
      maxLength: 14,
      description: 'For how long nothing is sent over it, such as 1h; at most 30d',
    },
  },
  ['for'],
)

export const testRequest = object(
  {
    to: { type: 'string', minLength: 1, maxLength: 100 },
    text: { type: 'string', minLength: 1, maxLength: 1_000 },
  },
  ['to', 'text'],
)

export const traceQuery = object(
  {
    node: memberQuery.properties.node,
    after: { type: 'string', pattern: '^[0-9]{1,15}$', description: '`next` of the call before' },
  },
  [],
)

export const trace = object(
  {
    entries: list(
      object(
        {
          n: { type: 'integer', minimum: 1, description: 'Counts from 1 since the program started' },
          at: time,
          direction: {
            type: 'string',
            enum: ['>', '<', '-'],
            description: '> to the modem, < from it, - a note of ours',
          },
          text: { ...text, description: 'Numbers, texts and PINs are masked' },
        },
        ['n', 'at', 'direction', 'text'],
      ),
    ),
    next: { type: 'integer', minimum: 0, description: 'Pass as `after`' },
  },
  ['entries', 'next'],
)

export type LineView = Shape<typeof line>
export type LineList = Shape<typeof lineList>
export type LineTrace = Shape<typeof trace>
