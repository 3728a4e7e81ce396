/**
 * Acceptance: where every way in ends. A request becomes a message with its deliveries, whole or not at all, and the
 * answer is given only when it is on disk.
 */
import type { LineConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import type { Values } from '#core/errors.ts'
import { newId } from '#core/ids.ts'
import {
  type Channel,
  type Coding,
  channels,
  type Delivery,
  deliveryId,
  type Message,
  newDelivery,
  priorities,
} from '#messages/message.ts'
import { applyEvent } from '#messages/states.ts'
import { planText } from '#sms/coding.ts'
import { limits, type SubmitRequest } from './contract.ts'
import { type Directory, expand } from './recipients.ts'
import { channelOfKind, type Router } from './routing.ts'
import { stoppedEvent } from './stop-list.ts'

export type Draft =
  | { result: 'draft'; message: Message; deliveries: Delivery[] }
  | { result: 'invalid'; field: string; code: string; detail: string; values?: Values }

export interface AcceptanceRules {
  node: string
  clock: Clock
  router: Router
  directory: Directory
  lines: readonly LineConfig[]
  /** Validity when the request names none, ms. */
  validity: number
  /** There are other members. */
  paired: boolean
  /** Some other member has a line for it that this one may lack. */
  elsewhere(channel: Channel): boolean
  /** In mode active-active what a member accepts is its own to transmit. */
  owned: boolean
  /** In that mode: the member that is to transmit what comes from a source, and can. */
  preferred(source: string): string | undefined
  /** Whether a number wants no messages. Those of priority 0 are sent all the same. */
  stopped(number: string): boolean
}

/**
 * A fax that names no validity is worth sending for so long at least, ms: a dozen calls take more than an hour, and a
 * line may not dial all night.
 */
const FAX_VALIDITY_MS = 24 * 3_600_000

/** What a recipient answers after ACK: the end of the message's id (intake/inbound/acknowledge.ts). */
const acknowledgementCode = (id: string): string => id.slice(-4)

/** Checks a request and makes the message; stores nothing. */
export function draft(request: SubmitRequest, rules: AcceptanceRules): Draft {
  const problem = checkFields(request)
  if (problem) return problem
  const channel = channelOf(request)
  const unserved = withoutLine(channel, rules)
  if (unserved) return unserved
  const mismatch = checkDocument(request, channel)
  if (mismatch) return mismatch

  const at = rules.clock.now()
  const id = newId(at)
  const text = request.acknowledge ? `${request.text}\nACK ${acknowledgementCode(id)}` : request.text
  // Cutting a text into parts takes time, and for some texts much more than their length says.
  if (text.length > limits.characters) {
    return invalid(
      'text',
      'text-too-long',
      `has ${text.length} characters; at most ${limits.characters} are possible`,
      { characters: text.length, most: limits.characters },
    )
  }
  const plan = request.document === undefined ? planSms(text, rules) : { parts: request.document.pages }
  if ('result' in plan) return plan
  const message: Message = {
    id,
    at,
    node: rules.node,
    source: request.source,
    text,
    priority: request.priority ?? 2,
    validity:
      request.validity ?? (channel === 'fax' ? Math.max(rules.validity, FAX_VALIDITY_MS) : rules.validity),
    onUnknown: request.onUnknown ?? 'resend',
    flash: request.flash ?? false,
    ...('coding' in plan ? { coding: plan.coding } : {}),
    ...(request.document === undefined ? {} : { document: request.document }),
    ...(request.tag === undefined ? {} : { tag: request.tag }),
    ...(request.dedupe === undefined ? {} : { dedupe: request.dedupe }),
    ...(request.callback === undefined ? {} : { callback: request.callback }),
  }
  const { line } = request
  if (line !== undefined && !rules.lines.some(({ id }) => id === line)) {
    return invalid('line', 'line-unknown', 'is no line of this appliance')
  }
  const numbers = recipients(request.to, channel, rules, line)
  if (!Array.isArray(numbers)) return numbers
  const via = line === undefined ? {} : { via: { node: rules.node, line, only: true } }
  const preferred = line === undefined ? rules.preferred(request.source) : undefined
  const owner = rules.owned ? { owner: preferred ?? rules.node } : {}
  const first = { ...newDelivery(message, 0, '', channel, plan.parts), ...owner, ...via }
  const deliveries = numbers.map((to, n) => {
    // All share their lists, which nobody changes in place: a job may have 60,000 recipients.
    const delivery = { ...first, id: deliveryId(message.id, n), to }
    const stopped = message.priority !== 0 && rules.stopped(to)
    return (stopped ? applyEvent(delivery, stoppedEvent, at, rules.node) : undefined) ?? delivery
  })
  return { result: 'draft', message, deliveries }
}

/** Why nothing goes out on a channel; undefined where some member has a line for it. */
export function withoutLine(
  channel: Channel,
  rules: Pick<AcceptanceRules, 'lines' | 'paired' | 'elsewhere'>,
): Extract<Draft, { result: 'invalid' }> | undefined {
  if (hasLine(rules, channel) || rules.elsewhere(channel)) return undefined
  const where = rules.paired ? 'on any member' : 'on this appliance'
  return invalid('channel', 'no-line', `no ${channel} line is configured ${where}`)
}

const hasLine = ({ lines }: Pick<AcceptanceRules, 'lines'>, channel: Channel): boolean =>
  lines.some(({ kind }) => channelOfKind[kind] === channel)

const channelOf = ({ channel, document }: SubmitRequest): Channel =>
  channel ?? (document === undefined ? 'sms' : 'fax')

function checkDocument({ document, acknowledge }: SubmitRequest, channel: Channel): Draft | undefined {
  if (channel === 'fax' && document === undefined) {
    return invalid('document', 'no-document', 'is missing; a fax needs one')
  }
  if (channel !== 'fax' && document !== undefined) {
    return invalid('channel', 'document-for-fax-only', `is ${channel}; a document goes out as fax only`)
  }
  if (document !== undefined && acknowledge) {
    return invalid('acknowledge', 'not-for-fax', 'is for texts: nobody answers a fax with a code')
  }
  return undefined
}

function planSms(
  text: string,
  rules: AcceptanceRules,
): { parts: number; coding: Coding } | Extract<Draft, { result: 'invalid' }> {
  // A message must split alike on every line that may take it, so the widest reference that any line wants is used.
  const reference = rules.lines.some((line) => line.kind === 'gsm' && line.concatenation === 16) ? 16 : 8
  const { coding, parts } = planText(text, reference)
  if (parts.length <= limits.parts) return { parts: parts.length, coding }
  return invalid(
    'text',
    'text-too-long',
    `takes ${parts.length} SMS parts; at most ${limits.parts} are possible`,
    { parts: parts.length, mostParts: limits.parts },
  )
}

function checkFields(request: SubmitRequest): Draft | undefined {
  if (request.to.length === 0)
    return invalid('to', 'no-recipient', 'names nobody; at least one recipient is needed')
  if (request.to.length > limits.recipients)
    return tooMany(`names ${request.to.length} recipients`, request.to.length)
  if (request.text.length === 0 && request.document === undefined)
    return invalid('text', 'empty-text', 'is empty; at least one character is needed')
  if (request.channel !== undefined && !channels.includes(request.channel)) {
    return invalid('channel', 'unknown-channel', `is not known; allowed: ${channels.join(', ')}`)
  }
  if (request.priority !== undefined && !priorities.includes(request.priority)) {
    return invalid(
      'priority',
      'invalid-priority',
      `must be one of ${priorities.join(', ')}; 0 is the highest`,
    )
  }
  const { validity, tag } = request
  if (validity !== undefined && (validity < limits.validityMs.min || validity > limits.validityMs.max)) {
    return invalid('validity', 'invalid-validity', 'must be between 5s and 63w')
  }
  if (tag !== undefined && tag.length > limits.tag) {
    return invalid('tag', 'invalid-tag', `is longer than ${limits.tag} characters`, { most: limits.tag })
  }
  if (request.dedupe !== undefined && (request.dedupe === '' || request.dedupe.length > limits.dedupe)) {
    return invalid('dedupe', 'invalid-dedupe', `must have 1 to ${limits.dedupe} characters`, {
      most: limits.dedupe,
    })
  }
  return undefined
}

/** Every number once, in the order given. */
function recipients(
  to: readonly string[],
  channel: Channel,
  rules: AcceptanceRules,
  chosen: string | undefined,
): string[] | Extract<Draft, { result: 'invalid' }> {
  const { router, paired, directory } = rules
  const expanded = expand(to, channel, directory, limits.recipients)
  if ('problem' in expanded) return invalid(`to[${expanded.index}]`, 'invalid-recipient', expanded.problem)
  if (expanded.size > limits.recipients) return tooMany('stands for more than can be')
  // A member without lines passes everything on; the one that sends it knows its routes.
  const elsewhere = (paired && !hasLine(rules, channel)) || chosen !== undefined
  for (const [number, index] of elsewhere ? [] : expanded) {
    // Another member may have the line that a route names.
    const byAnother = paired && (router.members(number)?.length ?? 0) > 0
    if (!byAnother && router.tiers(channel, number).length === 0) {
      const named = to[index] ?? ''
      const whose = directory.kind(named.trim()) === undefined ? 'is a number' : `has the number ${number},`
      return invalid(`to[${index}]`, 'no-route', `${whose} to which no configured route leads`, { number })
    }
  }
  return [...expanded.keys()]
}

const tooMany = (names: string, recipients?: number) =>
  invalid('to', 'too-many-recipients', `${names}; at most ${limits.recipients} recipients are allowed`, {
    most: limits.recipients,
    ...(recipients === undefined ? {} : { recipients }),
  })

const invalid = (
  field: string,
  code: string,
  detail: string,
  values?: Values,
): Extract<Draft, { result: 'invalid' }> => ({
  result: 'invalid',
  field,
  code,
  detail,
  ...(values === undefined ? {} : { values }),
})
