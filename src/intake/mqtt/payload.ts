/**
 * What is published to `<topic>/send`: JSON with the fields of POST /api/v1/messages, or plain text for the configured
 * recipients. Pure; acceptance checks what the fields mean, this their shape.
 */
import { createHash } from 'node:crypto'
import { parseDuration } from '#core/duration.ts'
import { limits, type SubmitRequest } from '#dispatch/contract.ts'
import { type Channel, channels, type Priority, priorities } from '#messages/message.ts'

export type Parsed =
  /** @property id names the topic of the result */
  { request: SubmitRequest; id?: string } | { refused: Refusal; id?: string }

export interface Refusal {
  code: string
  detail: string
  field?: string
  allowed?: readonly (string | number)[]
}

const SOURCE = 'mqtt'
const fields = [
  'id',
  'key',
  'to',
  'text',
  'channel',
  'priority',
  'validity',
  'onUnknown',
  'flash',
  'tag',
  'acknowledge',
] as const
const idPattern = /^[A-Za-z0-9._-]{1,64}$/
const onUnknown = ['resend', 'hold'] as const

/** @param to recipients of what names none */
export function parsePayload(payload: Uint8Array, to: readonly string[]): Parsed {
  if (payload.length > limits.body) {
    return refuse('body-too-large', `is larger than ${limits.body} bytes`)
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload)
  } catch {
    return refuse('not-utf8', 'is not UTF-8')
  }
  if (!text.trimStart().startsWith('{')) return plain(text, to)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('malformed-json', 'begins like JSON and is not; plain text must not begin with {')
  }
  return typeof value === 'object' && value !== null
    ? fromJson(value, to)
    : refuse('malformed-json', 'is not a JSON object')
}

function plain(text: string, to: readonly string[]): Parsed {
  if (to.length === 0)
    return refuse('no-recipient', 'is plain text, and intake.mqtt.to names nobody to send it to', 'to')
  // Whoever pipes a line into a publisher does not mean its end.
  const body = text.replace(/\r?\n$/, '')
  return body === ''
    ? refuse('empty-text', 'is empty', 'text')
    : { request: { to, text: body, source: SOURCE } }
}

/** The fields of a request, each of its type. */
type Fields = Partial<Record<(typeof fields)[number], unknown>>

function fromJson(value: Fields, to: readonly string[]): Parsed {
  const { id } = value
  const named = typeof id === 'string' && idPattern.test(id) ? { id } : {}
  const fault = faultOf(value)
  if (fault !== undefined) return { refused: fault, ...named }
  const request: SubmitRequest = { to: recipients(value.to) ?? to, text: String(value.text), source: SOURCE }
  const { channel, priority, validity, flash, tag, acknowledge } = value
  const known = channels.find((one) => one === channel)
  if (known !== undefined) request.channel = known
  const urgent = priorities.find((one) => one === priority)
  if (urgent !== undefined) request.priority = urgent
  const ms = typeof validity === 'string' ? parseDuration(validity) : undefined
  if (ms !== undefined) request.validity = ms
  const unknown = onUnknown.find((one) => one === value.onUnknown)
  if (unknown !== undefined) request.onUnknown = unknown
  if (typeof flash === 'boolean') request.flash = flash
  if (typeof tag === 'string') request.tag = tag
  if (typeof acknowledge === 'boolean') request.acknowledge = acknowledge
  const key = typeof value.key === 'string' ? value.key : named.id
  if (key !== undefined) request.key = { key, bodyHash: hashOf(request) }
  return { request, ...named }
}

/** Over what is to be sent, so that the order and the white space of the JSON do not matter. */
const hashOf = (request: SubmitRequest): string =>
  createHash('sha256')
    .update(JSON.stringify(request, Object.keys(request).sort()))
    .digest('hex')

const recipients = (to: unknown): string[] | undefined =>
  typeof to === 'string' ? [to] : Array.isArray(to) ? to.map(String) : undefined

const isText = (value: unknown): value is string => typeof value === 'string' && value.isWellFormed()

const isRecipient = (value: unknown): boolean => isText(value) && value.length > 0 && value.length <= 100

/** What of the fields has the wrong shape, the first one. */
function faultOf(value: Fields): Refusal | undefined {
  const stranger = Object.keys(value).find((name) => !fields.some((known) => known === name))
  if (stranger !== undefined) {
    return fault('unknown-field', 'is not a field of a message', stranger.slice(0, 100), fields)
  }
  const { id, key, to, text, channel, priority, validity, flash, tag, acknowledge } = value
  if (id !== undefined && !(typeof id === 'string' && idPattern.test(id)))
    return fault('wrong-format', 'must be 1 to 64 letters, digits, dots, - and _', 'id')
  if (key !== undefined && !(typeof key === 'string' && /^[ -~]{1,200}$/.test(key)))
    return fault('wrong-format', `must be 1 to ${limits.idempotencyKey} printable ASCII characters`, 'key')
  if (to !== undefined && typeof to !== 'string' && !Array.isArray(to))
    return fault('wrong-type', 'must be a text or a list of texts', 'to')
  const list: readonly unknown[] = Array.isArray(to) ? to : []
  const wrong = list.findIndex((one) => !isRecipient(one))
  if (wrong >= 0 || (typeof to === 'string' && !isRecipient(to)))
    return fault(
      'invalid-recipient',
      'must be a text of 1 to 100 characters',
      wrong >= 0 ? `to[${wrong}]` : 'to',
    )
  if (text === undefined) return fault('missing-field', 'is missing', 'text')
  if (typeof text !== 'string') return fault('wrong-type', 'must be a text', 'text')
  if (!isText(text)) return fault('malformed-text', 'holds half a surrogate pair', 'text')
  if (channel !== undefined && !channels.includes(channel as Channel))
    return fault('unknown-channel', `must be one of ${channels.join(', ')}`, 'channel', channels)
  if (priority !== undefined && !priorities.includes(priority as Priority))
    return fault('invalid-priority', `must be one of ${priorities.join(', ')}`, 'priority', priorities)
  if (validity !== undefined && (typeof validity !== 'string' || parseDuration(validity) === undefined))
    return fault('invalid-validity', 'must be a span such as 30m', 'validity')
  if (value.onUnknown !== undefined && !onUnknown.some((one) => one === value.onUnknown))
    return fault('not-allowed', `must be one of ${onUnknown.join(', ')}`, 'onUnknown', onUnknown)
  if (flash !== undefined && typeof flash !== 'boolean')
    return fault('wrong-type', 'must be true or false', 'flash')
  if (acknowledge !== undefined && typeof acknowledge !== 'boolean')
    return fault('wrong-type', 'must be true or false', 'acknowledge')
  if (tag !== undefined && !(isText(tag) && tag.length > 0))
    return fault('invalid-tag', `must be a text of 1 to ${limits.tag} characters`, 'tag')
  return undefined
}

function fault(code: string, rule: string, field: string, allowed?: readonly (string | number)[]): Refusal {
  return { code, detail: `${field} ${rule}`, field, ...(allowed === undefined ? {} : { allowed }) }
}

const refuse = (code: string, rule: string, field?: string): Parsed => ({
  refused: { code, detail: `the payload ${rule}`, ...(field === undefined ? {} : { field }) },
})
