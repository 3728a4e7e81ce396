/** Numbers, contacts and groups into numbers. */
import { expect, test } from 'vitest'
import { createDirectory, expand } from '#dispatch/recipients.ts'

const contacts = [
  { id: 'ops', name: 'Duty', sms: '+49 170 111', mail: 'duty@example.org' },
  { id: 'eve', name: 'Eve', sms: '0170 222', fax: '+49 30 222' },
  { id: 'desk', name: 'Desk', mail: 'desk@example.org' },
]
const groups = [
  { id: 'all', members: ['OPS', 'night', 'desk'] },
  { id: 'night', members: ['eve', 'ops'] },
  { id: 'paper', members: ['desk'] },
  // What two members' revisions can make together, and no request.
  { id: 'round', members: ['about', 'eve', 'gone'] },
  { id: 'about', members: ['round'] },
]
const directory = createDirectory({ contacts, groups })
const numbers = (...to: string[]) => {
  const result = expand(to, 'sms', directory, 60_000)
  return 'problem' in result ? result : [...result]
}

test('each number once, in the order given, with the place that named it first', () => {
  expect(numbers('0170-222', 'All', '+49170333', '+49170111')).toEqual([
    ['0170222', 0],
    ['+49170111', 1],
    ['+49170333', 2],
  ])
  expect(numbers('round')).toEqual([['0170222', 0]])
})

test.each([
  ['nobody', /no contact or group of this name\. Allowed are the id of a contact or a group, or a number/],
  ['desk', /contact has no number/],
  ['paper', /Nobody in this group has a number/],
  ['+49x', /characters that no number has/],
  ['', /number is empty/],
])('%s is refused with its place', (name, problem) => {
  expect(numbers('ops', name)).toEqual({ index: 1, problem: expect.stringMatching(problem) })
})

test('for a fax the fax numbers count, and no others', () => {
  const faxes = (...to: string[]) => expand(to, 'fax', directory, 60_000)
  expect(faxes('all', '+49170333')).toEqual(
    new Map([
      ['+4930222', 0],
      ['+49170333', 1],
    ]),
  )
  expect(faxes('ops')).toEqual({ index: 0, problem: expect.stringMatching(/no fax number.*\(fax\)/) })
})

test('who there is', () => {
  expect(['OPS', 'all', 'nobody'].map((name) => directory.kind(name))).toEqual([
    'contact',
    'group',
    undefined,
  ])
  expect(directory.contacts('all').map(({ mail }) => mail)).toEqual([
    'duty@example.org',
    'desk@example.org',
    undefined,
  ])
})
