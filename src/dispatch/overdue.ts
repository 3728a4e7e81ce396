/** What ends by time alone: deliveries past their validity, and waits for status reports that never came. */
import type { Reason } from '#messages/states.ts'
import type { Change, Store } from '#store/contract.ts'
import { reasons } from './attempt.ts'
import type { Window } from './window.ts'

const BATCH = 500

const noReport: Reason = { code: 'no-report', text: 'No delivery report came; the network had accepted it.' }

/**
 * Takes what is over out of the window.
 * @param thorough looks into the store as well, which wakes its thread
 * @returns what is to be written
 */
export async function overdueChanges(
  window: Window,
  store: Pick<Store, 'overdue'>,
  at: number,
  thorough: boolean,
): Promise<Change[]> {
  const expire = { event: 'expire', reason: reasons.expired } as const
  const changes: Change[] = []
  for (const { delivery } of window.expired(at)) {
    window.remove(delivery.id)
    changes.push({ delivery: delivery.id, event: expire, at })
  }
  for (const { id, state } of thorough ? await store.overdue(at, BATCH) : []) {
    const event = state === 'sent' ? ({ event: 'reportTimeout', reason: noReport } as const) : expire
    changes.push({ delivery: id, event, at })
  }
  return changes
}
