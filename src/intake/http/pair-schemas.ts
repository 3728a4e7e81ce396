/** The shapes of the pair over HTTP. */

import { roles } from '#pair/contract.ts'
import { drills } from '#pair/control.ts'
import { count, flag, list, object, text, time } from './schemas.ts'

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
  { code: { ...text, description: 'To be typed in on the other appliance; works once' }, expires: time },
  ['code', 'expires'],
)

export const joinRequest = object({ code: { type: 'string', minLength: 1, maxLength: 1_000 } }, ['code'])
export const joined = object({ inviter: text, members: list(text) }, ['inviter', 'members'])

const nodeName = { type: 'string', minLength: 1, maxLength: 63 } as const
export const removeRequest = object({ node: nodeName }, ['node'])
export const drillRequest = object({ kind: { type: 'string', enum: drills } }, ['kind'])
export const drillBegun = object({ text: { ...text, description: 'What happens now, and how it ends' } }, [
  'text',
])

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
