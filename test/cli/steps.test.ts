/** The lines of `send --wait`: what happened in words, and where. */
import { expect, test } from 'vitest'
import { type Step, stepText } from '#cli/steps.ts'

/** One line for each step of a delivery. */
const told = (steps: readonly Step[], channel: string, parts: number): string[] =>
  steps.map((step, n) => stepText(step, steps[n - 1], { channel, parts }))

const first = { node: 'box-a', line: 'fax0' }
const second = { node: 'box-b', line: 'fax0' }

test('a fax is called, its pages are sent and confirmed, and another line goes on where it broke off', () => {
  const steps: Step[] = [
    { event: 'accept', node: 'box-a' },
    { event: 'intend', part: 0, ...first },
    { event: 'intend', part: 0, ...first },
    { event: 'confirm', part: 0, ...first },
    { event: 'intend', part: 1, ...second },
    { event: 'intend', part: 1, ...second },
    { event: 'accepted', ...second },
  ]
  expect(told(steps, 'fax', 2)).toEqual([
    'accepted on box-a',
    'calling on fax0 of box-a',
    'page 1 of 2 sent on fax0 of box-a',
    'page 1 of 2 confirmed on fax0 of box-a',
    'calling again for page 2 of 2 on fax0 of box-b',
    'page 2 of 2 sent on fax0 of box-b',
    'the last page confirmed on fax0 of box-b',
  ])
})

test('an SMS of several parts says which; what has no words yet keeps its name', () => {
  const steps: Step[] = [
    { event: 'intend', part: 0, line: 'gsm0' },
    { event: 'confirm', part: 0, line: 'gsm0' },
    { event: 'intend', part: 1, line: 'gsm0' },
    { event: 'accepted', line: 'gsm0' },
    { event: 'report', part: 1 },
    { event: 'news' },
  ]
  expect(told(steps, 'sms', 2)).toEqual([
    'part 1 of 2 handed to the modem on gsm0',
    'part 1 of 2 confirmed by the network on gsm0',
    'part 2 of 2 handed to the modem on gsm0',
    'accepted by the network on gsm0',
    'part 2 of 2 reported as delivered',
    'news',
  ])
  expect(told(steps.slice(0, 1), 'sms', 1)).toEqual(['handed to the modem on gsm0'])
})
