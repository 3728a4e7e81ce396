/** The shapes of the pair over HTTP. */

import { roles } from '#pair/contract.ts'
import { drills } from '#pair/control.ts'
import { expectedFailover } from './own-schemas.ts'
import { count, flag, list, object, type Shape, text, time } from './schemas.ts'

const ms = { type: 'number', minimum: 0, description: 'ms' } as const
const label = { ...text, description: 'The role as people read it, such as Active (Primary)' } as const
const term = object({ counter: count, node: text }, ['counter', 'node'])
const role = { type: 'string', enum: roles } as const

const replication = object(
  {
    state: { type: 'string', enum: ['disconnected', 'catchingUp', 'current', 'lagging', 'snapshot'] },
    behind: { ...count, description: 'Own entries that it has not acknowledged' },
    problem: { ...text, description: 'Its disk refuses writes' },
  },
  ['state', 'behind'],
)

const member = object(
  {
    node: text,
    fingerprint: { ...text, description: 'SHA-256 of its certificate' },
    addresses: list(text),
    priority: count,
    label,
    signal: { type: 'string', enum: ['LIVE', 'DEAD', 'CLOSE'] },
    role,
    term,
    silentMs: { ...ms, description: 'Since its last heartbeat, ms' },
    skewMs: { type: 'number', description: 'How far its clock is ahead, ms' },
    paths: list(object({ address: text, up: flag, roundTripMs: ms }, ['address', 'up'])),
    healthy: flag,
    linesHealthy: count,
    queued: count,
    revision: text,
    position: { ...count, description: 'The newest entry of its own log, as it told' },
    replication,
  },
  ['node', 'fingerprint', 'addresses', 'priority', 'label', 'paths'],
)

export const pairStatus = object(
  {
    node: text,
    fingerprint: text,
    standing: { type: 'string', enum: ['single', 'member', 'removed'] },
    role,
    label,
    term,
    since: time,
    reason: { ...text, description: 'Why it has this role' },
    active: { ...text, description: 'The member that is active, as far as this one knows' },
    revision: { ...text, description: 'The newest revision of the settings here' },
    failover: expectedFailover,
    vip: object({ address: text, driver: text, here: { ...flag, description: 'This member holds it' } }, [
      'address',
      'driver',
      'here',
    ]),
    members: list(member),
    witness: object(
      {
        address: text,
        state: { type: 'string', enum: ['reachable', 'silent', 'refusing', 'unknown'] },
        roundTripMs: ms,
      },
      ['address', 'state'],
    ),
    profile: object(
      {
        name: text,
        interval: ms,
        misses: count,
        lease: ms,
        grantWait: ms,
        bytesPerHour: { type: 'number', minimum: 0, description: 'Heartbeats on the wire, both ways' },
      },
      ['name', 'interval', 'misses', 'lease', 'grantWait', 'bytesPerHour'],
    ),
    promises: list(
      object(
        {
          fault: text,
          text,
          outage: { ...ms, description: 'The longest that clients are expected to wait, ms' },
          bothServe: flag,
        },
        ['fault', 'text', 'outage', 'bothServe'],
      ),
    ),
  },
  [
    'node',
    'fingerprint',
    'standing',
    'role',
    'label',
    'term',
    'since',
    'reason',
    'members',
    'profile',
    'promises',
  ],
)

export const invitation = object(
  {
    code: { ...text, description: 'To be typed in on the other appliance; works once' },
    expires: time,
    qr: { ...text, description: 'The code as a picture, SVG' },
  },
  ['code', 'expires'],
)

export const joinRequest = object({ code: { type: 'string', minLength: 1, maxLength: 1_000 } }, ['code'])
export const joined = object({ inviter: text, members: list(text) }, ['inviter', 'members'])

const nodeName = { type: 'string', minLength: 1, maxLength: 63 } as const
export const removeRequest = object({ node: nodeName }, ['node'])
export const drillRequest = object({ kind: { type: 'string', enum: drills } }, ['kind'])
export const drillBegun = object(
  {
    text: { ...text, description: 'What happens now, and how it ends' },
    id: { ...text, description: 'Of its report' },
  },
  ['text'],
)

/** What a drill showed; kept by every member. */
const drillReport = object(
  {
    id: text,
    kind: { type: 'string', enum: drills },
    node: { ...text, description: 'The member that the fault was on' },
    role: { ...text, description: 'Its role when it began' },
    who: text,
    at: { ...time, description: 'When the fault began' },
    state: { type: 'string', enum: ['running', 'done'] },
    takenBy: { ...text, description: 'The member that became active; absent when none had to' },
    seconds: {
      type: 'number',
      minimum: 0,
      description: 'From the fault until another member was active; 0 when none had to',
    },
    messages: { ...count, description: 'Deliveries accepted meanwhile' },
    lost: { ...count, description: 'Of these, neither sent nor waiting to be sent' },
    duplicated: { ...count, description: 'Of these, possibly sent twice' },
    text: { ...text, description: 'All this as a sentence' },
  },
  ['id', 'kind', 'node', 'role', 'who', 'at', 'state', 'text'],
)
export const drillList = object({ items: { ...list(drillReport), description: 'Newest first' } }, ['items'])

export const recoverRequest = object(
  { from: { ...nodeName, description: 'Ask only this member; all when absent' } },
  [],
)
export const recovery = object(
  {
    steps: list(text),
    members: list(
      object({ node: text, reached: flag, received: count, sent: count, behind: count }, [
        'node',
        'reached',
        'received',
        'sent',
        'behind',
      ]),
    ),
    conflicts: list(object({ revision: text, path: text }, ['revision', 'path'])),
    duplicates: list(object({ message: text, delivery: text, to: text }, ['message', 'delivery', 'to'])),
    same: { ...flag, description: 'This appliance and every member that was asked hold the same' },
    advice: list(text),
  },
  ['steps', 'members', 'conflicts', 'duplicates', 'same', 'advice'],
)

export type PairView = Shape<typeof pairStatus>
export type Invitation = Shape<typeof invitation>
export type DrillList = Shape<typeof drillList>
export type DrillReport = DrillList['items'][number]
