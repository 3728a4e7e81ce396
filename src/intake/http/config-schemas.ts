/** The shapes of the replicated configuration over HTTP. A value is as the configuration file writes it. */
import { trial } from './form-schemas.ts'
import { list, object, page, pageQuery, text, time } from './schemas.ts'

const value = { description: 'As the configuration file has it: "30m", or a list of routes' } as const
const path = { ...text, description: 'Such as validity or log.level' } as const

const problems = list(object({ path, text }, ['path', 'text']))

export const settingList = object(
  {
    items: list(
      object(
        {
          path,
          value,
          source: {
            type: 'string',
            enum: ['default', 'file', 'revision'],
            description: 'Where the value comes from; a revision goes before the file',
          },
          revision: text,
          author: text,
          at: time,
        },
        ['path', 'value', 'source'],
      ),
    ),
    revision: { ...text, description: 'The newest revision' },
    trial: { ...trial, description: 'A change that is taken back unless it is confirmed' },
    problems: { ...problems, description: 'What is set and cannot be used on this appliance' },
  },
  ['items', 'problems'],
)

export const changes = {
  type: 'object',
  minProperties: 1,
  maxProperties: 100,
  additionalProperties: {},
  description: 'Values by path, all of them or none; null takes a setting back to what the file says',
} as const

const change = object({ path, before: value, after: value }, ['path'])

const revisionFields = {
  id: text,
  at: time,
  author: { ...text, description: 'http: and the name of the token, or local' },
  changes: list(change),
} as const

export const changed = object(
  {
    revision: {
      ...object(revisionFields, ['id', 'at', 'author', 'changes']),
      description: 'Absent when everything was like that already',
    },
  },
  [],
)

export const historyQuery = { type: 'object', additionalProperties: false, properties: pageQuery } as const

export const history = page(
  object({ ...revisionFields, node: { ...text, description: 'The member that made it' }, base: text }, [
    'id',
    'at',
    'author',
    'changes',
    'node',
  ]),
)

export const conflictList = object(
  {
    items: list(
      object(
        {
          revision: text,
          path,
          value: { ...value, description: 'What it set; absent where it took the setting back to the file' },
          author: text,
          at: time,
          node: text,
          against: { ...text, description: 'The revision whose value holds' },
          holds: { ...value, description: 'The value now' },
        },
        ['revision', 'path', 'author', 'at', 'node', 'against'],
      ),
    ),
  },
  ['items'],
)

const revision = { type: 'string', minLength: 1, maxLength: 100 } as const
const onePath = { type: 'string', minLength: 1, maxLength: 100, description: 'Only this path of it' } as const

export const restoreRequest = object(
  {
    revision,
    path: onePath,
    value: {
      type: 'string',
      enum: ['after', 'before'],
      description: 'after, the default: what the revision set; before: what was there before it',
    },
  },
  ['revision'],
)

export const dismissRequest = object({ revision, path: onePath }, ['revision'])
