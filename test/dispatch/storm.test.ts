/** The storm guard's decisions, on a clock that the test sets. */
import { expect, test } from 'vitest'
import { noStorm, type StormConfig } from '#config/storm.ts'
import { monthBegin, quietEnd } from '#core/zone.ts'
import { Storm, type StormInput } from '#dispatch/storm.ts'
import { digestText } from '#dispatch/storm-guard.ts'

const begin = Date.UTC(2026, 10, 21, 12)
const minute = 60_000

function machine(
  rules: Partial<StormConfig>,
  quiet: (to: string, now: number) => number | undefined = () => undefined,
) {
  const storm = new Storm({ ...noStorm(), ...rules }, quiet)
  let count = 0
  const put = (after: number, input: Partial<StormInput> = {}) => {
    const id = `m${count++}.0`
    const verdict = storm.consider(
      {
        id,
        to: '+491',
        parts: 1,
        priority: 2,
        text: `text ${id}`,
        sameness: undefined,
        expires: begin + 1_000 * minute,
        again: false,
        digest: false,
        ...input,
      },
      begin + after,
    )
    return verdict.verdict === 'fold' ? verdict.reason.code : verdict.verdict
  }
  return { storm, put }
}

test('what comes in a group window beyond its count becomes one digest at its end', () => {
  const { storm, put } = machine({ group: { after: 2, window: minute } })
  expect([put(0), put(1), put(2), put(3, { priority: 1 })]).toEqual(['pass', 'pass', 'folded', 'folded'])
  expect(put(4, { to: '+492' })).toBe('pass')
  expect(storm.digests(begin + minute - 1)).toEqual([])
  expect(storm.digests(begin + minute)).toEqual([
    { to: '+491', count: 2, priority: 1, latest: 'text m3.0', first: 'm2.0' },
  ])
  expect(storm.digests(begin + 5 * minute)).toEqual([])
  expect(put(minute + 1)).toBe('pass')
})

test('a budget keeps room for its digest, priority 0 passes and counts, and nothing is untold', () => {
  const { storm, put } = machine({ budgets: { recipient: { parts: 5, perMs: 60 * minute } } })
  expect([put(0), put(1, { parts: 2 }), put(2, { priority: 0 })]).toEqual(['pass', 'pass', 'pass'])
  expect([put(3), put(4), put(5, { parts: 2 })]).toEqual(['over-budget', 'over-budget', 'over-budget'])
  const [digest] = storm.digests(begin + 3 + minute)
  expect(digest).toMatchObject({ count: 3 })
  expect(put(2 * minute, { digest: true })).toBe('pass')
  // The budget is used up: the next digest waits for the next span, and takes of it.
  expect(put(3 * minute)).toBe('over-budget')
  expect(put(3 * minute, { priority: 0 })).toBe('pass')
  expect(storm.digests(begin + 59 * minute)).toEqual([])
  expect(storm.digests(begin + 60 * minute)).toMatchObject([{ count: 1 }])
})

test('the same again is folded within its window, but for one that never got out', () => {
  const { storm, put } = machine({ dedupe: { window: 5 * minute, text: false } })
  expect([put(0, { id: 'a', sameness: 'x' }), put(1, { sameness: 'x' })]).toEqual(['pass', 'repeated'])
  expect(put(2, { sameness: 'x', to: '+492' })).toBe('pass')
  expect(put(3, { sameness: 'x', priority: 0 })).toBe('pass')
  // The delivery itself comes back after a change of routes.
  expect(put(4, { id: 'b', sameness: 'y' })).toBe('pass')
  expect(put(5, { id: 'b', sameness: 'y' })).toBe('pass')
  storm.ended('b', '+491', 'y')
  expect(put(6, { sameness: 'y' })).toBe('pass')
  expect(put(7, { id: 'c', sameness: 'z', expires: begin + 8 })).toBe('pass')
  expect(put(9, { sameness: 'z' })).toBe('pass')
  expect(put(5 * minute + 4, { sameness: 'x' })).toBe('pass')
  expect(put(5 * minute + 5)).toBe('pass')
})

test('quiet hours hold what lasts, fold what would expire, and let priority 0 through', () => {
  const end = begin + 60 * minute
  const { storm, put } = machine({}, (_to, now) => (now < end ? end : undefined))
  expect(put(0)).toBe('wait')
  expect(put(0, { priority: 0 })).toBe('pass')
  expect(put(0, { again: true })).toBe('wait')
  expect(put(0, { expires: begin + minute })).toBe('quiet-folded')
  expect(storm.digests(end - 1)).toEqual([])
  expect(storm.digests(end)).toMatchObject([{ count: 1 }])
})

test('a person who asks for it again gets it, and what comes back is not counted twice', () => {
  const { put } = machine({ budgets: { recipient: { parts: 3, perMs: minute } } })
  expect([put(0, { id: 'a' }), put(1, { id: 'a' }), put(2, { id: 'b' })]).toEqual(['pass', 'pass', 'pass'])
  expect([put(3), put(4, { again: true })]).toEqual(['over-budget', 'pass'])
})

test('budgets of lines and of their SIM in a month', () => {
  const { storm } = machine({ budgets: { line: { parts: 3, perMs: minute }, month: 5 } })
  storm.lineUsed('gsm0', 3, begin)
  expect([storm.lineMay('gsm0', begin + 1), storm.lineMay('gsm1', begin + 1)]).toEqual([false, true])
  expect(storm.lineMay('gsm0', begin + minute)).toBe(true)
  storm.lineUsed('gsm0', 2, begin + minute)
  expect(storm.lineMay('gsm0', begin + 3 * minute)).toBe(false)
  expect(storm.lineMay('gsm0', Date.UTC(2026, 11, 1))).toBe(true)
})

test('28,000 in 60 s with a budget of 100: at most 100 go out, the digest tells of the others', () => {
  const { storm, put } = machine({ budgets: { recipient: { parts: 100, perMs: 60 * minute } } })
  const counts = new Map<string, number>()
  for (let n = 0; n < 28_000; n++) {
    const verdict = put(Math.floor((n * minute) / 28_000))
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  }
  expect(Object.fromEntries(counts)).toEqual({ pass: 99, 'over-budget': 27_901 })
  const digests = storm.digests(begin + 2 * minute)
  expect(digests).toMatchObject([{ count: 27_901 }])
})

test('times of day and months in a time zone', () => {
  const night = { to: ['*'], from: 22 * 60, until: 6 * 60 }
  const berlin = 'Europe/Berlin'
  // 23:30 in Berlin in winter; the quiet hours end at 6:00 there, 5:00 UTC.
  expect(quietEnd(night, Date.UTC(2026, 0, 10, 22, 30, 7), berlin)).toBe(Date.UTC(2026, 0, 11, 5))
  expect(quietEnd(night, Date.UTC(2026, 0, 10, 20, 59), berlin)).toBeUndefined()
  expect(quietEnd(night, Date.UTC(2026, 0, 11, 5), berlin)).toBeUndefined()
  // The night that daylight saving time begins: 6:00 is 4:00 UTC.
  expect(quietEnd(night, Date.UTC(2026, 2, 28, 22), berlin)).toBe(Date.UTC(2026, 2, 29, 4))
  expect(quietEnd({ from: 60, until: 120 }, Date.UTC(2026, 0, 1, 1, 30), 'UTC')).toBe(Date.UTC(2026, 0, 1, 2))
  expect(monthBegin(Date.UTC(2026, 6, 15), berlin)).toBe(Date.UTC(2026, 5, 30, 22))
})

test('a digest is one SMS, whatever the latest message was', () => {
  for (const latest of ['disk full', 'Ω'.repeat(300), '{'.repeat(300), 'Ж'.repeat(300), ''])
    expect(digestText({ count: 27_901, latest })).toMatch(/^and 27901 more messages held back/)
  expect(digestText({ count: 1, latest: 'fan\nfailed' })).toContain('Latest: fan failed')
})
