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
  /** Entries without an id that a contact may have, or whose id a contact or group has that people made. */
  skipped: number
}

/** As ldapts gives it: one value, several, or none. */
export type DirectoryEntry = Readonly<Record<string, Buffer | Buffer[] | string[] | string>>

export function planDirectory(
  entries: readonly DirectoryEntry[],
  attributes: LdapConfig['attributes'],
  { contacts, groups }: Book,
): DirectoryPlan {
  const known = new Map(contacts.map((contact) => [nameKey(contact.id), contact]))
  const taken = new Set(groups.map(({ id }) => nameKey(id)))
  const found = new Map<string, Contact>()
  let skipped = 0
  for (const entry of entries) {
    const contact = contactOf(entry, attributes)
    const key = contact === undefined ? '' : nameKey(contact.id)
    const before = known.get(key)
    const others = (before !== undefined && before.source !== 'ldap') || taken.has(key) || found.has(key)
    if (contact === undefined || others) skipped += 1
    else found.set(key, contact)
  }
  const changes: DirectoryPlan['changes'] = []
  for (const [key, contact] of found) {
    if (!isDeepStrictEqual(known.get(key), contact))
      changes.push({ path: entryPath('contacts', key), value: contact })
  }
  const gone = new Set(
    [...known].filter(([key, { source }]) => source === 'ldap' && !found.has(key)).map(([key]) => key),
  )
  for (const key of gone) changes.push({ path: entryPath('contacts', key), value: null })
  for (const group of groups) {
    const members = group.members.filter((member) => !gone.has(nameKey(member)))
    if (members.length < group.members.length)
      changes.push({ path: entryPath('groups', group.id), value: { ...group, members } })
  }
  return { changes, contacts: found.size, skipped }
}

/** A number or an address that cannot be used is left away, and the entry with it when nothing else is there. */
function contactOf(
  entry: DirectoryEntry,
  { id, name, sms, fax, mail }: LdapConfig['attributes'],
): Contact | undefined {
  const values = {
    id: first(entry, id),
    name: first(entry, name)?.slice(0, 100),
    sms: first(entry, sms),
    fax: first(entry, fax),
    mail: first(entry, mail),
    source: 'ldap',
  }
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  const wrong = new Set<string>()
  const contact = readContact(given, ([field]) => wrong.add(String(field ?? '')))
  if (contact === undefined || wrong.has('') || wrong.has('name')) return undefined
  const ways = ['sms', 'fax', 'mail'] as const
  for (const way of ways) if (wrong.has(way)) delete contact[way]
  return ways.every((way) => contact[way] === undefined) ? undefined : contact
}

/** Names of attributes have no case (RFC 4512 2.5). */
function first(entry: DirectoryEntry, attribute: string): string | undefined {
  const key = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase())
  const value = key === undefined ? undefined : [entry[key]].flat()[0]
  const text = value?.toString().trim()
  return text === '' ? undefined : text
}
