/** Reports of drills, as the member that took over writes them. */
import pino from 'pino'
import { expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { createDrillReports } from '#notify/drill-reports.ts'
import { pairStandIn } from '../intake/http/pair-stand-in.ts'

test('who took over says so, also when the report reaches it after the role', async () => {
  const facts = new Map<string, string>()
  const clock = systemClock(0, () => {})
  const reports = createDrillReports({
    node: 'box-b',
    store: {
      remember: async (name, value) => void facts.set(name, value),
      facts: async (prefix) =>
        [...facts].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => ({ name, value })),
      messages: async () => ({ items: [] }),
    },
    clock,
    log: pino({ level: 'silent' }),
    status: () => pairStandIn().status,
  })
  const at = clock.now()
  reports.role({
    role: 'active',
    term: { counter: 2, node: 'box-b' },
    since: clock.monotonic() + 40,
    reason: 'the gateway of box-a hangs',
  })
  const drill = { id: 'd1', kind: 'freeze', node: 'box-a', role: 'active', who: 'ann', at }
  facts.set('drill/0', JSON.stringify(drill))
  await reports.refresh()
  reports.stop()
  expect(JSON.parse(facts.get('drill/0') ?? '')).toMatchObject({ id: 'd1', takenBy: 'box-b' })
})
