/** All 256 values of TP-Status (3GPP TS 23.040 9.2.3.15). */
import { expect, test } from 'vitest'
import { tpStatus } from '#sms/tp-status.table.ts'

const all = Array.from({ length: 256 }, (_, status) => ({ status, ...tpStatus(status) }))
const statusesWith = (outcome: string): number[] =>
  all.filter((row) => row.outcome === outcome).map((row) => row.status)
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('only one value proves delivery', () => expect(statusesWith('delivered')).toEqual([0x00]))

test('pending: forwarded, completed in the own way of the service centre, and all that is still tried', () => {
  expect(statusesWith('pending')).toEqual([
    0x01,
    ...range(0x10, 0x1f),
    ...range(0x20, 0x25),
    ...range(0x30, 0x3f),
  ])
})

test('temporary: what is still tried, what was given up, and what is reserved (it counts as 0x63)', () => {
  const permanent = [0x00, 0x01, 0x02, ...range(0x10, 0x1f), ...range(0x40, 0x49), ...range(0x50, 0x5f)]
  expect(all.filter((row) => !row.temporary).map((row) => row.status)).toEqual(permanent)
})

test('reserved values', () => {
  const reserved = [
    ...range(0x03, 0x0f),
    ...range(0x26, 0x2f),
    ...range(0x4a, 0x4f),
    ...range(0x66, 0x6f),
    ...range(0x80, 0xff),
  ]
  expect(all.filter((row) => row.code === 'reserved-status').map((row) => row.status)).toEqual(reserved)
  for (const status of reserved)
    expect(tpStatus(status)).toMatchObject({ outcome: 'failed', temporary: true })
})

test('a code for programs and a sentence for people, always', () => {
  for (const { code, text } of all) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(text).toMatch(/^[A-Z].*\.$/)
  }
  expect(tpStatus(0x46)).toMatchObject({ code: 'validity-expired', temporary: false })
  expect(tpStatus(0x22)).toMatchObject({ code: 'no-response', outcome: 'pending' })
  expect(tpStatus(0x62)).toMatchObject({ code: 'no-response', outcome: 'failed', temporary: true })
  expect(tpStatus(0x5a).text).toContain('0x5A')
})

test('what is no octet counts as reserved', () => {
  for (const status of [-1, 256, 1.5, Number.NaN]) expect(tpStatus(status).code).toBe('reserved-status')
})
