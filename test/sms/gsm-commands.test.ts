/** What answers of modems say, in the spellings that are seen in the field. */
import { describe, expect, it } from 'vitest'
import type { Answer } from '#lines/at-channel.ts'
import {
  iccidOf,
  isRegistrationAnswer,
  listedMessages,
  memoryUse,
  operatorOf,
  registrationOf,
  retriesOf,
  signalOf,
  smscOf,
  storedAt,
  textOf,
} from '#sms/gsm-commands.ts'

const ok = (...lines: string[]): Answer => ({ result: 'ok', lines })

describe('registration', () => {
  it.each([
    ['+CREG: 2,1,"00A1","0000B2C3",7', true, 'registered (home)', 'LTE'],
    ['+CREG: 0,5', true, 'registered (roaming)', ''],
    ['+CREG: 2,1, 12AB, 00C3', true, 'registered (home)', ''],
    ['+CREG: 1', true, 'registered (home)', ''],
    ['+CEREG: 1,"00A1","0000B2C3",7', true, 'registered (home)', 'LTE'],
    ['+CREG: 2', false, 'searching', ''],
    ['+CREG: 0,3', false, 'denied', ''],
    ['+CREG: 2,6', true, 'registered for SMS only (home)', ''],
    ['+CREG: 2,10,"1","2",7', true, 'registered, CSFB not preferred (roaming)', 'LTE'],
  ])('%s', (line, registered, registration, technology) => {
    expect(registrationOf(line)).toEqual({ registered, registration, technology })
  })

  it('of no known kind says nothing', () => {
    expect(registrationOf('+CREG: 0,99')).toBeUndefined()
    expect(registrationOf('+CREG: x')).toBeUndefined()
  })

  it('tells an answer from news', () => {
    expect(['+CREG: 2,1', '+CREG: 2,1,"A","B"', '+CREG: 0, 5'].map(isRegistrationAnswer)).toEqual([
      true,
      true,
      true,
    ])
    expect(['+CREG: 1', '+CREG: 1,"00A1","B2"', '+CREG: 5,"1","2",7'].map(isRegistrationAnswer)).toEqual([
      false,
      false,
      false,
    ])
  })
})

it.each([
  [ok('+CCID: 8949000000000000017'), '8949000000000000017'],
  [ok('89490000000000000179'), '89490000000000000179'],
  [ok('+ICCID: "8949000000000000017F"'), '8949000000000000017'],
  [ok('^ICCID: 89860312345678901234'), '89860312345678901234'],
  [ok('nothing of the kind'), ''],
  [{ result: 'timeout' } as Answer, ''],
])('ICCID of %j', (answer, iccid) => {
  expect(iccidOf(answer)).toBe(iccid)
})

it.each([
  [ok('+CPINR: SIM PIN,3,3', '+CPINR: SIM PUK,10,10'), 3],
  [ok('+SPIC: 2,10,0,10'), 2],
  [ok('^CPIN: SIM PIN,1,10,1,10,3'), 1],
  [ok('3'), 3],
  [ok(), undefined],
])('attempts of %j', (answer, tries) => {
  expect(retriesOf(answer)).toBe(tries)
})

it('signal in dBm', () => {
  expect([signalOf(ok('+CSQ: 20,99')), signalOf(ok('+CSQ: 0,0')), signalOf(ok('+CSQ: 99,99'))]).toEqual([
    -73,
    -113,
    undefined,
  ])
})

it('operator with a comma in its name', () => {
  expect(operatorOf(ok('+COPS: 0,0,"One, Two",7'))).toEqual({ operator: 'One, Two', technology: 'LTE' })
  expect(operatorOf(ok('+COPS: 0'))).toEqual({ operator: '', technology: '' })
})

it('service centre, empty when it is no number', () => {
  expect([
    smscOf(ok('+CSCA: "+491700000001",145')),
    smscOf(ok('+CSCA: "",129')),
    smscOf(ok('+CSCA: "???"')),
  ]).toEqual(['+491700000001', '', ''])
})

it('listed messages, with a header that lost its PDU left out', () => {
  expect(listedMessages(['+CMGL: 1,1,,24', '0791AB', '+CMGL: 2,0,,24', '+CMGL: 3,2,"x",9', '00AB'])).toEqual([
    { index: 1, status: 1, pdu: '0791AB' },
    { index: 3, status: 2, pdu: '00AB' },
  ])
})

it('places and uses of memories', () => {
  expect([storedAt('"SM",3'), storedAt('"ME", 255'), storedAt('SM,x'), storedAt('')]).toEqual([
    { memory: 'SM', index: 3 },
    { memory: 'ME', index: 255 },
    undefined,
    undefined,
  ])
  expect(memoryUse(ok('+CPMS: 7,20,7,20,7,20'))).toEqual({ used: 7, total: 20 })
})

it('plain texts, with or without a prefix and quotes', () => {
  expect([textOf(ok('SIMCOM_Ltd')), textOf(ok('+CGMM: "SIM7600"')), textOf(ok('^RSSI: 1', 'E173'))]).toEqual([
    'SIMCOM_Ltd',
    'SIM7600',
    'E173',
  ])
})
