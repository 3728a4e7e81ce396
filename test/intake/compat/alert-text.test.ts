/** Groups of alerts into texts: what Alertmanager 0.25 and Grafana send, and what a phone shows. */
import { describe, expect, test } from 'vitest'
import { alertDefaults } from '#config/compat.ts'
import { type AlertGroup, alertText, groupOf, identityOf, priorityOf } from '#intake/compat/alert-text.ts'

const hook = { ...alertDefaults, resolved: true }
const alert = (status: string, name: string, more: Record<string, string> = {}, summary = 'it is bad') => ({
  status,
  labels: { alertname: name, ...more },
  annotations: { summary },
  startsAt: '2026-11-21T10:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  fingerprint: `${name}${JSON.stringify(more)}`,
})
const group = (...alerts: object[]): AlertGroup =>
  groupOf({ version: '4', groupKey: '{}:{}', receiver: 'duty', status: 'firing', alerts })

describe('text', () => {
  test.each([
    [[alert('firing', 'HighCpu', { instance: 'host1' })], 'FIRING 1: HighCpu host1: it is bad'],
    [[alert('firing', 'A'), alert('firing', 'B')], 'FIRING 2: A: it is bad; B: it is bad'],
    [[alert('resolved', 'A', { instance: 'h' })], 'RESOLVED 1: A h: it is bad'],
    // A group with one alert that is over still says firing at the top.
    [[alert('firing', 'A'), alert('resolved', 'B')], 'FIRING 1: A: it is bad; RESOLVED 1: B: it is bad'],
    [[alert('firing', 'A', {}, '')], 'FIRING 1: A'],
    [[{ status: 'firing', labels: {} }], 'FIRING 1: alert'],
  ])('%j', (alerts, text) => {
    expect(alertText(group(...alerts), hook)).toBe(text)
  })

  test('is cut to the limit, never in the middle of a character', () => {
    const long = group(alert('firing', 'A', {}, `${'x'.repeat(31)}🔥🔥🔥`))
    expect(alertText(long, { ...hook, limit: 49 })).toBe(`FIRING 1: A: ${'x'.repeat(31)}🔥...`)
    expect(alertText(long, { ...hook, limit: 48 })).toBe(`FIRING 1: A: ${'x'.repeat(31)}...`)
  })

  test('templates name labels, annotations and what all alerts have in common', () => {
    const text = alertText(
      group(alert('firing', 'A', { site: 'north' }), alert('firing', 'B', { site: 'north' })),
      {
        ...hook,
        text: '[{label.site}] {firing}/{count} {alerts} {label.none}',
        alert: '{status} {name}@{label.site} ({annotation.summary})',
      },
    )
    expect(text).toBe('[north] 2/2 FIRING A@north (it is bad); FIRING B@north (it is bad)')
  })

  test('without resolved notices a group that is over is no news', () => {
    expect(alertText(group(alert('resolved', 'A')), { ...hook, resolved: false })).toBeUndefined()
    expect(alertText(group(), hook)).toBeUndefined()
  })

  test('what was left out on the way is counted', () => {
    const body = { alerts: [alert('firing', 'A', {}, '')], truncatedAlerts: 7 }
    expect(alertText(groupOf(body), hook)).toBe('FIRING 1: A; and 7 more')
  })

  test("Grafana's older shape", () => {
    const body = {
      title: '[Alerting] CPU',
      ruleId: 3,
      ruleName: 'CPU',
      state: 'alerting',
      message: 'too high',
    }
    expect(alertText(groupOf(body), hook)).toBe('FIRING 1: CPU: too high')
    expect(alertText(groupOf({ ...body, state: 'ok' }), hook)).toBe('RESOLVED 1: CPU: too high')
  })
})

test.each([
  ['critical', 0],
  ['CRITICAL', 0],
  ['high', 1],
  ['warning', 2],
  ['whatever', 2],
  ['info', 3],
])('severity %s has priority %i', (severity, priority) => {
  expect(priorityOf(group(alert('firing', 'A', { severity })))).toBe(priority)
})

test('the gravest alert that fires decides; what is over does not', () => {
  const over = alert('resolved', 'B', { severity: 'critical' })
  expect(priorityOf(group(alert('firing', 'A', { severity: 'warning' }), over))).toBe(2)
  expect(priorityOf(group(over))).toBe(2)
})

test('two notices are the same when their alerts are, in whatever order and with whatever values', () => {
  const [a, b] = [alert('firing', 'A'), alert('firing', 'B')]
  expect(identityOf(group(a, b))).toBe(identityOf(group(b, { ...a, annotations: { summary: 'now 94 %' } })))
  expect(identityOf(group(a, b))).not.toBe(identityOf(group(a)))
  expect(identityOf(group(a))).not.toBe(identityOf(group({ ...a, status: 'resolved' })))
  expect(identityOf(group(a))).not.toBe(identityOf(group({ ...a, startsAt: '2026-11-21T11:00:00Z' })))
})

test.each([
  [{}, 'alerts'],
  [{ alerts: {} }, 'alerts'],
  [{ alerts: ['x'] }, 'alerts[0]'],
  [{ alerts: [{ status: 'pending' }] }, 'alerts[0].status'],
  [{ alerts: [{ status: 'firing', labels: [] }] }, 'alerts[0].labels'],
])('%j is refused with the field named', (body, field) => {
  expect(() => groupOf(body)).toThrow(expect.objectContaining({ field }))
})
