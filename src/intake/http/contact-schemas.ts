/** The shapes of contacts, groups and the storm guard over HTTP. */
import { count, flag, list, object, page, text, time } from './schemas.ts'

/** What the readers of the configuration check by themselves, and more precisely, is not checked here. */
export const contactFields = object(
  {
    id: { ...text, description: 'As in the path; may be left away' },
    name: text,
    sms: { ...text, description: 'A number' },
    fax: { ...text, description: 'The number of a fax machine' },
    mail: text,
    source: { type: 'string', enum: ['ldap'], description: 'An import keeps it up to date' },
  },
  [],
)

export const groupFields = object(
  {
    id: { ...text, description: 'As in the path; may be left away' },
    name: text,
    members: { ...list(text), description: 'Ids of contacts and groups' },
  },
  ['members'],
)

export const contactList = object({ items: list(contactFields) }, ['items'])
export const groupList = object({ items: list(groupFields) }, ['items'])

export const entryParam = object(
  {
    id: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9._-]{0,62}$',
      description: 'A letter, then letters, digits, dots, - and _',
    },
  },
  ['id'],
)

export const entryQuery = object(
  {
    only: {
      type: 'string',
      enum: ['existing', 'new'],
      description:
        'existing: refused unless there is one with this id, so that what somebody removed meanwhile is not made anew; new: refused if there is one',
    },
  },
  [],
)

export const importQuery = object(
  { preview: { type: 'string', enum: ['true', 'false'], description: 'true: nothing is changed' } },
  [],
)

export const importReport = object(
  {
    applied: flag,
    problems: list(object({ line: { type: 'integer', minimum: 1 }, text }, ['line', 'text'])),
    added: list(text),
    changed: list(text),
    unchanged: count,
    newGroups: list(text),
    revision: text,
  },
  ['applied', 'problems', 'added', 'changed', 'unchanged', 'newGroups'],
)

export const stormView = object(
  {
    on: { ...flag, description: 'Whether anything of it is configured' },
    pending: {
      ...list(object({ to: text, count, due: time }, ['to', 'count', 'due'])),
      description: 'Folded, and not told in a digest yet',
    },
    lines: {
      ...list(object({ line: text, used: count, month: count }, ['line', 'used', 'month'])),
      description: 'Parts that lines have used of their budgets',
    },
  },
  ['on', 'pending', 'lines'],
)

export const foldedPage = page(
  object({ message: text, delivery: text, to: text, at: time, code: text, reason: text, text }, [
    'message',
    'delivery',
    'to',
    'at',
    'code',
    'reason',
    'text',
  ]),
)
