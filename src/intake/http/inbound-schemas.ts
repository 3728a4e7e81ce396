/** The shapes of what is done about received messages: actions that were given up, and who wants no messages. */
import { count, flag, object, page, pageQuery, type Shape, text, time } from './schemas.ts'

export const deadQuery = object(
  {
    limit: pageQuery.limit,
    after: { type: 'string', pattern: '^[0-9]{1,15}$', description: '`next` of the page before' },
  },
  [],
)

export const actionIdParam = object(
  { id: { type: 'string', pattern: '^[0-9a-f-]{36}\\.[0-9]{1,4}$', description: 'Its id in the list' } },
  ['id'],
)

const reason = object({ code: text, text }, ['code', 'text'])

const action = {
  id: { ...text, description: 'Also the id of the event, where it is one' },
  action: { ...text, description: 'mail, webhook, mqtt, sms, reply …' },
  rule: text,
  to: { type: 'array', items: text },
  state: { type: 'string', enum: ['open', 'done', 'dead'] },
  attempts: count,
  reason,
} as const
const needed = ['id', 'action', 'rule', 'state', 'attempts'] as const

export const actionList = object(
  {
    at: { ...time, description: 'When it was decided' },
    skipped: { ...text, description: 'Why nothing is done at all' },
    items: { type: 'array', items: object(action, needed) },
  },
  ['at', 'items'],
)

export const deadPage = page(
  object(
    {
      ...action,
      inbox: { ...text, description: 'The received message' },
      from: text,
      at: { ...time, description: 'When the message came' },
    },
    [...needed, 'inbox', 'from', 'at'],
  ),
)

export type ActionList = Shape<typeof actionList>
export type DeadPage = Shape<typeof deadPage>

export const replayed = object({ replayed: count }, ['replayed'])

export const numberParam = object(
  {
    number: {
      type: 'string',
      pattern: '^\\+?[0-9]{2,20}$',
      description: 'A number such as +491701234567, + written %2B',
    },
  },
  ['number'],
)

export const stoppedList = object(
  { items: { type: 'array', items: object({ number: text, since: time }, ['number', 'since']) } },
  ['items'],
)

export const stoppedState = object(
  { number: text, stopped: { ...flag, description: 'Whether it gets only priority 0' } },
  ['number', 'stopped'],
)
