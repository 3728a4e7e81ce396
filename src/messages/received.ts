/**
 * Whether what another member wrote into its log is an operation that this version understands. Members of different
 * versions replicate, so anything may come; what is not understood is kept in the log and passed on, and does nothing.
 */
import { channels, deliveryId } from './message.ts'
import { type Operation, roles, scopes } from './operation.ts'
import { type Packed, unpack } from './packing.ts'
import { type DeliveryEvent, deliveryStates } from './states.ts'

type Fields = Record<string, unknown>
type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const isCount: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isFlag: Check = (value) => typeof value === 'boolean'
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const oneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const shape =
  (fields: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]))

const isTerm = shape({ counter: isCount, node: isText })
const isReason = shape({ code: isText, text: isText })
const decided = { reason: isReason, node: maybe(isText), line: maybe(isText) }

/** Every event there is: one that is missing would be void on every member but its own. */
const eventFields: Record<DeliveryEvent['event'], Record<string, Check>> = {
  intend: {
    node: isText,
    line: isText,
    part: isCount,
    concatenation: isNumber,
    postPage: maybe(isFlag),
    possibleDuplicate: maybe(isFlag),
  },
  confirm: { part: isCount, reference: isNumber },
  accepted: { reference: isNumber, reportBy: maybe(isNumber) },
  defer: { ...decided, due: isNumber, failure: isFlag },
  resend: { ...decided, due: isNumber },
  hold: decided,
  fail: decided,
  expire: { reason: isReason },
  cancel: { reason: isReason },
  retry: { reason: isReason, due: isNumber, expires: isNumber },
  report: { part: isCount },
  reportFailed: { part: isCount, reason: isReason },
  reportTimeout: { reason: isReason },
  acknowledge: { reason: isReason },
  move: { node: isText, line: isText, due: isNumber, reason: isReason },
}

const isEventName = (name: unknown): name is DeliveryEvent['event'] =>
  typeof name === 'string' && Object.hasOwn(eventFields, name)

const isEvent: Check = (value) => {
  const name = isObject(value) ? value['event'] : undefined
  return isEventName(name) && shape(eventFields[name])(value)
}

const isDocument = shape({
  hash: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  type: isText,
  name: isText,
  bytes: isCount,
  pages: isCount,
})

const isMessage = shape({
  id: isText,
  at: isCount,
  source: isText,
  text: isText,
  priority: isCount,
  validity: isNumber,
  onUnknown: isText,
  flash: isFlag,
  tag: maybe(isText),
})

const isDelivery = shape({
  id: isText,
  message: isText,
  to: isText,
  channel: oneOf(channels),
  priority: isCount,
  state: oneOf(deliveryStates),
  parts: isCount,
  confirmed: isCount,
  references: list(isNumber),
  reported: list(isNumber),
  attempts: isCount,
  failures: isCount,
  possibleDuplicate: isFlag,
  due: isNumber,
  expires: isNumber,
  owner: maybe(isText),
  timeline: list(shape({ at: isNumber, event: isText, state: isText })),
})

const operationFields: Record<Operation['op'], Record<string, Check>> = {
  accept: {
    message: isMessage,
    deliveries: list(isDelivery),
    key: maybe(shape({ key: isText, bodyHash: isText })),
  },
  delivery: { delivery: isText, event: isEvent },
  inbound: {
    part: shape({
      fingerprint: isText,
      node: isText,
      line: isText,
      at: isCount,
      from: isText,
      sentAt: isNumber,
      text: isText,
      concatenation: maybe(shape({ reference: isNumber, width: isCount, total: isCount, part: isCount })),
      fax: maybe(
        shape({
          pages: isCount,
          complete: isFlag,
          document: isDocument,
          station: maybe(isText),
          problem: maybe(isText),
        }),
      ),
      call: maybe(isText),
    }),
  },
  inboundPartial: { group: isText },
  tokenCreate: {
    token: shape({
      id: isText,
      name: isText,
      hash: isText,
      scopes: list(oneOf(scopes)),
      createdAt: isNumber,
      createdBy: maybe(isText),
    }),
  },
  tokenRevoke: { id: isText },
  userSave: {
    user: shape({
      name: isText,
      role: oneOf(roles),
      password: isText,
      language: maybe(isText),
      createdAt: isNumber,
      createdBy: isText,
    }),
  },
  userRemove: { name: isText },
  sessionSave: { session: shape({ id: isText, user: isText, createdAt: isNumber, usedAt: isNumber }) },
  sessionEnd: { id: isText, at: isNumber },
  remember: { name: isText, value: isText },
  adopt: { origin: isText, incarnation: isText, position: isCount, term: isTerm },
  hand: { delivery: isText, to: isText },
  member: {
    member: shape({
      node: isText,
      fingerprint: isText,
      guard: list(isText),
      log: list(isText),
      priority: isNumber,
      mode: maybe(isText),
    }),
  },
  memberRemove: { node: isText },
  revision: {
    revision: shape({
      id: isText,
      base: maybe(isText),
      author: isText,
      at: isNumber,
      changes: list(shape({ path: isText })),
    }),
  },
  conflictSettle: { revision: isText, path: isText },
  audit: {
    record: shape({ number: isCount, at: isNumber, who: isText, what: isText, text: isText, hash: isText }),
  },
  failover: { text: isText },
  shiftTimes: { since: isNumber, byMs: isNumber },
}

function isOperation(value: unknown): value is Operation {
  if (!isObject(value) || typeof value['op'] !== 'string' || !Object.hasOwn(operationFields, value['op'])) {
    return false
  }
  const operation = value as { op: Operation['op'] }
  if (!shape(operationFields[operation.op])(operation)) return false
  // Deliveries are found by their number, so the numbers must be what acceptance makes them.
  const { message, deliveries } = value
  return (
    operation.op !== 'accept' ||
    !isObject(message) ||
    !Array.isArray(deliveries) ||
    deliveries.every(
      (delivery, n) => isObject(delivery) && delivery['id'] === deliveryId(String(message['id']), n),
    )
  )
}

const isPacked = shape({
  op: oneOf(['accept']),
  message: isMessage,
  base: isDelivery,
  to: list(isText),
  key: operationFields.accept['key'] ?? isObject,
})

/** The operation, or undefined when this version does not understand it. */
export function readOperation(value: unknown): Operation | undefined {
  const whole = isPacked(value) ? { op: 'accept', ...unpack(value as Packed) } : value
  return isOperation(whole) ? whole : undefined
}
