/** The shapes of the audit log and of the failover log over HTTP. */
import { count, flag, list, object, page, pageQuery, text, time } from './schemas.ts'

const day = {
  type: 'string',
  pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$',
  description: 'A day, local time of the appliance, such as 2026-11-21; today when absent',
} as const

export const auditQuery = object(
  {
    limit: pageQuery.limit,
    after: {
      type: 'string',
      pattern: '^[0-9]{1,15}$',
      description: 'The number after which the page begins',
    },
    node: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      description: 'Whose records; this appliance when absent',
    },
  },
  [],
)

export const auditPage = page(
  object({ node: text, number: count, at: time, who: text, what: text, text, hash: text }, [
    'node',
    'number',
    'at',
    'who',
    'what',
    'text',
    'hash',
  ]),
)

export const auditReport = object(
  {
    whole: { ...flag, description: 'Every chain is unbroken, and all copies agree' },
    chains: list(
      object(
        {
          node: text,
          records: { ...count, description: 'The newest record that is held here' },
          fault: object({ number: count, fault: { type: 'string', enum: ['altered', 'missing'] } }, [
            'number',
            'fault',
          ]),
          copies: list(
            object({ member: text, records: count, agrees: flag }, ['member', 'records', 'agrees']),
          ),
        },
        ['node', 'records', 'copies'],
      ),
    ),
    silent: { ...list(text), description: 'Members that did not answer' },
  },
  ['whole', 'chains', 'silent'],
)

export const failoverQuery = object({ day }, [])

export const failoverDay = object(
  {
    day: text,
    lines: list(text),
    days: { ...list(text), description: 'All days that have lines, newest first' },
  },
  ['day', 'lines', 'days'],
)
