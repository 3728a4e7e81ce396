/**
 * What an import from a directory changes. Pure. Contacts that people made are never touched; those of the import follow
 * the directory: they are made, changed, and taken out again together with their places in groups.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Book, type Contact, nameKey, readContact } from '#config/contacts.ts'
import { entryPath } from '#config/entries.ts'
import type { LdapConfig } from '#config/ldap.ts'

export interface DirectoryPlan {
  changes: { path: string; value: unknown }[]
  /** How many entries make contacts. */
  contacts: number
  /** How many of the changes make, change and remove contacts. */
  made: number
  changed: number
  removed: number
  refused: Refused[]
}

/** What cannot be taken: an entry, or one value of it. */
export interface Refused {
  /** Its DN. */
  entry: string
  /** The value that was left away: `sms`, `fax` or `mail`. Absent: the whole entry. */
  field?: string
  /** Why, a sentence for people. */
  text: string
}

/** As ldapts gives it: one value, several, or none. `dn` is always there. */
export type DirectoryEntry = Readonly<Record<string, Buffer | Buffer[] | string[] | string>>

export function planDirectory(
  entries: readonly DirectoryEntry[],
  attributes: LdapConfig['attributes'],
  { contacts, groups }: Book,
): DirectoryPlan {
  const known = new Map(contacts.map((contact) => [nameKey(contact.id), contact]))
  const taken = new Set(groups.map(({ id }) => nameKey(id)))
  const found = new Map<string, Contact>()
  const refused: Refused[] = []
  for (const entry of entries) {
    const dn = first(entry, 'dn') ?? ''
    const { contact, problems } = contactOf(entry, attributes)
    refused.push(...problems.map((problem) => ({ entry: dn, ...problem })))
    if (contact === undefined) continue
    const key = nameKey(contact.id)
    const before = known.get(key)
    if (before !== undefined && before.source !== 'ldap')
      refused.push({ entry: dn, text: `${contact.id} is a contact that somebody made; it stays as it is` })
    else if (taken.has(key)) refused.push({ entry: dn, text: `${contact.id} is the id of a group` })
    else if (found.has(key))
      refused.push({ entry: dn, text: `another entry of the directory has the id ${contact.id}` })
    else found.set(key, contact)
  }
  const changes: DirectoryPlan['changes'] = []
  let made = 0
  for (const [key, contact] of found) {
    if (isDeepStrictEqual(known.get(key), contact)) continue
    if (!known.has(key)) made += 1
    changes.push({ path: entryPath('contacts', key), value: contact })
  }
  const changed = changes.length - made
  const gone = new Set(
    [...known].filter(([key, { source }]) => source === 'ldap' && !found.has(key)).map(([key]) => key),
  )
  for (const key of gone) changes.push({ path: entryPath('contacts', key), value: null })
  for (const group of groups) {
    const members = group.members.filter((member) => !gone.has(nameKey(member)))
    if (members.length < group.members.length)
      changes.push({ path: entryPath('groups', group.id), value: { ...group, members } })
  }
  return { changes, contacts: found.size, made, changed, removed: gone.size, refused }
}

/** A number or an address that cannot be used is left away, and the entry with it when nothing else is there. */
function contactOf(
  entry: DirectoryEntry,
  { id, name, sms, fax, mail }: LdapConfig['attributes'],
): { contact?: Contact; problems: Omit<Refused, 'entry'>[] } {
  const values = {
    id: first(entry, id),
    name: first(entry, name)?.slice(0, 100),
    sms: first(entry, sms),
    fax: first(entry, fax),
    mail: first(entry, mail),
    source: 'ldap',
  }
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  const wrong = new Map<string, string>()
  const contact = readContact(given, ([field], text) => wrong.set(String(field ?? ''), text))
  const whole = ['', 'id', 'name'].find((key) => wrong.has(key))
  if (contact === undefined || whole !== undefined) {
    const text = `${whole === undefined || whole === '' ? '' : `${whole} `}${wrong.get(whole ?? '') ?? ''}`
    return { problems: [{ text: text.trim() }] }
  }
  const ways = ['sms', 'fax', 'mail'] as const
  const problems = ways.flatMap((field) => {
    const text = wrong.get(field)
    if (text === undefined) return []
    delete contact[field]
    return [{ field, text }]
  })
  if (ways.some((way) => contact[way] !== undefined)) return { contact, problems }
  return { problems: [...problems, { text: 'has neither sms, fax nor mail that can be used' }] }
}

/** Names of attributes have no case (RFC 4512 2.5). */
function first(entry: DirectoryEntry, attribute: string): string | undefined {
  const key = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase())
  const value = key === undefined ? undefined : [entry[key]].flat()[0]
  const text = value?.toString().trim()
  return text === '' ? undefined : text
}
