/** The shapes of looking through the queue and acting on much of it at once. */

import { limits } from '#dispatch/contract.ts'
import { channels } from '#messages/message.ts'
import type { deliveryStates } from '#messages/states.ts'
import type { message, messageDetail, messagePage } from './message-schemas.ts'
import { count, list, object, pageQuery, type Shape, text } from './schemas.ts'

const word = { type: 'string', minLength: 1, maxLength: 100 } as const
const moment = {
  type: 'string',
  minLength: 1,
  maxLength: 40,
  description: 'A time (ISO 8601) or how far back from now (24h); of acceptance',
} as const

/** A message is found when one of its deliveries fits all that is asked. */
export const messageQuery = object(
  {
    ...pageQuery,
    state: {
      type: 'string',
      minLength: 1,
      maxLength: 120,
      description: 'One state or several: failed,expired',
    },
    channel: { type: 'string', enum: channels },
    line: { ...word, description: 'The line of the last attempt, as gsm0 or box-b/gsm0' },
    source: {
      ...word,
      maxLength: 200,
      description: 'As messages carry it; http:* is every one that begins so',
    },
    since: moment,
    until: moment,
    to: word,
    tag: { type: 'string', minLength: 1, maxLength: limits.tag },
    search: { type: 'string', minLength: 1, maxLength: 200, description: 'Part of the text' },
    archived: {
      type: 'string',
      enum: ['yes', 'no'],
      description: 'Only what is in the archive, or only what is not there yet; both when absent',
    },
  },
  [],
)

const byState = {
  queued: count,
  submitting: count,
  sent: count,
  delivered: count,
  acknowledged: count,
  unknown: count,
  failed: count,
  expired: count,
  cancelled: count,
} as const satisfies Partial<Record<(typeof deliveryStates)[number], object>>

export const messageCounts = object(
  { states: object(byState, Object.keys(byState) as (keyof typeof byState)[]) },
  ['states'],
)

const lineName = { ...word, description: 'A line of the member that sends' } as const

export const moveRequest = object({ line: lineName }, ['line'])

export const actionsRequest = object(
  {
    action: { type: 'string', enum: ['retry', 'cancel', 'move'] },
    line: { ...lineName, description: 'Of move: where to' },
    ids: { type: 'array', minItems: 1, maxItems: 500, items: word },
  },
  ['action', 'ids'],
)

export const actionsResult = object(
  {
    results: list(
      object(
        {
          id: text,
          done: { type: 'boolean' },
          code: { ...text, description: 'Why not, for programs' },
          text: { ...text, description: 'Why not, for people' },
        },
        ['id', 'done'],
      ),
    ),
  },
  ['results'],
)

export type MessageQuery = Shape<typeof messageQuery>
export type MessageCounts = Shape<typeof messageCounts>
export type MessageView = Shape<typeof message>
export type MessagePage = Shape<typeof messagePage>
export type MessageDetail = Shape<typeof messageDetail>
export type ActionsRequest = Shape<typeof actionsRequest>
export type ActionsResult = Shape<typeof actionsResult>
