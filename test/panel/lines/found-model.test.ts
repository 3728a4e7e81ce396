/** What a search for modems found, as the panel shows it, and the line that becomes of one. */
import { expect, test } from 'vitest'
import {
  type FoundPortView,
  freeId,
  idsIn,
  lineOf,
  standingOf,
  titleOf,
  wrongWith,
} from '../../../src/panel/lines/found-model.ts'

const entry = { kind: 'gsm', port: 'serial:///dev/serial/by-id/usb-x', imei: '860000000000017' } as const
const modem = { kind: 'gsm', manufacturer: 'Quectel', model: 'EC25', sim: 'READY' } as const
const port = (more: Partial<FoundPortView>): FoundPortView => ({
  device: '/dev/ttyUSB2',
  name: '/dev/serial/by-id/usb-x',
  result: 'modem',
  ...more,
})

test('each port stands as one thing', () => {
  expect(standingOf(port({ modem, entry }))).toBe('usable')
  expect(standingOf(port({ modem, line: 'gsm0' }))).toBe('line')
  expect(standingOf(port({ modem: { ...modem, kind: 'other' } }))).toBe('other')
  for (const result of ['silent', 'denied', 'in-use', 'failed', 'not-asked'] as const)
    expect(standingOf(port({ result }))).toBe(result)
})

test('it goes by maker and model, or by its device', () => {
  expect(titleOf(port({ modem }))).toBe('Quectel EC25')
  expect(titleOf(port({ modem: { ...modem, manufacturer: '' } }))).toBe('EC25')
  expect(titleOf(port({}))).toBe('/dev/ttyUSB2')
})

test('a name is offered that no line of the file has', () => {
  expect(idsIn({})).toEqual([])
  expect(idsIn({ lines: null })).toEqual([])
  const taken = idsIn({ lines: [{ id: 'gsm0' }, null, { kind: 'fax' }, { id: 'gsm2' }] })
  expect(taken).toEqual(['gsm0', '', '', 'gsm2'])
  expect([freeId('gsm', taken), freeId('fax', taken)]).toEqual(['gsm1', 'fax0'])
})

test('what was typed is looked at before anything is asked', () => {
  const wanted = { id: 'gsm1', pin: '', station: '' }
  expect(wrongWith(wanted, ['gsm0'])).toBeUndefined()
  expect(wrongWith({ ...wanted, pin: '0123' }, [])).toBeUndefined()
  expect(wrongWith(wanted, ['gsm1'])).toEqual(['id', 'idTaken'])
  expect(wrongWith({ ...wanted, id: '' }, [])).toEqual(['id', 'idWrong'])
  expect(wrongWith({ ...wanted, id: 'a line' }, [])).toEqual(['id', 'idWrong'])
  expect(wrongWith({ ...wanted, pin: '12' }, [])).toEqual(['pin', 'pinWrong'])
})

test('the line holds what was found and what was typed, and nothing empty', () => {
  expect(lineOf(entry, { id: 'gsm1', pin: '', station: '' })).toEqual({ id: 'gsm1', ...entry })
  const fax = { kind: 'fax', port: 'serial:///dev/serial/by-id/usb-y' } as const
  expect(lineOf(fax, { id: 'fax0', pin: '', station: '+49 30 1' })).toEqual({
    id: 'fax0',
    ...fax,
    station: '+49 30 1',
  })
  expect(lineOf(entry, { id: 'gsm1', pin: '0123', station: '' })).toMatchObject({ pin: '0123' })
})
