/** The shapes of API tokens. */
import { scopes } from '#messages/operation.ts'
import { list, object, text, time } from './schemas.ts'

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
