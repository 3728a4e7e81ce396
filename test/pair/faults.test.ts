/**
 * Two members without a witness, in network namespaces with real processes, real ARP and modems that outlive their
 * boxes: every fault once. Bounds of time are far above the figures (`npm run bench:pair`), since other suites run
 * beside this one; what must never be broken is asserted exactly.
 */
import { expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { expectKept, labNeeds, labSuite, TRIAL_MS } from './lab-suite.ts'

describeWith([...labNeeds], 'two members without a witness', () => {
  const { trial } = labSuite({})
  const moving = [
    { fault: 'handover', outage: 3_000 },
    { fault: 'kill-gateway', outage: 6_000 },
    { fault: 'kill-all', outage: 8_000 },
    { fault: 'freeze-gateway', outage: 10_000 },
    { fault: 'freeze-all', outage: 8_000 },
    { fault: 'link-down', outage: 8_000 },
    { fault: 'stop', outage: 6_000 },
    { fault: 'takeover', outage: 3_000 },
  ] as const

  it.each(moving)(
    '$fault: the other member serves, nothing is lost, nobody holds the address beside it',
    async ({ fault, outage }) => {
      const report = await trial(fault)
      expectKept(report)
      expect(report.after).not.toContain(report.active)
      expect(report.during.outage).toBeLessThan(outage)
      expect(report.repair.outage).toBeLessThan(outage)
    },
    TRIAL_MS,
  )

  it(
    'kill-guard: the gateway starts it again or the other member serves',
    async () => {
      const report = await trial('kill-guard')
      expectKept(report)
      expect(report.during.outage).toBeLessThan(8_000)
    },
    TRIAL_MS,
  )

  it(
    'busy: programs that take every core lose nothing and make no second holder',
    async () => expectKept(await trial('busy')),
    TRIAL_MS,
  )

  it(
    'standby-killed: the active goes on, and the standby catches up',
    async () => {
      const report = await trial('standby-killed')
      expectKept(report)
      expect(report.after).toEqual([report.active])
      expect(report.messages.acceptedDuring).toBeGreaterThan(0)
    },
    TRIAL_MS,
  )

  it(
    'mute: the other member serves; one of them again when they hear each other',
    async () => {
      const report = await trial('mute')
      expectKept(report)
      expect(report.after).toContain(report.active === 'a' ? 'b' : 'a')
      expect(report.repair.outage).toBeLessThan(8_000)
    },
    TRIAL_MS,
  )

  it.each(['partition', 'one-way'] as const)(
    '%s: both serve while they cannot hear each other, one soon after they do',
    async (fault) => {
      const report = await trial(fault)
      expectKept(report)
      expect(report.messages.acceptedDuring).toBeGreaterThan(0)
      expect(report.during.outage).toBeLessThan(5_000)
      expect(report.repair.outage).toBeLessThan(5_000)
      expect(report.repair.overlap).toBeLessThan(5_000)
    },
    TRIAL_MS,
  )

  it(
    'reboot-both: one of them is active again and sends what was accepted',
    async () => {
      const report = await trial('reboot-both')
      expectKept(report)
    },
    TRIAL_MS,
  )
})
