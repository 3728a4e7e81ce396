/**
 * `ACK CODE`: the message that a code names, among those that went to the sender. A code is the end of the message's
 * id, four characters at least; none at all means the newest. Only a recipient can acknowledge: nobody else's number
 * leads to the message.
 */

import type { Delivery } from '#messages/message.ts'
import { mayHappen } from '#messages/states.ts'
import type { Store } from '#store/contract.ts'
import { sameSubscriber } from './rules.ts'

export type Acknowledgement =
  | { result: 'acknowledged'; message: string; delivery: string }
  /** It is known, but still on its way: ask again. */
  | { result: 'tooEarly' }
  /** No message to the sender has this code and waits for an acknowledgement. */
  | { result: 'unknown' }

/** Messages to the sender that are looked at, newest first. */
const PAGE = 20
const PAGES = 10

export async function acknowledge(
  store: Pick<Store, 'messages' | 'record'>,
  asked: { from: string; code: string; entry: string; at: number },
): Promise<Acknowledgement> {
  const { from, entry, at } = asked
  const code = asked.code.replaceAll('-', '')
  const text = `Acknowledged by SMS from ${from} (inbox ${entry}).`
  let after: string | undefined
  let early = false
  for (let page = 0; page < PAGES; page++) {
    const { items, next } = await store.messages({
      to: from,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    for (const { message, deliveries } of items) {
      if (!message.id.replaceAll('-', '').endsWith(code)) continue
      const own = deliveries.filter(({ to }) => to === from || sameSubscriber(to, from))
      const found = own.find(({ state, reason }) => mayHappen(state, 'acknowledge') || reason?.text === text)
      if (found === undefined) {
        early ||= own.some(isUnderWay)
        if (early || code !== '') return early ? { result: 'tooEarly' } : { result: 'unknown' }
        continue
      }
      // After a restart in between it may have been done already, by this very message.
      if (found.reason?.text !== text) {
        const reason = { code: 'acknowledged-by-sms', text }
        await store.record([{ delivery: found.id, event: { event: 'acknowledge', reason }, at }])
      }
      return { result: 'acknowledged', message: message.id, delivery: found.id }
    }
    if (next === undefined) break
    after = next
  }
  return { result: 'unknown' }
}

const isUnderWay = ({ state }: Delivery): boolean =>
  state === 'queued' || state === 'claimed' || state === 'submitting'
