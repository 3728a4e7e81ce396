/** The shapes of what is done about received messages: actions that were given up, and who wants no messages. */
import { count, object, page, pageQuery, text, time } from './schemas.ts'

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

export const deadPage = page(
  object(
    {
      id: { ...text, description: 'Also the id of the event, where it is one' },
      inbox: { ...text, description: 'The received message' },
      from: text,
      at: { ...time, description: 'When the message came' },
      action: { ...text, description: 'mail, webhook, mqtt, sms, reply …' },
      rule: text,
      to: { type: 'array', items: text },
      attempts: count,
      reason,
    },
    ['id', 'inbox', 'from', 'at', 'action', 'rule', 'attempts'],
  ),
)

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
