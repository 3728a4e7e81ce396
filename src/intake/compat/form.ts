/**
 * Parameters of a query or of a form body (WHATWG URL 5.1), kept as bytes until somebody says in which character set
 * they are. Bounded by what a request may be at most.
 */
import { Problem } from '../http/problems.ts'

const PLUS = '\u0000'

export class Form {
  readonly #values = new Map<string, string>()
  readonly #foldCase: boolean

  /**
   * The first value of a name counts.
   * @param foldCase names are compared without regard to case
   */
  constructor(encoded: string, foldCase = false) {
    this.#foldCase = foldCase
    for (const pair of encoded.split('&')) {
      const at = pair.indexOf('=')
      const name = decode(at < 0 ? pair : pair.slice(0, at), ' ').toString('utf8')
      if (name === '' || this.#values.has(this.#key(name))) continue
      this.#values.set(this.#key(name), at < 0 ? '' : pair.slice(at + 1))
    }
  }

  /** The query of a request. */
  static ofUrl(url: string, foldCase = false): Form {
    const at = url.indexOf('?')
    return new Form(at < 0 ? '' : url.slice(at + 1), foldCase)
  }

  static ofBody(body: unknown, foldCase = false): Form {
    return new Form(Buffer.isBuffer(body) ? body.toString('latin1') : '', foldCase)
  }

  #key(name: string): string {
    return this.#foldCase ? name.toLowerCase() : name
  }

  has(name: string): boolean {
    return this.#values.has(this.#key(name))
  }

  /** The value as text; undefined when it is absent. A + is a space. */
  text(name: string, charset = 'utf-8'): string | undefined {
    const value = this.#values.get(this.#key(name))
    return value === undefined ? undefined : textOf(decode(value, ' '), charset, name)
  }

  /** As text(), of the first of these names that is there and not empty. */
  first(...names: string[]): string | undefined {
    for (const name of names) {
      const value = this.text(name)
      if (value !== undefined && value !== '') return value
    }
    return undefined
  }

  /**
   * Numbers and names between commas. A + that was not encoded is the beginning of a number where a number begins, as
   * hand-made requests have it, and a space elsewhere.
   */
  list(name: string): string[] {
    const value = this.#values.get(this.#key(name))
    return value === undefined ? [] : recipients(textOf(decode(value, PLUS), 'utf-8', name))
  }
}

export function recipients(text: string): string[] {
  return text
    .split(',')
    .map((one) =>
      one
        .replace(/^\s*\0(?=\d)/, '+')
        .replaceAll(PLUS, ' ')
        .trim(),
    )
    .filter((one) => one !== '')
}

/** A percent sign that begins no byte stands for itself. */
function decode(text: string, plus: string): Buffer {
  const bytes = text
    .replaceAll('+', plus)
    .replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}

/** @throws Problem when the bytes are not in that character set, or it is not known */
export function textOf(bytes: Uint8Array, charset: string, field: string): string {
  let decoder: InstanceType<typeof TextDecoder>
  try {
    decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: false })
  } catch {
    throw new Problem(
      400,
      'charset-unknown',
      `the character set ${JSON.stringify(charset.slice(0, 40))} is not known`,
      {
        field,
      },
    )
  }
  try {
    return decoder.decode(bytes)
  } catch {
    if (charset === 'utf-8') throw new Problem(400, 'not-utf8', `${field} is not valid UTF-8`, { field })
    throw new Problem(400, 'wrong-format', `${field} is not valid ${charset}`, { field })
  }
}

/** A JSON object. @throws Problem */
export function jsonOf(body: unknown): Record<string, unknown> {
  const text = textOf(Buffer.isBuffer(body) ? body : Buffer.alloc(0), 'utf-8', 'body')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Problem(400, 'malformed-json', `the body is not valid JSON: ${String(error)}`)
  }
  const object = asObject(value)
  if (object === undefined) throw new Problem(400, 'wrong-type', 'the body must be a JSON object')
  return object
}

export const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined

/** What many clients write as a number and some as a text; undefined when it is neither, or empty. */
export function wordOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'boolean') return value ? '1' : '0'
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Recipients as a list or as a text with commas. @throws Problem when an entry is neither text nor number */
export function recipientsOf(value: unknown, field: string): string[] {
  if (value === undefined || value === null) return []
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
  return entries.flatMap((entry, index) => {
    const word = wordOf(entry)
    if (word !== undefined) return recipients(word)
    if (entry === '') return []
    throw new Problem(400, 'wrong-type', `${field} must be a number or a list of numbers`, {
      field: Array.isArray(value) ? `${field}[${index}]` : field,
    })
  })
}

/** The password of HTTP Basic (RFC 7617), or a bearer token; undefined when neither came. The user is anybody. */
export function credentials(authorization: string | undefined): string | undefined {
  const bearer = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const basic = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '')?.[1]
  if (basic === undefined) return undefined
  const pair = Buffer.from(basic, 'base64').toString('utf8')
  const at = pair.indexOf(':')
  return at < 0 ? undefined : pair.slice(at + 1)
}

const xmlSigns: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as XML 1.0 holds it: signs that it cannot hold at all are left out. */
export const xmlText = (text: string): string =>
  text
    .replace(/[&<>"']/g, (sign) => xmlSigns[sign] ?? '')
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
