/** The shapes of what an appliance says of itself: its state, whether it is ready, and its totals. */
import { line } from './line-schemas.ts'
import { count, flag, list, object, text, time } from './schemas.ts'

export const status = object(
  {
    node: text,
    role: text,
    version: text,
    at: time,
    ready: flag,
    reason: text,
    queue: object(
      {
        queued: count,
        submitting: count,
        awaitingReport: count,
        unknown: count,
        oldest: time,
      },
      ['queued', 'submitting', 'awaitingReport', 'unknown'],
    ),
    lines: list(line),
  },
  ['node', 'role', 'version', 'at', 'ready', 'queue', 'lines'],
)

export const readiness = object({ ready: flag, reason: text }, ['ready'])

export const totalsQuery = object(
  {
    since: {
      type: 'string',
      maxLength: 40,
      description: 'A time (ISO 8601) or how far back from now (24h); everything when absent',
    },
    until: { type: 'string', maxLength: 40, description: 'As since; up to now when absent' },
    step: {
      type: 'string',
      enum: ['hour', 'day'],
      description: 'day: sums of the days of the appliance, `hour` is when each began; hour when absent',
    },
  },
  [],
)

const sums = {
  sent: count,
  delivered: count,
  failed: count,
  unknown: count,
  received: count,
} as const
const sumNames = ['sent', 'delivered', 'failed', 'unknown', 'received'] as const

export const totals = object(
  {
    since: time,
    items: list(
      object({ node: text, line: text, hour: time, ...sums }, ['node', 'line', 'hour', ...sumNames]),
    ),
    total: object(sums, sumNames),
  },
  ['since', 'items', 'total'],
)
