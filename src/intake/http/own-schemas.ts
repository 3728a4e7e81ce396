/** The shapes of a member's own configuration: its file, what may be changed in it, a change on trial. */
import { changes, confirmWithin, diff, field, problems } from './form-schemas.ts'
import { flag, list, object, type Shape, text, time } from './schemas.ts'

const ms = { type: 'number', minimum: 0, description: 'ms' } as const

const ownField = object(
  { ...field.properties, value: { description: 'What holds now; absent where the default does' } },
  field.required,
)

/** How long clients wait when a member fails. */
export const expectedFailover = object(
  {
    silence: { ...ms, description: 'misses × interval + timeout: until a member counts as dead, ms' },
    start: { ...ms, description: 'Lines that have to be connected first: 200 ms a port and 200 ms a modem' },
    expected: { ...ms, description: 'Both together, ms' },
  },
  ['silence', 'start', 'expected'],
)

const promiseList = list(
  object(
    {
      fault: text,
      text,
      outage: { ...ms, description: 'The longest that clients are expected to wait, ms' },
      bothServe: flag,
    },
    ['fault', 'text', 'outage', 'bothServe'],
  ),
)

export const ownConfiguration = object(
  {
    node: text,
    file: { ...text, description: 'Its path on this member; absent in a trial without a file' },
    text: { ...text, description: 'The file as it is, secrets masked' },
    keys: { type: 'object', additionalProperties: {}, description: 'What the file says, secrets masked' },
    writable: { ...flag, description: 'The program may change the file' },
    sections: {
      ...list(object({ name: text, label: text, fields: list(ownField) }, ['name', 'label', 'fields'])),
      description: 'What the file may hold, but for shared settings, with what it holds',
    },
    trial: object({ confirmBy: time }, ['confirmBy']),
  },
  ['node', 'keys', 'writable', 'sections'],
)

const version = {
  type: 'string',
  pattern: '^[0-9]{6}$',
  description: 'In the place of changes: the whole file as it was before this one of its history',
} as const

export const ownCheckRequest = object({ changes, version }, [])
export const ownChecked = object(
  {
    problems,
    diff,
    promises: { ...promiseList, description: 'Of the pair as it would be; absent without one' },
    failover: expectedFailover,
  },
  ['problems', 'diff'],
)

export const ownApplyRequest = object({ changes, version, confirmWithin }, [])

export const ownHistory = object(
  {
    items: list(
      object(
        {
          id: text,
          at: time,
          author: { ...text, description: 'rollback: nobody confirmed; by-hand: somebody with an editor' },
          changes: diff,
        },
        ['id', 'at', 'author', 'changes'],
      ),
    ),
  },
  ['items'],
)
export const ownApplied = object(
  {
    changed: flag,
    confirmBy: { ...time, description: 'When the old file is put back unless confirmed' },
    restart: { ...flag, description: 'The appliance starts anew now, within seconds' },
  },
  ['changed', 'restart'],
)

export type OwnConfiguration = Shape<typeof ownConfiguration>
export type OwnHistory = Shape<typeof ownHistory>
export type OwnChecked = Shape<typeof ownChecked>
export type OwnApplied = Shape<typeof ownApplied>
export type ExpectedFailover = Shape<typeof expectedFailover>
