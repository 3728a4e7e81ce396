/** A status report that comes in the same breath as the answer to its message, before the driver has said that. */
import pino from 'pino'
import { expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { settleReport } from '#dispatch/reports.ts'
import type { Change } from '#store/contract.ts'

test('it finds its message', async () => {
  const recorded: Change[] = []
  let known = false
  const settled = settleReport(
    { line: 'gsm0', reference: 7, to: '+491700000001', status: 0, dischargedAt: 0 },
    {
      node: 'box-a',
      store: {
        matchReport: async () => (known ? { delivery: 'm.0', part: 0 } : undefined),
        async record(changes) {
          recorded.push(...changes)
          return changes.map(() => true)
        },
      },
      clock: systemClock(0, () => {}),
      log: pino({ level: 'silent' }),
    },
  )
  // The driver goes on after a few promises, as the answer reaches it.
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
  known = true
  await settled
  expect(recorded).toMatchObject([{ delivery: 'm.0', event: { event: 'report', part: 0 } }])
})
