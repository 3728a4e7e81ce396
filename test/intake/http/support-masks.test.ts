/** What a support bundle hides of numbers and addresses, and what it must leave so that anything can be followed. */
import { expect, test } from 'vitest'
import { masked } from '#intake/http/support.ts'

test.each([
  ['"to":"+491701234567"', '"to":"+49***67"'],
  [
    '{ id: fax0, station: "+49 30 1234567", header: true }',
    '{ id: fax0, station: "+49***67", header: true }',
  ],
  ['"station":"+49 30 555 1234","rate":14400', '"station":"+49***34","rate":14400'],
  ['"station":"030 555 1234      ","rate":14400', '"station":"030***34      ","rate":14400'],
  ['callers: ["+49 (30) 555-12", "+4930*"]', 'callers: ["+49***12", "+4930*"]'],
  ["sms: '01701234567'", "sms: '017***67'"],
  ['"from": ann@example.org', '"from": ***@example.org'],
  [
    'open http://192.168.1.52:8080 and enter the setup code K7PM-4XQT"',
    'open http://192.168.1.52:8080 and enter the setup code ***"',
  ],
])('%s', (text, wanted) => {
  expect(masked(text)).toBe(wanted)
})

test.each([
  '2026-11-21T21:41:45.393+01:00 box-a started',
  '01a2000e-e331-769d-8d94-065d8eead3bf.0 sent',
  'serial:///dev/ttyACM0?baud=115200',
  '"pid":19404,"address":"10.77.0.100/24"',
  'maxRate: 14400, answer: { rings: 2 }',
])('%s stays', (text) => {
  expect(masked(text)).toBe(text)
})
