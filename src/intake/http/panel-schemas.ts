/**
 * The shapes of what the panel begins with: session, first-run setup, users, the front page and the live events. The
 * exported types are for the browser code, which imports them and nothing else of this room.
 */

import { roles } from '#messages/operation.ts'
import { roles as pairRoles } from '#pair/contract.ts'
import { line } from './line-schemas.ts'
import type { Shape } from './schemas.ts'
import { count, flag, list, object, text, time } from './schemas.ts'
import { status } from './status-schemas.ts'

export const userName = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N}._@-]*$',
  description: 'Letters, digits, and . _ @ - inside; capital and small letters are the same',
} as const
const password = {
  type: 'string',
  minLength: 10,
  maxLength: 200,
  description: 'At least 10 characters',
} as const
/** What is typed at a login is only compared: no rule of it is told there. */
const typed = { type: 'string', minLength: 1, maxLength: 200 } as const
const role = { type: 'string', enum: roles } as const
const language = { type: 'string', enum: ['en', 'de'] } as const
/** Shown to people: `Berlin, cellar`. */
const applianceName = {
  type: 'string',
  minLength: 1,
  maxLength: 60,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
} as const

const self = object({ name: text, role, language }, ['name', 'role'])

const appliance = object(
  {
    node: text,
    name: { ...text, description: 'The name for people; the node where none was given' },
    address: {
      ...text,
      description: 'The own address of this appliance, also when it was reached by a common one',
    },
    reached: { ...text, description: 'The address that this request was sent to' },
    role: { type: 'string', enum: pairRoles },
    version: text,
    zone: { ...text, description: 'IANA time zone of the appliance, in which times are shown' },
  },
  ['node', 'name', 'address', 'reached', 'role', 'version', 'zone'],
)

export const session = object(
  {
    setup: { ...flag, description: 'No user exists: the first one is made with the setup code' },
    user: { anyOf: [self, { type: 'null' }] },
    appliance,
    pair: {
      anyOf: [
        object({ members: list(object({ node: text, name: text }, ['node', 'name'])) }, ['members']),
        { type: 'null' },
      ],
    },
  },
  ['setup', 'user', 'appliance', 'pair'],
)

export const login = object({ name: typed, password: typed }, ['name', 'password'])

export const ownChange = object(
  { password: object({ old: typed, new: password }, ['old', 'new']), language },
  [],
)

export const setup = object({ code: typed, name: userName, password, appliance: applianceName, language }, [
  'code',
  'name',
  'password',
])

const userFields = {
  name: text,
  role,
  language,
  createdAt: time,
  createdBy: text,
  lastSeen: { ...time, description: 'Of its newest session; absent when it has none' },
  sessions: { ...count, description: 'How many browsers it is logged in with' },
} as const

export const user = object(userFields, ['name', 'role', 'createdAt', 'sessions'])
export const userList = object({ items: list(user) }, ['items'])
export const newUser = object({ name: userName, password, role, language }, ['name', 'password', 'role'])
export const userChange = object({ role, password, language }, [])
export const userParam = object({ name: typed }, ['name'])

export const applianceChange = object({ name: applianceName }, ['name'])

const member = object(
  {
    node: text,
    name: text,
    role: { type: 'string', enum: [...pairRoles, 'away', 'silent', 'unknown'] },
    label: { ...text, description: 'As people read it: Active (Primary), Standby (Backup), Error …' },
    here: { ...flag, description: 'The member that answers' },
    lastSeen: {
      ...time,
      description: 'When it was last heard; absent while it is heard, and when it never was',
    },
    lines: object({ ready: count, total: count }, ['ready']),
    queue: { ...count, description: 'Deliveries that wait there' },
    lag: { ...count, description: 'Own entries that it has not acknowledged' },
    address: text,
  },
  ['node', 'name', 'role', 'label', 'here'],
)

const alarm = object({ code: text, text, since: time }, ['code', 'text', 'since'])
const failover = object({ at: time, node: text, text }, ['at', 'node', 'text'])

export const home = object(
  {
    appliance,
    at: time,
    answer: object(
      {
        active: { ...flag, description: 'This member transmits' },
        peer: {
          type: 'string',
          enum: ['well', 'silent', 'away', 'none'],
          description: 'away: it was stopped on purpose; none: there is no other member',
        },
        lines: object({ ready: count, total: count }, ['ready', 'total']),
      },
      ['active', 'peer', 'lines'],
    ),
    members: list(member),
    lines: list(line),
    depth: status.properties.queue,
    failover: { anyOf: [failover, { type: 'null' }] },
    alarms: list(alarm),
  },
  ['appliance', 'at', 'answer', 'members', 'lines', 'depth', 'failover', 'alarms'],
)

export type Session = Shape<typeof session>
export type Login = Shape<typeof login>
export type Setup = Shape<typeof setup>
export type User = Shape<typeof user>
export type UserList = Shape<typeof userList>
export type NewUser = Shape<typeof newUser>
export type UserChange = Shape<typeof userChange>
export type Home = Shape<typeof home>

/** What comes over `GET /api/v1/events`, by the name of the event; each as JSON in `data`. */
export interface LiveEvents {
  /** At once, and whenever something in it has changed, at most twice a second. */
  status: Home
  /**
   * Messages of which something has changed, at most twice a second. Without ids it may be any: so many at once, or
   * changes that another member made.
   */
  message: { ids: string[] }
  /** The replicated configuration changed. */
  configuration: { head: string | null }
  /** A line of the failover log, of any member. */
  failover: { at: string; node: string; text: string }
  /**
   * Somebody did something that the audit log of a member has: users, tokens, a member's own file. At most twice a
   * second, without saying what: who may know asks.
   */
  audit: Record<string, never>
}
