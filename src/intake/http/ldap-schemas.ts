/** The shapes of the import of contacts from a directory (LDAP). */
import { count, flag, list, object, type Shape, text, time } from './schemas.ts'

const refused = object(
  {
    entry: { ...text, description: 'Its DN' },
    field: { ...text, description: 'The value that was left away; absent: the whole entry' },
    text: { ...text, description: 'Why, for people' },
  },
  ['entry', 'text'],
)

const run = object(
  {
    at: time,
    took: { ...count, description: 'ms' },
    reachable: { ...flag, description: 'The directory answered, whatever it said' },
    failure: { ...text, description: 'Why nothing was taken and everything stayed; absent: it was' },
    contacts: { ...count, description: 'Entries that make contacts' },
    made: count,
    changed: count,
    removed: count,
    refused: { ...count, description: 'Entries and values that could not be taken' },
    refusals: { ...list(refused), description: 'The first 100 of them' },
  },
  ['at', 'took', 'reachable', 'contacts', 'made', 'changed', 'removed', 'refused', 'refusals'],
)

export const ldapState = object(
  {
    node: { ...text, description: 'The member that asks, which is the active one' },
    configured: { ...flag, description: 'Its file says where a directory is' },
    url: text,
    base: text,
    filter: text,
    every: { ...text, description: 'Such as 1h' },
    running: flag,
    last: { ...run, description: 'The last run since this member is active or started' },
    succeeded: { ...time, description: 'When contacts were taken last' },
    next: time,
  },
  ['node', 'configured', 'running'],
)

export type LdapView = Shape<typeof ldapState>
