/**
 * Contacts and groups: what each may be, in the file, in a request and in another member's revision alike. Read from
 * plain values and not key by key, because there may be 10,000 of them. Pure.
 */
import { parseRecipient } from '#messages/recipient.ts'
import { parseMailAddress } from './mail.ts'
import { quoted } from './section.ts'

export interface Contact {
  id: string
  name: string
  /** As people write it; parseRecipient() reads it. */
  sms?: string
  /** The number of a fax machine, likewise. */
  fax?: string
  mail?: string
  /** An import keeps it up to date, and takes away again what its source no longer has. */
  source?: 'ldap'
}

export interface Group {
  id: string
  name?: string
  /** Ids of contacts and groups. */
  members: readonly string[]
}

export interface Book {
  contacts: readonly Contact[]
  groups: readonly Group[]
}

export const bookLimits = { contacts: 10_000, groups: 1_000, members: 10_000, name: 100 } as const

/** @param path where in the value, such as `[0, 'sms']` */
export type Report = (path: Path, text: string) => void
export type Path = readonly (string | number)[]

const idPattern = /^[A-Za-z][A-Za-z0-9._-]{0,62}$/
const idAllowed = 'write a letter and then up to 62 letters, digits, dots, - and _'

/** Ids are compared without regard to case: mail programs change it. */
export const nameKey = (id: string): string => id.toLowerCase()

export const readContacts = (value: unknown, report: Report): Contact[] =>
  readList(value, bookLimits.contacts, readContact, report)

export const readGroups = (value: unknown, report: Report): Group[] =>
  readList(value, bookLimits.groups, readGroup, report)

function readList<T extends { id: string }>(
  value: unknown,
  most: number,
  read: (value: unknown, report: Report) => T | undefined,
  report: Report,
): T[] {
  const known = new Map<string, number>()
  return entries(value, most, report).flatMap((one, index) => {
    const entry = read(one, (path, text) => report([index, ...path], text))
    if (entry === undefined) return []
    const twin = known.get(nameKey(entry.id))
    if (twin !== undefined)
      report([index, 'id'], `${quoted(entry.id)} is already the id of entry ${twin + 1}`)
    known.set(nameKey(entry.id), index)
    return [entry]
  })
}

export function readContact(value: unknown, report: Report): Contact | undefined {
  const fields = fieldsOf(value, ['id', 'name', 'sms', 'fax', 'mail', 'source'], report)
  if (fields === undefined) return undefined
  const id = readId(fields, report)
  const name = textOf(fields, 'name', report) ?? id
  const sms = textOf(fields, 'sms', report)
  const fax = textOf(fields, 'fax', report)
  const mail = textOf(fields, 'mail', report)
  const source = textOf(fields, 'source', report)
  if (name !== undefined) checkName(name, report)
  for (const [key, number] of Object.entries({ sms, fax })) {
    const parsed = number === undefined ? undefined : parseRecipient(number)
    if (number !== undefined && parsed !== undefined && 'problem' in parsed)
      report([key], `${quoted(number)} is no number. ${parsed.problem}`)
  }
  const address = mail === undefined ? undefined : parseMailAddress(mail)
  if (address !== undefined && 'allowed' in address)
    report(['mail'], `${quoted(mail ?? '')} is no mail address; ${address.allowed}`)
  if (source !== undefined && source !== 'ldap') report(['source'], 'allowed: ldap, or leave it away')
  if (['sms', 'fax', 'mail'].every((key) => fields[key] === undefined))
    report([], 'has neither sms, fax nor mail; give at least one of them')
  if (id === undefined || name === undefined) return undefined
  return {
    id,
    name,
    ...(sms === undefined ? {} : { sms }),
    ...(fax === undefined ? {} : { fax }),
    ...(mail === undefined ? {} : { mail }),
    ...(source === 'ldap' ? { source } : {}),
  }
}

export function readGroup(value: unknown, report: Report): Group | undefined {
  const fields = fieldsOf(value, ['id', 'name', 'members'], report)
  if (fields === undefined) return undefined
  const id = readId(fields, report)
  const name = textOf(fields, 'name', report)
  if (name !== undefined) checkName(name, report)
  const { members } = fields
  if (members === undefined) report(['members'], 'is missing; name contacts and groups, or write []')
  const below: Report = (path, text) => report(['members', ...path], text)
  const words = entries(members, bookLimits.members, below).flatMap((one, index) => {
    if (typeof one === 'string' && idPattern.test(one)) return [one]
    below([index], `${quoted(String(one))} is no id of a contact or group; ${idAllowed}`)
    return []
  })
  return id === undefined
    ? undefined
    : { id, ...(name === undefined ? {} : { name }), members: [...new Set(words)] }
}

/** What is wrong between the entries: ids that a contact and a group have, members that nobody is, groups that hold themselves. */
export function checkBook({ contacts, groups }: Book, report: Report): void {
  if (contacts.length > bookLimits.contacts)
    report(['contacts'], `are ${contacts.length}; at most ${bookLimits.contacts} are allowed`)
  if (groups.length > bookLimits.groups)
    report(['groups'], `are ${groups.length}; at most ${bookLimits.groups} are allowed`)
  const holders = new Set(contacts.map(({ id }) => nameKey(id)))
  for (const [index, { id }] of groups.entries()) {
    if (holders.has(nameKey(id))) report(['groups', index, 'id'], `${quoted(id)} is the id of a contact, too`)
  }
  for (const { id } of groups) holders.add(nameKey(id))
  for (const [index, { id, members }] of groups.entries()) {
    for (const [place, member] of members.entries()) {
      if (holders.has(nameKey(member))) continue
      const text = `${quoted(id)} names ${quoted(member)}, which is no contact or group`
      report(['groups', index, 'members', place], text)
    }
  }
  const byId = new Map(groups.map((group) => [nameKey(group.id), group]))
  for (const circle of circles(byId)) {
    const index = groups.findIndex(({ id }) => id === circle[0])
    report(['groups', index, 'members'], `the group holds itself: ${circle.join(' > ')}`)
  }
}

/** Each circle once, from the group that was met first back to it. Without recursion: chains may be 1,000 long. */
function circles(groups: ReadonlyMap<string, Group>): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  for (const start of groups.keys()) {
    const path: { key: string; next: number }[] = [{ key: start, next: 0 }]
    const onPath = new Set([start])
    while (path.length > 0 && !done.has(start)) {
      const here = path.at(-1)
      const group = here && groups.get(here.key)
      const member = group?.members[here?.next ?? 0]
      if (here === undefined || member === undefined) {
        const left = path.pop()
        if (left !== undefined) {
          onPath.delete(left.key)
          done.add(left.key)
        }
        continue
      }
      here.next += 1
      const key = nameKey(member)
      if (onPath.has(key)) {
        const from = path.findIndex((one) => one.key === key)
        const names = [...path.slice(from).map((one) => one.key), key]
        found.push(names.map((name) => groups.get(name)?.id ?? name))
      } else if (groups.has(key) && !done.has(key)) {
        path.push({ key, next: 0 })
        onPath.add(key)
      }
    }
  }
  return found
}

function entries(value: unknown, most: number, report: Report): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    report([], 'must be a list')
    return []
  }
  const list: readonly unknown[] = value
  if (list.length <= most) return list
  report([], `has ${list.length} entries; at most ${most} are allowed`)
  return []
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown, allowed: readonly string[], report: Report): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report([], `must be a section with the keys ${allowed.join(', ')}`)
    return undefined
  }
  for (const key of Object.keys(value))
    if (!allowed.includes(key)) report([key], `unknown key; allowed: ${allowed.join(', ')}`)
  return Object.fromEntries(Object.entries(value))
}

function textOf(fields: Fields, key: string, report: Report): string | undefined {
  const value = fields[key]
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.trim() !== '') return value.trim()
  report([key], value === '' ? 'is empty; give a value or remove the key' : 'must be a text')
  return undefined
}

function readId(fields: Fields, report: Report): string | undefined {
  if (fields['id'] === undefined) report(['id'], 'is missing')
  const id = textOf(fields, 'id', report)
  if (id === undefined || idPattern.test(id)) return id
  report(['id'], `${quoted(id)} is not allowed here; ${idAllowed}`)
  return undefined
}

function checkName(name: string, report: Report): void {
  if (name.length > bookLimits.name || /\p{Cc}/u.test(name))
    report(['name'], `must be at most ${bookLimits.name} characters, without line breaks`)
}
