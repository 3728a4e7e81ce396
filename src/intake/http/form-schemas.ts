/** The shapes of configuration as people edit it: what can be set, what a change would do, a change on trial. */
import { durationPattern } from '#core/duration.ts'
import { flag, list, object, type Shape, text, time } from './schemas.ts'

const value = { description: 'As the configuration file has it: "30m", or a list of routes' } as const

const fieldTypes = [
  'text',
  'number',
  'duration',
  'size',
  'boolean',
  'choice',
  /** Of texts. */
  'list',
  'secret',
  /** A list of entries with `columns`. */
  'table',
  /** One value with `columns` of its own. */
  'group',
] as const

const fieldProperties = {
  path: { ...text, description: 'Such as validity; within a table or group the key alone' },
  label: { ...text, description: 'Key of its name in a dictionary, such as settings.validity' },
  type: { type: 'string', enum: fieldTypes },
  help: { ...text, description: 'What it is for, a sentence' },
  required: flag,
  choices: list(text),
  min: { ...value, description: 'Smallest allowed value, a span or size as people write it' },
  max: { ...value, description: 'Largest allowed value' },
  default: { ...value, description: 'What holds when it is not set' },
  placeholder: { ...text, description: 'An example of what to write' },
  switched: { ...flag, description: 'Of a group: being there turns something on' },
  only: {
    ...object({ key: text, is: list(text) }, ['key', 'is']),
    description: 'Of a column: it is there only where the key beside it has one of these values',
  },
} as const
const fieldRequired = ['path', 'label', 'type', 'help'] as const

const innermost = object(fieldProperties, fieldRequired)
const inner = object({ ...fieldProperties, columns: list(innermost) }, fieldRequired)
export const field = object({ ...fieldProperties, columns: list(inner) }, fieldRequired)

export const settingsForm = object(
  { sections: list(object({ name: text, label: text, fields: list(field) }, ['name', 'label', 'fields'])) },
  ['sections'],
)

export const changes = {
  type: 'object',
  minProperties: 1,
  maxProperties: 100,
  additionalProperties: {},
  description: 'Values by path; null takes a setting back to what the file, or the default, says',
} as const

export const confirmWithin = {
  type: 'string',
  pattern: durationPattern,
  maxLength: 14,
  description: 'It is taken back unless confirmed within this time, 10s to 1h; for good when absent',
} as const

export const problems = list(object({ path: text, message: text }, ['path', 'message']))
export const diff = list(object({ path: text, before: value, after: value }, ['path']))

export const checkRequest = object({ changes }, ['changes'])
export const checked = object(
  { problems: { ...problems, description: 'Empty when it can be applied' }, diff },
  ['problems', 'diff'],
)

export const applyRequest = object(
  {
    changes,
    confirmWithin,
  },
  ['changes'],
)
export const applied = object(
  {
    revision: { ...text, description: 'Absent when everything was like that already' },
    confirmBy: { ...time, description: 'When it is taken back unless confirmed' },
  },
  [],
)

const revision = { type: 'string', minLength: 1, maxLength: 100 } as const
export const confirmRequest = object({ revision }, ['revision'])
export const revertRequest = object({ revision }, ['revision'])

/** What waits for its confirmation. */
export const trial = object({ revision: text, confirmBy: time, author: text }, [
  'revision',
  'confirmBy',
  'author',
])

export type Field = Shape<typeof field>
export type SettingsForm = Shape<typeof settingsForm>
export type Checked = Shape<typeof checked>
export type Applied = Shape<typeof applied>
export type Trial = Shape<typeof trial>
