/**
 * The directory (LDAP, RFC 4511) that contacts are taken from. Each member's own, because the password must not travel
 * with the settings; what is imported does.
 */
import type { Parsed, Section } from './section.ts'
import { matching } from './values.ts'

export interface LdapConfig {
  /** `ldap://host:389` or `ldaps://host:636`. */
  url: string
  /** DN and password; absent: anonymous. */
  login?: { bind: string; password: string }
  base: string
  filter: string
  /** ms */
  every: number
  /** Which attribute gives what. */
  attributes: { id: string; name: string; sms: string; fax: string; mail: string }
}

const minute = 60_000

export function readLdap(root: Section): LdapConfig | undefined {
  const section = root.section('ldap')
  if (!root.has('ldap')) return undefined
  for (const key of ['url', 'base']) section.required(key)
  const url = section.parsed('url', parseUrl)
  const bind = section.text('bind')
  const password = section.parsed('password', (value) => ({ value }), true)
  if ((bind === undefined) !== (password === undefined))
    section.problem('bind', 'and password go together: give both, or neither for an anonymous connection')
  const base = section.text('base')
  const filter = section.parsed('filter', parseFilter) ?? '(mobile=*)'
  const every = section.duration('every', 60 * minute, { min: minute, max: 10_080 * minute })
  const names = section.section('attributes')
  const attribute = (key: string, byDefault: string) =>
    names.parsed(
      key,
      matching(/^[A-Za-z][A-Za-z0-9;-]{0,63}$/, 'write the name of an attribute, such as mobile'),
    ) ?? byDefault
  const attributes = {
    id: attribute('id', 'uid'),
    name: attribute('name', 'cn'),
    sms: attribute('sms', 'mobile'),
    // RFC 4519, 2.10.
    fax: attribute('fax', 'facsimileTelephoneNumber'),
    mail: attribute('mail', 'mail'),
  }
  names.finish()
  section.finish()
  if (url === undefined || base === undefined) return undefined
  const login = bind === undefined || password === undefined ? {} : { login: { bind, password } }
  return { url, base, filter, every, attributes, ...login }
}

function parseUrl(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url !== undefined && url.pathname.length <= 1 && url.username === '' && url.search === ''
  return plain && (url.protocol === 'ldap:' || url.protocol === 'ldaps:') && url.hostname !== ''
    ? { value: text }
    : { allowed: 'write ldaps://host:636 or ldap://host:389; base, bind and password have keys of their own' }
}

/** RFC 4515: a filter stands in brackets, each of them closed. Escaped ones are written \28 and \29. */
function parseFilter(text: string): Parsed<string> {
  let depth = 0
  for (const [place, character] of [...text].entries()) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (depth < 0 || (depth === 0 && place < text.length - 1)) depth = Number.NaN
  }
  return text.length > 2 && depth === 0
    ? { value: text }
    : { allowed: 'write a filter in brackets, such as (&(objectClass=person)(mobile=*))' }
}
