/**
 * Recipients as a request names them, numbers, contacts and groups, into numbers: each once, in the order given. Pure;
 * made anew when the contacts change, so that a message is expanded as the contacts are when it is accepted.
 *
 * What revisions of two members make together may hold what one of them would have refused: a group that names nobody,
 * or itself. Nothing here fails on that.
 */
import { type Book, type Contact, type Group, nameKey } from '#config/contacts.ts'
import type { Channel } from '#messages/message.ts'
import { parseRecipient } from '#messages/recipient.ts'

/** Who there is. Names are ids, without regard to case. */
export interface Directory {
  /** What the name stands for; undefined when nobody has it. */
  kind(name: string): 'contact' | 'group' | undefined
  /** The contact of that name, or every contact of the group, each once; groups in it included. */
  contacts(name: string): readonly Contact[]
}

export function createDirectory({ contacts, groups }: Book): Directory {
  const contactOf = new Map(contacts.map((contact) => [nameKey(contact.id), contact]))
  const groupOf = new Map(groups.map((group) => [nameKey(group.id), group]))
  const found = new Map<Group, readonly Contact[]>()

  function membersOf(group: Group): readonly Contact[] {
    const known = found.get(group)
    if (known !== undefined) return known
    const members = new Set<Contact>()
    const seen = new Set([group])
    // A set may grow while it is walked: every group is looked into once, however the groups hold each other.
    for (const one of seen) {
      for (const member of one.members) {
        const contact = contactOf.get(nameKey(member))
        const below = groupOf.get(nameKey(member))
        if (contact !== undefined) members.add(contact)
        else if (below !== undefined) seen.add(below)
      }
    }
    found.set(group, [...members])
    return [...members]
  }

  return {
    kind(name) {
      if (contactOf.has(nameKey(name))) return 'contact'
      return groupOf.has(nameKey(name)) ? 'group' : undefined
    },
    contacts(name) {
      const contact = contactOf.get(nameKey(name))
      if (contact !== undefined) return [contact]
      const group = groupOf.get(nameKey(name))
      return group === undefined ? [] : membersOf(group)
    },
  }
}

export interface Unusable {
  /** Place in the request's list, from 0. */
  index: number
  /** What is wrong and what is allowed. */
  problem: string
}

/** A number, and the place in the request's list that first named it. */
export type Expanded = Map<string, number>

/**
 * @param channel which of a contact's numbers is meant: a fax that rang a phone at night would be worse than a refusal
 * @param most recipients that are allowed; it stops soon after, however large the groups are
 * @returns each number once
 */
export function expand(
  to: readonly string[],
  channel: Channel,
  directory: Directory,
  most: number,
): Expanded | Unusable {
  const key = channel === 'fax' ? 'fax' : 'sms'
  const numbers: Expanded = new Map()
  for (const [index, text] of to.entries()) {
    const read = numbersOf(text, key, directory)
    if (typeof read === 'string') return { index, problem: read }
    for (const number of read) if (!numbers.has(number)) numbers.set(number, index)
    if (numbers.size > most) break
  }
  return numbers
}

/** Begins like a word: no number does. */
const namePattern = /^\s*\p{L}/u

function numbersOf(text: string, key: 'sms' | 'fax', directory: Directory): readonly string[] | string {
  if (!namePattern.test(text)) {
    const parsed = parseRecipient(text)
    return 'problem' in parsed ? parsed.problem : [parsed.number]
  }
  const name = text.trim()
  const kind = directory.kind(name)
  if (kind === undefined)
    return 'There is no contact or group of this name. Allowed are the id of a contact or a group, or a number.'
  const numbers = directory.contacts(name).flatMap(({ [key]: number }) => {
    const parsed = number === undefined ? { problem: '' } : parseRecipient(number)
    return 'problem' in parsed ? [] : [parsed.number]
  })
  if (numbers.length > 0) return numbers
  const what = key === 'fax' ? 'fax number' : 'number'
  return kind === 'contact'
    ? `This contact has no ${what}. Give it one (${key}), or name another contact, a group or a number.`
    : `Nobody in this group has a ${what}. Give one of its members one (${key}), or name another group, a contact or a number.`
}
