/**
 * Outgoing mail: where it is handed in and as whom. Each member's own, because the password must not travel with the
 * settings. URLs as smtp and smtps are commonly written (smtps: TLS from the first byte, RFC 8314 3.3).
 */
import { type Parsed, quoted, type Section } from './section.ts'

export interface MailConfig {
  host: string
  port: number
  /** TLS from the first byte; otherwise STARTTLS where the server offers it. */
  secure: boolean
  /** A password is never sent in the clear: with it STARTTLS must be there, but on the own machine. */
  login?: { user: string; password: string }
  from: string
  /** Path of further certificates (PEM) to trust, such as that of the mail server itself. */
  ca?: string
}

/** RFC 5321 4.5.3.1: a local part of 64, a domain of 255. Quoted local parts are left to those who need them. */
export const parseMailAddress = (text: string): Parsed<string> =>
  /^[^\s@<>,;:"()[\]\\]{1,64}@[^\s@<>,;:"()[\]\\]{1,190}$/.test(text)
    ? { value: text }
    : { allowed: 'write an address such as duty@example.org' }

const urlAllowed =
  'write smtps://user:password@mail.example.org:465 or smtp://mail.example.org:25; a character such as @ or / in the password is written %40 or %2F'

export function parseMailUrl(text: string): Parsed<Pick<MailConfig, 'host' | 'port' | 'secure' | 'login'>> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const secure = url?.protocol === 'smtps:'
  if (url === undefined || (!secure && url.protocol !== 'smtp:')) return { allowed: urlAllowed }
  const plain = url.pathname.length <= 1 && url.search === '' && url.hash === ''
  if (url.hostname === '' || !plain || (url.username === '') !== (url.password === ''))
    return { allowed: urlAllowed }
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port)
  try {
    const login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
    return {
      value: {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port,
        secure,
        ...(login.user === '' ? {} : { login }),
      },
    }
  } catch {
    return { allowed: urlAllowed }
  }
}

/** @param path makes a path in the configuration absolute */
export function readMail(root: Section, path: (text: string) => Parsed<string>): MailConfig | undefined {
  if (!root.has('mail')) return undefined
  const section = root.section('mail')
  for (const key of ['url', 'from']) section.required(key)
  const url = section.parsed('url', parseMailUrl, true)
  const from = section.parsed('from', parseMailAddress)
  const ca = section.parsed('ca', path)
  section.finish()
  if (url === undefined || from === undefined) return undefined
  return { ...url, from, ...(ca === undefined ? {} : { ca }) }
}

/** Mail to addresses that are written in the configuration. Reports those that are none. */
export function mailWords(section: Section, key: string): string[] {
  return section.words(key).flatMap(({ word, problem }) => {
    const address = parseMailAddress(word)
    if ('value' in address) return [address.value]
    problem(`${quoted(word)} is not allowed here; ${address.allowed}`)
    return []
  })
}
