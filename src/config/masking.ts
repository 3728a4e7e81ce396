/**
 * Secrets of a configuration file: masked wherever the file leaves the appliance, and kept where a mask comes back in
 * their place. A password within an address stays only with its user and host, so that a mask cannot carry it elsewhere.
 */
import { type Document, isScalar, parseDocument, type Scalar, visit } from 'yaml'

/** Stands for a secret; written back it leaves the secret as it is. */
export const MASK = '***'

const secretKey = /^(pin|secret|password|passphrase|token|accessKey)$/i
/** A password within an address. */
const userInfo = /(:\/\/[^/\s:@]*:)[^/\s@]+@/g

const withoutPassword = (text: string): string => text.replace(userInfo, `$1${MASK}@`)

/** The text with every secret masked, otherwise to the letter. */
export function maskedText(text: string): string {
  const document = parseDocument(text, { prettyErrors: false })
  if (document.errors.length > 0) return text.replace(/^(\s*-?\s*[\w.]+:).*$/gm, `$1 ${MASK}`)
  const spans: [number, number][] = []
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || !secretKey.test(String(pair.key.value)) || !isScalar(pair.value)) return
      const [from, to] = pair.value.range ?? []
      if (from !== undefined && to !== undefined) spans.push([from, to])
    },
  })
  const masked = spans.reduceRight(
    (rest, [from, to]) => `${rest.slice(0, from)}${MASK}${rest.slice(to)}`,
    text,
  )
  return withoutPassword(masked)
}

/** What the text says, secrets masked; an empty mapping when it says nothing that can be read. */
export function maskedKeys(text: string): Record<string, unknown> {
  const masked = masking(keysOf(text))
  return typeof masked === 'object' && masked !== null ? (masked as Record<string, unknown>) : {}
}

/** What the text says, secrets and all; an empty mapping when it says nothing that can be read. */
export function keysOf(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false })
  return document.errors.length > 0 ? {} : plainDocument(document)
}

function plainDocument(document: Document): unknown {
  visit(document, {
    Scalar(_, scalar) {
      scalar.value = scalarValue(scalar)
    },
  })
  return document.toJS()
}

/** Numbers that would lose a sign or zeros stay as they are written: `+49…`, `00021`. */
export const scalarValue = ({ value, source }: Scalar): unknown =>
  typeof value === 'number' && source !== undefined && String(value) !== source ? source : value

/** @param key under which the value stands */
export function masking(value: unknown, key = ''): unknown {
  if (secretKey.test(key) && value !== undefined && value !== null) return MASK
  if (typeof value === 'string') return withoutPassword(value)
  if (Array.isArray(value)) return value.map((one) => masking(one))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, masking(one, name)]))
}

export const holdsMask = (value: unknown): boolean => JSON.stringify(value)?.includes(MASK) === true

/**
 * @param before what stood there @param value with a mask in it
 * @returns the value with its secret again; undefined when there is none that could be meant
 */
export function unmasked(value: string, before: unknown, key: string): string | undefined {
  if (typeof before !== 'string' && typeof before !== 'number') return undefined
  const old = String(before)
  if (value === MASK) return secretKey.test(key) ? old : undefined
  const place = `:${MASK}@`
  const [scheme = '', rest = ''] = value.split(place)
  const secret = /:\/\/[^/\s:@]*:([^/\s@]+)@([^/:?\s]*)/.exec(old)
  const host = /^[^/:?\s]*/.exec(rest)?.[0]
  const kept = `${scheme}:${secret?.[1] ?? ''}@${rest}`
  const sameUser = /\/\/([^:]*)$/.exec(scheme)?.[1] === /\/\/([^/\s:@]*):/.exec(old)?.[1]
  return secret !== null && sameUser && host === secret[2] && withoutPassword(kept) === value
    ? kept
    : undefined
}
