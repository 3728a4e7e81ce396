/** A queue of 100,000 messages, written straight into the store of an appliance that is not started yet. */
import { join } from 'node:path'
import { newId } from '#core/ids.ts'
import { type Message, newDelivery } from '#messages/message.ts'
import { openStore } from '#store/sqlite.ts'

export const COUNT = 100_000
const BATCH = 2_000

/** All wait until tomorrow, so that they are still there when they are looked at; every thousandth has failed. */
export async function fill(directory: string): Promise<void> {
  const store = await openStore({ directory: join(directory, 'data'), node: 'box-a' })
  const begun = Date.now() - COUNT - 60_000
  for (let from = 0; from < COUNT; from += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) => {
      const n = from + i
      const at = begun + n
      const message: Message = {
        id: newId(at),
        at,
        node: 'box-a',
        source: 'http:monitoring',
        text: `Cold store ${n}: door open`,
        priority: 2,
        validity: 2 * 86_400_000,
        onUnknown: 'resend',
        flash: false,
      }
      const delivery = newDelivery(message, 0, `+49170${1_000_000 + n}`, 'sms', 1)
      return { message, deliveries: [{ ...delivery, due: at + 86_400_000 }] }
    })
    await store.accept(batch)
    const reason = { code: 'unassigned-number', text: 'Unassigned (unallocated) number' }
    await store.record(
      batch.flatMap(({ message, deliveries: [delivery] }, i) =>
        (from + i) % 1_000 === 0 && delivery !== undefined
          ? [{ delivery: delivery.id, at: message.at, event: { event: 'fail', reason } as const }]
          : [],
      ),
    )
  }
  await store.close()
}
