/** What Class 2 modems say, as lines from dialogues; no modem needed. */
import { expect, test } from 'vitest'
import { readAbilities, readReport, readSession, sessionText, wishFor } from '#fax/class2/dialect.ts'
import { hangUpReason } from '#fax/class2/hang-up.table.ts'

test('a call of Class 2', () => {
  expect(readReport(['+FCON', '+FCSI: "            FAXBENCH"', '+FDIS: 1,5,2,2,1,0,0,0'], '2')).toEqual({
    machine: true,
    station: 'FAXBENCH',
    far: { coding: 'MR', ecm: false, fine: true },
  })
  expect(readReport(['+FDCS: 1,5,0,2,0,0,0,0'], '2')).toMatchObject({
    session: { resolution: 196, rate: 14400, coding: 'MH', ecm: false, rowTime: 0 },
  })
  expect(readReport(['+FPTS: 1,2200,0,0,0', '+FET: 2'], '2')).toMatchObject({ status: 1, after: 2 })
  expect(readReport(['+FHNG: 54'], '2')).toMatchObject({ hungUp: 54 })
})

test('a call of Class 2.0: no space, numbers in hexadecimal', () => {
  expect(readReport(['+FCO', '+FCI:"+49 30 1"', '+FIS:1,5,2,2,1,0,0,0'], '2.0')).toEqual({
    machine: true,
    station: '+49 30 1',
    far: { coding: 'MR', ecm: false, fine: true },
  })
  expect(readReport(['+FPS:1,898,0,0,0', '+FET:0'], '2.0')).toMatchObject({ status: 1, after: 0 })
  expect(readReport(['+FHS:54'], '2.0')).toMatchObject({ hungUp: 54 })
  expect(readReport(['+FHS:A1'], '2.0')).toMatchObject({ hungUp: 101 })
})

test('what follows a page, with an operator called for or not', () => {
  const follows = (dialect: '2' | '2.0', ...codes: number[]) =>
    codes.map((code) => readReport([`+FET: ${code}`], dialect).after)
  expect(follows('2', 0, 1, 2, 3, 4, 5, 6)).toEqual([0, 1, 2, undefined, 0, 1, 2])
  expect(follows('2.0', 0, 1, 2, 3, 4, 5)).toEqual([0, 1, 2, 0, 1, 2])
})

test('what a page may take depends on its resolution', () => {
  expect(readSession('0,3,0,2,1,0,0,4')).toMatchObject({ rate: 9600, coding: 'MR', rowTime: 20 })
  expect(readSession('1,3,0,2,1,0,0,4')).toMatchObject({ resolution: 196, rowTime: 10 })
  const wish = { resolution: 98, maxRate: 9600, coding: 'MR', correction: 0 } as const
  expect(readSession(sessionText(wish))).toMatchObject({
    resolution: 98,
    rate: 9600,
    coding: 'MR',
    ecm: false,
  })
})

test('with error correction rows take no time', () => {
  expect(readSession('1,5,0,2,3,2,0,4')).toMatchObject({ coding: 'MMR', ecm: true, rowTime: 0 })
})

const wanted = { ecm: true, maxRate: 14400 } as const

test.each([
  // Multi-Tech's own Class 2 and Class 2.0 answers, Rockwell's, and one that corrects frames of 64 octets only.
  ['(0,1),(0-5),(0-2),(0-2),(0,1),(0),(0),(0-7)', '2', { coding: 'MR', correction: 0, maxRate: 14400 }],
  [
    '+FCC: (00-01),(00-05),(00-02),(00-02),(00-03),(00-01),(00),(00-07)',
    '2.0',
    { coding: 'MMR', correction: 1 },
  ],
  ['(0,1),(0-3),(0-2),(0-2),(0,1),0,0,(0-7)', '2', { coding: 'MR', correction: 0, maxRate: 9600 }],
  ['(0,1), (0-5), (0), (0-2), (0,1,3), (0-2), (0), (0)', '2', { coding: 'MMR', correction: 2 }],
  ['(0,1),(0-5),(0),(0-2),(0-3),(0,1),(0),(0)', '2', { coding: 'MMR', correction: 1 }],
  ['(0-3F),(0-D),(0-4),(0-2),(0-3),(0-4),(0),(0-7)', '2.0', { coding: 'MMR', correction: 1, maxRate: 14400 }],
  ['(0,1),(0-5),(0),(0-2),(0-3),(0),(0),(0)', '2', { coding: 'MR', correction: 0 }],
  ['', '2', { coding: 'MH', correction: 0, maxRate: 14400 }],
] as const)('what a modem can: %s in Class %s', (answer, counts, expected) => {
  expect(readAbilities(answer, counts, wanted)).toMatchObject(expected)
})

test('without leave there is no error correction, and no T.6 then', () => {
  const answer = '(0,1),(0-5),(0),(0-2),(0-3),(0-2),(0),(0)'
  expect(readAbilities(answer, '2', { ecm: false, maxRate: 9600 })).toEqual({
    coding: 'MR',
    correction: 0,
    maxRate: 9600,
  })
})

test('a session is the best that both ends have', () => {
  const own = { coding: 'MMR', correction: 2, maxRate: 14400 } as const
  expect(wishFor(own, undefined, 196)).toEqual({ resolution: 196, ...own })
  expect(wishFor(own, { coding: 'MR', ecm: true, fine: true }, 98)).toMatchObject({
    coding: 'MR',
    correction: 2,
  })
  expect(wishFor(own, { coding: 'MMR', ecm: false, fine: true }, 98)).toMatchObject({
    coding: 'MR',
    correction: 0,
  })
  expect(wishFor({ ...own, coding: 'MH' }, { coding: 'MMR', ecm: true, fine: true }, 98)).toMatchObject({
    coding: 'MH',
  })
  expect(wishFor(own, { coding: 'MMR', ecm: true, fine: false }, 196)).toMatchObject({ resolution: 98 })
})

test('what is not known here is said, not guessed', () => {
  expect(readSession('1,6,0,2,0,0,0,0')).toBeUndefined()
  expect(readReport(['+FDCS: 1,5,0,2,2,0,0,0'], '2').unknownSession).toBe('1,5,0,2,2,0,0,0')
})

test('why a modem hung up, in words and with its rule', () => {
  expect(hangUpReason(11).failure).toBe('fax-no-machine')
  expect(hangUpReason(27).failure).toBe('fax-training-failed')
  expect(hangUpReason(43).failure).toBe('fax-too-slow')
  expect(hangUpReason(54)).toEqual({
    failure: 'fax-line-dropped',
    text: 'the other machine no longer answered after the page (reason 54)',
  })
  expect(hangUpReason(250).failure).toBe('fax-protocol')
})
