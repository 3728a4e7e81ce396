/** Makes messages, changes and received parts for the tests of the store. */
import { newId } from '#core/ids.ts'
import type { InboundPart } from '#messages/inbound.ts'
import { type Channel, type Message, newDelivery } from '#messages/message.ts'
import type { DeliveryEvent } from '#messages/states.ts'
import type { Acceptance, Change } from '#store/contract.ts'
import { messageOf } from '../messages/message-of.ts'

export const START = Date.UTC(2026, 0, 1)
export const term = { counter: 1, node: 'a' }

export interface Wish extends Partial<Message> {
  to?: string[]
  key?: { key: string; bodyHash: string }
  parts?: number
  channel?: Channel
  /** Added to `at`. */
  dueIn?: number
}

export function acceptance({
  to = ['+491701234567'],
  key,
  parts = 1,
  channel = 'sms',
  dueIn = 0,
  ...rest
}: Wish = {}): Acceptance {
  const at = rest.at ?? START
  const message = messageOf({ id: newId(at), at, source: 'http:test', text: 'pump 3 has stopped', ...rest })
  const deliveries = to.map((number, n) => {
    const delivery = newDelivery(message, n, number, channel, parts)
    return { ...delivery, due: delivery.due + dueIn }
  })
  return { message, deliveries, ...(key === undefined ? {} : { key }) }
}

export const change = (delivery: string, event: DeliveryEvent, at = START): Change => ({
  delivery,
  event,
  at,
})

export const intend = (line = 'gsm0', part = 0, node = 'a'): DeliveryEvent => ({
  event: 'intend',
  node,
  line,
  part,
  concatenation: 1,
})

export const accepted = (reference: number, reportBy?: number): DeliveryEvent => ({
  event: 'accepted',
  reference,
  ...(reportBy === undefined ? {} : { reportBy }),
})

export const because = (code: string) => ({ code, text: `because of ${code}` })

export function part(
  rest: Partial<InboundPart> & { number?: number; total?: number; reference?: number } = {},
): InboundPart {
  const { number, total = 1, reference = 7, ...fields } = rest
  const text = fields.text ?? `part ${number ?? 1} `
  const made: InboundPart = {
    fingerprint: `${fields.from ?? ''}${reference}-${number ?? 1}-${fields.sentAt ?? START}-${text}`,
    node: 'a',
    line: 'gsm0',
    at: START,
    from: '+491709999999',
    sentAt: START,
    text,
    ...fields,
  }
  if (number !== undefined) made.concatenation = { reference, width: 8, total, part: number }
  return made
}
