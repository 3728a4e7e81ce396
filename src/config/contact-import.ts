/**
 * Contacts from a table: what it would change, and what is wrong with which line. Those that the table does not name
 * stay; nobody is taken out of a group. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { parseCsv } from '#core/csv.ts'
import {
  type Book,
  bookLimits,
  type Contact,
  type Group,
  nameKey,
  readContact,
  readGroup,
} from './contacts.ts'
import { bookProblems, entryPath } from './entries.ts'
import { quoted } from './section.ts'

export interface ImportProblem {
  /** Of the file, from 1. */
  line: number
  text: string
}

export interface ImportPlan {
  problems: ImportProblem[]
  /** Ids. */
  added: string[]
  changed: string[]
  unchanged: number
  newGroups: string[]
  /** For Settings.set(); empty where there is a problem. */
  changes: { path: string; value: unknown }[]
}

const columns = ['id', 'name', 'sms', 'fax', 'mail', 'groups'] as const
type Column = (typeof columns)[number]

/** Problems that are told; a file of another kind has one on each line. */
const MOST_PROBLEMS = 1_000

export function planImport(text: string, book: Book): ImportPlan {
  const csv = parseCsv(text, bookLimits.contacts + 1)
  if ('problem' in csv) return failed({ line: csv.line, text: csv.problem })
  const [header, ...records] = csv.records
  if (header === undefined)
    return failed({ line: 1, text: `the file is empty; its first line names columns: ${columns.join(', ')}` })
  const names = header.fields.map((name) => name.trim().toLowerCase())
  const wrong = names.find((name) => !columns.some((column) => column === name))
  if (wrong !== undefined)
    return failed({
      line: header.line,
      text: `${quoted(wrong)} is no column; the first line names columns: ${columns.join(', ')}`,
    })
  if (!names.includes('id') || new Set(names).size !== names.length)
    return failed({ line: header.line, text: 'the first line must name the column id, and none twice' })

  const problems: ImportProblem[] = []
  const contacts = new Map(book.contacts.map((one) => [nameKey(one.id), one]))
  const groups = new Map(book.groups.map((one) => [nameKey(one.id), one]))
  const seen = new Map<string, number>()
  const plan: ImportPlan = { problems, added: [], changed: [], unchanged: 0, newGroups: [], changes: [] }
  const touched = new Map<string, Group>()
  for (const { line, fields } of records) {
    const report = (field: string, problem: string) =>
      problems.push({ line, text: field === '' ? problem : `${field}: ${problem}` })
    if (fields.length !== names.length) {
      report('', `has ${fields.length} fields, and the first line names ${names.length}`)
      continue
    }
    const row = rowOf(names, fields)
    const contact = readContact(row.contact, ([field = ''], problem) => report(String(field), problem))
    if (contact === undefined) continue
    const key = nameKey(contact.id)
    const twin = seen.get(key)
    if (twin !== undefined) report('id', `${quoted(contact.id)} stands in line ${twin} already`)
    seen.set(key, line)
    const before = contacts.get(key)
    contacts.set(key, contact)
    if (before === undefined) plan.added.push(contact.id)
    else if (isDeepStrictEqual(before, contact)) plan.unchanged += 1
    else plan.changed.push(contact.id)
    if (!isDeepStrictEqual(before, contact))
      plan.changes.push({ path: entryPath('contacts', contact.id), value: contact })
    for (const name of row.groups) {
      const group = readGroup({ id: name, members: [] }, (_, problem) => report('groups', problem))
      if (group === undefined) continue
      const known = groups.get(nameKey(name)) ?? group
      if (!groups.has(nameKey(name))) plan.newGroups.push(name)
      if (groups.has(nameKey(name)) && known.members.some((one) => nameKey(one) === key)) continue
      const grown = { ...known, members: [...known.members, contact.id] }
      groups.set(nameKey(name), grown)
      touched.set(nameKey(name), grown)
    }
  }
  for (const group of touched.values())
    plan.changes.push({ path: entryPath('groups', group.id), value: group })
  problems.push(...between(book, { contacts: [...contacts.values()], groups: [...groups.values()] }, seen))
  problems.splice(MOST_PROBLEMS)
  if (problems.length > 0) plan.changes = []
  return plan
}

function rowOf(
  names: readonly string[],
  fields: readonly string[],
): { contact: Partial<Contact>; groups: string[] } {
  const of = (column: Column) => fields[names.indexOf(column)]?.trim() ?? ''
  const given = (['id', 'name', 'sms', 'fax', 'mail'] as const).filter((column) => of(column) !== '')
  const groups = of('groups')
    .split(/[\s,;|]+/)
    .filter((name) => name !== '')
  return {
    contact: Object.fromEntries(given.map((column) => [column, of(column)])),
    groups: [...new Set(groups)],
  }
}

/** What would be wrong between the entries then, and is not so already. */
function between(before: Book, after: Book, lines: ReadonlyMap<string, number>): ImportProblem[] {
  const old = new Set(bookProblems(before).map(({ text }) => text))
  return bookProblems(after)
    .filter(({ text }) => !old.has(text))
    .map(({ path, text }) => ({ line: lines.get(path.split('/')[1]?.split('.')[0] ?? '') ?? 1, text }))
}

const failed = (problem: ImportProblem): ImportPlan => ({
  problems: [problem],
  added: [],
  changed: [],
  unchanged: 0,
  newGroups: [],
  changes: [],
})
