/**
 * What deliveries wait for that another member sends: only that one knows its lines (dispatch/waiting.ts), so it is asked
 * when somebody looks at the message here. Without its answer the message is shown without it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/clock.ts'
import type { Delivery } from '#messages/message.ts'
import { askMember, type Forward } from './forward.ts'
import type * as schemas from './message-schemas.ts'
import type { Shape } from './schemas.ts'

type Detail = Shape<typeof schemas.messageDetail>
type Deliveries = Detail['deliveries']

/** Nobody is kept longer from the rest of the message, ms. */
const ANSWER_MS = 2_000

/**
 * @param detail the message as this member shows it
 * @param deliveries the same ones, with their owners
 * @param path where the other member has the message, from /api/v1 on, with the query
 */
export async function withWaiting(
  detail: Detail,
  deliveries: readonly Delivery[],
  { node, forward, clock }: { node: string; forward?: Forward; clock: Pick<Clock, 'now'> },
  { path, author }: { path: string; author: string },
): Promise<Detail> {
  const active = forward?.active()
  const sender = active === 'self' ? node : active?.node
  const senders = new Set<string>()
  for (const { state, due, owner = sender } of deliveries) {
    const isDue = (state === 'queued' || state === 'claimed') && due <= clock.now()
    if (isDue && owner !== undefined && owner !== node) senders.add(owner)
  }
  if (senders.size === 0) return detail
  const asked = { method: 'GET', path, author }
  const answers = await Promise.all([...senders].map((member) => toldBy(askMember(member, forward, asked))))
  const waiting = new Map(answers.flat().map((delivery) => [delivery.id, delivery.waiting]))
  return {
    ...detail,
    deliveries: detail.deliveries.map((delivery) => {
      const lines = delivery.waiting ?? waiting.get(delivery.id)
      return lines === undefined ? delivery : { ...delivery, waiting: lines }
    }),
  }
}

/** Never rejects. */
async function toldBy(asked: ReturnType<typeof askMember>): Promise<Deliveries> {
  const over = new AbortController()
  const late = pause(ANSWER_MS, undefined, { signal: over.signal, ref: false }).catch(() => undefined)
  const answer = await Promise.race([asked.catch(() => undefined), late])
  over.abort()
  return answer?.status === 200 ? (answer.body as Detail).deliveries : []
}
