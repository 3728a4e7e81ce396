/** Two members with a witness: one holder of the address whatever is cut. See faults.test.ts. */
import { expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { expectKept, labNeeds, labSuite, TRIAL_MS } from './lab-suite.ts'

describeWith([...labNeeds], 'two members with a witness', () => {
  const { trial } = labSuite({ witness: true })

  it.each(['partition', 'one-way', 'witness-lost'] as const)(
    '%s: nothing moves, and messages are accepted and sent all the while',
    async (fault) => {
      const report = await trial(fault)
      expectKept(report, true)
      expect(report.after).toEqual([report.active])
      expect(report.during.moves + report.repair.moves).toBe(0)
      expect(report.messages.acceptedDuring).toBeGreaterThan(0)
    },
    TRIAL_MS,
  )

  it.each(['mute', 'link-down', 'kill-all', 'freeze-all', 'kill-gateway'] as const)(
    '%s: the other member serves, and nobody beside it, not even unheard',
    async (fault) => {
      const report = await trial(fault)
      expectKept(report, true)
      expect(report.after).not.toContain(report.active)
      expect(report.during.outage).toBeLessThan(8_000)
    },
    TRIAL_MS,
  )
})

describeWith([...labNeeds], 'two members with small disks', () => {
  const { trial, lab } = labSuite({ diskMB: 40 })

  it(
    'disk-full on the standby is an alarm and no outage',
    async () => {
      const report = await trial('disk-full')
      expectKept(report)
      expect(report.after).toEqual([report.active])
      expect(report.messages.acceptedDuring).toBeGreaterThan(0)
      expect(report.during.outage).toBeLessThan(3_000)
      const active = report.active === 'a' ? 'a' : 'b'
      expect(await lab().ask({ kind: 'log', member: active })).toMatch(/disk|full/i)
    },
    TRIAL_MS,
  )
})
