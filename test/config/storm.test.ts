/** The storm guard's settings: read, written, refused with their place. */
import { expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { readSetting } from '#config/shared.ts'
import { isOff } from '#config/storm.ts'

const whole = {
  dedupe: { window: '5m', text: true },
  group: { after: 3, window: '1m' },
  budgets: { recipient: '100/1h', line: '300/1h', month: 5000 },
  quiet: [{ to: ['night', '+49170111', '*'], from: '22:00', until: '06:30' }],
  zone: 'Europe/Berlin',
}
const known = { node: 'a', lines: [], paired: false }

test('what is read is written alike, and nothing is off', () => {
  const read = readSetting('storm', whole, known)
  expect(read).toMatchObject({ value: whole })
  if ('problems' in read) return
  expect(read.shared.storm).toMatchObject({
    budgets: { recipient: { parts: 100, perMs: 3_600_000 } },
    quiet: [{ from: 1320, until: 390 }],
  })
  expect(isOff(read.shared.storm)).toBe(false)
  expect(readSetting('storm', {}, known)).toMatchObject({ value: {} })
  expect(isOff(parseConfig('storm: { zone: UTC }', '/x.yaml').storm)).toBe(true)
})

test.each([
  [{ dedupe: { window: '1y' } }, 'storm.dedupe.window', /from 1s to 1d/],
  [{ budgets: { recipient: '1/1h' } }, 'storm.budgets.recipient', /at least 2 parts/],
  [{ budgets: { line: 'many' } }, 'storm.budgets.line', /such as 10\/1m/],
  [{ budgets: { month: 0 } }, 'storm.budgets.month', /whole number from 1/],
  [{ group: { after: 0 } }, 'storm.group.after', /from 1 to 1000/],
  [{ quiet: [{ to: ['*'], from: '22:00', until: '06:00' }] }, 'storm.zone', /need a time zone/],
  [{ zone: 'UTC', quiet: [{ to: [], from: '22:00', until: '06:00' }] }, 'storm.quiet[0].to', /name somebody/],
  [
    { zone: 'UTC', quiet: [{ to: ['1 2'], from: '22:00', until: '06:00' }] },
    'storm.quiet[0].to[0]',
    /no contact/,
  ],
  [{ zone: 'UTC', quiet: [{ to: ['*'], from: '25:00', until: '06:00' }] }, 'storm.quiet[0].from', /"22:00"/],
  [
    { zone: 'UTC', quiet: [{ to: ['*'], from: '22:00', until: '22:00' }] },
    'storm.quiet[0].until',
    /must end/,
  ],
  [{ zone: 'Mars/Base' }, 'storm.zone', /Europe\/Berlin/],
  [{ budget: {} }, 'storm.budget', /did you mean budgets/],
])('%j is refused', (value, path, text) => {
  const read = readSetting('storm', value, known)
  const problems = 'problems' in read ? read.problems : []
  expect(problems).toContainEqual({ path, text: expect.stringMatching(text) })
})
