/** What ends by time alone: deliveries past their validity, and waits for status reports that never came. */
import type { Delivery } from '#messages/message.ts'
import type { DeliveryEvent, Reason } from '#messages/states.ts'
import type { Change, Store } from '#store/contract.ts'
import { reasons } from './attempt.ts'
import type { Window } from './window.ts'

const BATCH = 500

const noReport: Reason = { code: 'no-report', text: 'No delivery report came; the network had accepted it.' }

/**
 * Takes what is over out of the window.
 * @param thorough looks into the store as well, which wakes its thread
 * @param overBudget whether all lines that could send a delivery have used up their budgets
 * @returns what is to be written
 */
export async function overdueChanges(
  window: Window,
  store: Pick<Store, 'overdue'>,
  at: number,
  thorough: boolean,
  overBudget: (delivery: Delivery) => boolean,
): Promise<Change[]> {
  const expire = (delivery: Delivery): DeliveryEvent => ({
    event: 'expire',
    reason: overBudget(delivery) ? reasons.expiredOverBudget : reasons.expired,
  })
  const changes: Change[] = []
  for (const { delivery } of window.expired(at)) {
    window.remove(delivery.id)
    changes.push({ delivery: delivery.id, event: expire(delivery), at })
  }
  for (const delivery of thorough ? await store.overdue(at, BATCH) : []) {
    const event: DeliveryEvent =
      delivery.state === 'sent' ? { event: 'reportTimeout', reason: noReport } : expire(delivery)
    changes.push({ delivery: delivery.id, event, at })
  }
  return changes
}
