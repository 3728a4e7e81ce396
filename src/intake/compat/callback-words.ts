/**
 * What a client of Kannel's or Twilio's interface is told about a delivery, and how the request reads that tells it.
 * Each notice has a word that is written down once it was told. Pure.
 *
 * Kannel: User's Guide 1.4.5, delivery reports and the escapes of `dlr-url`. A report comes from the phone, so its sender
 * (%p) is the one that our message went to. Twilio: "Status callbacks" of its API reference.
 */
import type { Callback, Delivery, Message } from '#messages/message.ts'
import { sidOf, statusOf } from './twilio-status.ts'

export interface Notice {
  /** Place of the delivery in its message. */
  delivery: number
  word: string
  request: { method: 'GET' | 'POST'; url: string; form?: string }
}

/** Everything that a delivery has to tell until now, in order. */
export function noticesOf(message: Message, callback: Callback, delivery: Delivery, place: number): Notice[] {
  const words =
    callback.api === 'kannel' ? kannelWords(delivery, Number(callback.values['mask'])) : twilioWords(delivery)
  return words.map((word) => ({
    delivery: place,
    word,
    request:
      callback.api === 'kannel'
        ? { method: 'GET', url: kannelUrl(message, callback, delivery, Number(word)) }
        : { method: 'POST', url: callback.url, form: twilioForm(message, callback, delivery, word) },
  }))
}

const happened = ({ timeline }: Delivery, event: string): boolean =>
  timeline.some((entry) => entry.event === event)

/** 1 delivered, 2 not delivered, 4 kept for a later try, 8 given to the network, 16 refused by it. */
function kannelWords(delivery: Delivery, mask: number): string[] {
  const { state } = delivery
  const given = happened(delivery, 'accepted')
  const codes = [
    ...(happened(delivery, 'defer') ? [4] : []),
    ...(given ? [8] : []),
    ...(state === 'delivered' || state === 'acknowledged' ? [1] : []),
    ...(state === 'failed' || state === 'expired' || state === 'cancelled' ? [given ? 2 : 16] : []),
  ]
  return codes.filter((code) => (code & mask) !== 0).map(String)
}

const answers: Record<number, string> = { 1: 'DELIVRD', 2: 'UNDELIV', 4: 'BUFFRED', 8: 'ACK/', 16: 'NACK/' }

function kannelUrl(message: Message, { url, values }: Callback, delivery: Delivery, code: number): string {
  const at = delivery.timeline.at(-1)?.at ?? message.at
  const plain = (number: string) => number.replace(/^\+/, '')
  const escapes: Record<string, string> = {
    '%': '%',
    d: String(code),
    A: `${answers[code] ?? ''}${code > 8 ? (delivery.reason?.code ?? '') : ''}`,
    p: delivery.to,
    P: values['from'] ?? '',
    q: delivery.to.replace(/^00/, '+'),
    Q: (values['from'] ?? '').replace(/^00/, '+'),
    t: new Date(at).toISOString().slice(0, 16).replace('T', ' '),
    T: String(Math.trunc(at / 1_000)),
    i: values['smsc'] || (delivery.line ?? ''),
    I: message.id,
    F: String(delivery.references[0] ?? plain(delivery.id)),
    n: values['user'] ?? '',
    o: values['account'] ?? '',
    a: '',
    b: '',
  }
  return url.replace(/%([%A-Za-z])/g, (all, sign: string) => {
    const value = escapes[sign]
    return value === undefined ? all : sign === '%' ? value : encodeURIComponent(value)
  })
}

/** What Twilio tells after `queued`, which the answer to the request said. */
function twilioWords(delivery: Delivery): string[] {
  const { status } = statusOf(delivery)
  const ended = status === 'delivered' || status === 'undelivered' || status === 'failed'
  return [...(happened(delivery, 'accepted') ? ['sent'] : []), ...(ended ? [status] : [])]
}

function twilioForm(message: Message, { values }: Callback, delivery: Delivery, word: string): string {
  const sid = sidOf(message.id)
  const { error, status } = statusOf(delivery)
  const form = new URLSearchParams({
    SmsSid: sid,
    SmsStatus: word,
    MessageStatus: word,
    To: delivery.to,
    MessageSid: sid,
    AccountSid: values['account'] ?? '',
    From: values['from'] ?? '',
    ApiVersion: '2010-04-01',
  })
  if (error !== undefined && word === status) form.set('ErrorCode', String(error))
  return form.toString()
}
