/**
 * Status reports: from a line to the delivery they are about (3GPP TS 23.040 9.2.2.3).
 *
 * Matched by line, TP-Message-Reference and number. "Still trying" changes nothing; a report that matches nothing is
 * counted and logged, never guessed onto a message.
 */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { StatusReport } from '#lines/contract.ts'
import type { DeliveryEvent } from '#messages/states.ts'
import { tpStatus } from '#sms/tp-status.table.ts'
import type { Store } from '#store/contract.ts'

export async function settleReport(
  report: StatusReport,
  deps: { node: string; store: Pick<Store, 'matchReport' | 'record'>; clock: Clock; log: Log },
): Promise<void> {
  const { node, store, clock, log } = deps
  const { outcome, code, text } = tpStatus(report.status)
  if (outcome === 'pending') return
  const at = clock.now()
  const { line, reference, to } = report
  // It may come in the same breath as the answer that names its reference, which its driver then has still to say.
  await turnOfTheLoop()
  const match = await store.matchReport({ node, line, reference, to, at })
  if (!match) {
    log.warn({ line, reference, status: report.status }, 'status report matches no message')
    return
  }
  const event: DeliveryEvent =
    outcome === 'delivered'
      ? { event: 'report', part: match.part }
      : { event: 'reportFailed', part: match.part, reason: { code, text } }
  await store.record([{ delivery: match.delivery, event, at }])
}
