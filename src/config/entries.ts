/**
 * Contacts and groups as settings of their own: a revision changes `contacts/ops` and not the whole list, so that two
 * people may change two contacts at a time and a history of 10,000 contacts stays small. Pure.
 *
 * An entry's value is as people write it; `null` is one that was removed, whatever the file says.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Book,
  type Contact,
  checkBook,
  type Group,
  nameKey,
  readContact,
  readGroup,
} from './contacts.ts'

export const entryLists = ['contacts', 'groups'] as const
export type EntryList = (typeof entryLists)[number]

export interface EntryProblem {
  /** Such as `contacts/ops.sms`. */
  path: string
  text: string
}

export const isEntryList = (path: string): path is EntryList => entryLists.some((list) => list === path)

export const entryPath = (list: EntryList, id: string): string => `${list}/${nameKey(id)}`

/** @returns undefined when the path is not that of an entry */
export function entryPlace(path: string): { list: EntryList; key: string } | undefined {
  const match = /^(contacts|groups)\/([a-z][a-z0-9._-]{0,62})$/.exec(path)
  const list = entryLists.find((one) => one === match?.[1])
  return list === undefined ? undefined : { list, key: match?.[2] ?? '' }
}

/** Steps such as `['members', 0]` as people write them: `.members[0]`. */
export const placeText = (path: readonly (string | number)[]): string =>
  path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')

export type ReadEntry =
  | { list: 'contacts'; key: string; entry: Contact }
  | { list: 'groups'; key: string; entry: Group }
  | { list: EntryList; key: string; entry: null }
  | { problems: EntryProblem[] }

/** @param value an object with the entry's keys, or null for none; its id may be left away, for the path says it */
export function readEntry(path: string, value: unknown): ReadEntry | undefined {
  const place = entryPlace(path)
  if (place === undefined) return undefined
  const { list, key } = place
  if (value === null) return { list, key, entry: null }
  const problems: EntryProblem[] = []
  const report = (steps: readonly (string | number)[], text: string) =>
    problems.push({ path: path + placeText(steps), text })
  const whole = typeof value === 'object' && !Array.isArray(value) ? { id: key, ...value } : value
  const read =
    list === 'contacts'
      ? { list, entry: readContact(whole, report) }
      : ({ list, entry: readGroup(whole, report) } as const)
  if (read.entry !== undefined && nameKey(read.entry.id) !== key)
    report(['id'], `is not ${key}; an entry is renamed by removing it and adding it with the new id`)
  if (problems.length > 0 || read.entry === undefined) return { problems }
  return read.list === 'contacts'
    ? { list: read.list, key, entry: read.entry }
    : { list: read.list, key, entry: read.entry }
}

/** The file's entries with those that revisions decide over them; what cannot be read leaves the file's. */
export function mergeEntries(
  file: Book,
  decided: Iterable<readonly [path: string, value: unknown]>,
): { book: Book; problems: EntryProblem[] } {
  const contacts = new Map(file.contacts.map((entry) => [nameKey(entry.id), entry]))
  const groups = new Map(file.groups.map((entry) => [nameKey(entry.id), entry]))
  const problems: EntryProblem[] = []
  for (const [path, value] of decided) {
    const read = value === undefined ? undefined : readEntry(path, value)
    if (read === undefined) continue
    if ('problems' in read) problems.push(...read.problems)
    else if (read.entry === null) (read.list === 'contacts' ? contacts : groups).delete(read.key)
    else if (read.list === 'contacts') contacts.set(read.key, read.entry)
    else groups.set(read.key, read.entry)
  }
  const book: Book = { contacts: [...contacts.values()].sort(byId), groups: [...groups.values()].sort(byId) }
  return { book, problems: [...problems, ...bookProblems(book)] }
}

/** What is wrong between entries. No text names a place in the list, which another entry may shift. */
export function bookProblems(book: Book): EntryProblem[] {
  const problems: EntryProblem[] = []
  checkBook(book, (steps, text) => {
    const [list = '', index, ...rest] = steps
    const entry = list === 'contacts' ? book.contacts[Number(index)] : book.groups[Number(index)]
    const path = isEntryList(`${list}`) && entry !== undefined ? `${list}/${nameKey(entry.id)}` : `${list}`
    problems.push({ path: path + placeText(rest), text })
  })
  return problems
}

/** The changes of single entries that make one list of another. */
export function entryChanges(
  list: EntryList,
  from: readonly { id: string }[],
  to: readonly { id: string }[],
): { path: string; value: unknown }[] {
  const before = new Map(from.map((entry) => [nameKey(entry.id), entry]))
  const changes = to.flatMap((entry) => {
    const same = isDeepStrictEqual(before.get(nameKey(entry.id)), entry)
    before.delete(nameKey(entry.id))
    return same ? [] : [{ path: entryPath(list, entry.id), value: entry }]
  })
  return [...changes, ...[...before.keys()].map((id) => ({ path: entryPath(list, id), value: null }))]
}

const byId = (a: { id: string }, b: { id: string }): number => {
  const [one, other] = [nameKey(a.id), nameKey(b.id)]
  return one < other ? -1 : one > other ? 1 : 0
}
