/** What Class 2 modems say, as lines from dialogues; no modem needed. */
import { expect, test } from 'vitest'
import { readReport, readSession, sessionText } from '#fax/class2/dialect.ts'
import { hangUpReason } from '#fax/class2/hang-up.table.ts'

test('a call of Class 2', () => {
  expect(readReport(['+FCON', '+FCSI: "            FAXBENCH"', '+FDIS: 1,5,2,2,1,0,0,0'], '2')).toEqual({
    machine: true,
    station: 'FAXBENCH',
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
  expect(readSession(sessionText(98, 9600, 'MR'))).toMatchObject({ resolution: 98, rate: 9600, coding: 'MR' })
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
