/**
 * More than two members, and members in different networks: a third one joins a pair that runs; then one dies, then
 * two. Behind a router there is no common address: a balancer asks /role (driver `external`).
 */
import { expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { expectKept, labNeeds, labSuite, TRIAL_MS } from './lab-suite.ts'

describeWith([...labNeeds], 'a third member', () => {
  const { trial } = labSuite({})

  it(
    'joins a pair that runs without stopping it',
    async () => {
      const report = await trial('third-joins')
      expectKept(report)
      expect(report.after).toEqual([report.active])
      expect(report.during.moves + report.repair.moves).toBe(0)
      expect(report.messages.acceptedDuring).toBeGreaterThan(0)
    },
    TRIAL_MS,
  )

  it.each(['kill-all', 'partition'] as const)(
    '%s: one of the others serves, and nobody beside it',
    async (fault) => {
      const report = await trial(fault)
      // Three members are a majority of two: what holds with a witness holds here.
      expectKept(report, true)
      expect(report.after).toHaveLength(1)
    },
    TRIAL_MS,
  )

  it(
    'two-killed: what was accepted is sent when they are back',
    async () => expectKept(await trial('two-killed'), true),
    TRIAL_MS,
  )
})

describeWith([...labNeeds], 'members in different networks', () => {
  const { trial } = labSuite({ members: ['a', 'far'], driver: 'external' })

  it.each(['handover', 'kill-all', 'kill-gateway', 'stop'] as const)(
    '%s: the other one says ACTIVE, and nothing is lost',
    async (fault) => {
      const report = await trial(fault)
      expectKept(report)
      expect(report.after).not.toContain(report.active)
    },
    TRIAL_MS,
  )
})

describeWith([...labNeeds], 'a preferred member', () => {
  const { trial } = labSuite({ more: '  preempt: true\n  master: a' })

  it(
    'failback: takes over again by itself once it has everything, and nothing is lost',
    async () => {
      const report = await trial('failback', 15_000)
      expectKept(report)
      expect(report.active).toBe('a')
      expect(report.after).toEqual(['a'])
      expect(report.during.moves).toBe(2)
    },
    TRIAL_MS,
  )
})
