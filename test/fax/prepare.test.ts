/** What a fax modem is asked and told before its first call, by its profile and by what it answers. */
import { expect, test } from 'vitest'
import { prepareModem } from '#fax/process/prepare.ts'
import type { ProcessConfig } from '#fax/process/protocol.ts'
import { loadFaxProfiles } from '#fax/profile.ts'
import { scriptedModem } from './scripted-modem.ts'

const profiles = loadFaxProfiles('firmware-config/modems')
const port = { scheme: 'serial', path: '/dev/none', baud: 115_200, rtscts: false } as const
const answer = { rings: 2, distinctive: [], callers: [], maxPages: 500, maxDuration: 7_200_000 }

/** @param said the answers to commands; to others OK */
async function prepare(said: Record<string, string>, more: Partial<ProcessConfig> = {}) {
  const { port: modemPort, commands } = scriptedModem((command) => {
    const answer = said[command]
    return answer === 'ERROR' || answer === undefined ? answer : `${answer}\n\nOK`
  })
  const config: ProcessConfig = {
    ...{ id: 'fax0', port, class: 'auto', station: '', ecm: true, maxRate: 14400, answer, profiles },
    ...more,
  }
  const prepared = await prepareModem(modemPort, config, new AbortController().signal)
  return { prepared, commands }
}

test('a modem that nobody knows is driven in Class 1, and told to tell callers as far as it can', async () => {
  const { prepared, commands } = await prepare({ 'AT+FCLASS=?': '0,1,2,2.0,8', 'AT+VCID=1': 'ERROR' })
  expect(prepared).toMatchObject({ result: 'ready', modem: { class: '1' } })
  expect(prepared).not.toHaveProperty('profile')
  expect(commands).toContain('AT#CID=1')
  expect(commands.at(-1)).toBe('AT+FCLASS=0')
})

test('its profile is shown, and decides on the command for callers and for kinds of ringing', async () => {
  const rockwell = { ATI3: 'V1.400-RC144DP RC32ACL', 'AT+FCLASS=?': '0,1,2' }
  const plain = await prepare(rockwell)
  expect(plain.prepared).toMatchObject({ result: 'ready', profile: 'rockwell-rc', modem: { class: '1' } })
  expect(plain.commands).toContain('AT#CID=1')
  expect(plain.commands).not.toContain('AT+VCID=1')
  expect(plain.commands).not.toContain('AT-SDR=7')
  const distinctive = await prepare(rockwell, { answer: { ...answer, distinctive: ['RING 2'] } })
  expect(distinctive.commands).toContain('AT-SDR=7')
})

test('a class that is refused is followed by the next one', async () => {
  const { prepared } = await prepare({ 'AT+FCLASS=?': '0,1,2', 'AT+FCLASS=1': 'ERROR' })
  expect(prepared).toMatchObject({ result: 'ready', modem: { class: '2' } })
})

test('the class that is set is tried, listed or not, and no other', async () => {
  const zyxel = { 'AT+GMM': 'U-336E', 'AT+FCLASS=?': '0,2,2.0' }
  expect((await prepare(zyxel)).prepared).toMatchObject({ profile: 'zyxel', modem: { class: '2.0' } })
  expect((await prepare(zyxel, { class: '1' })).prepared).toMatchObject({ modem: { class: '1' } })
  const { prepared } = await prepare({ ...zyxel, 'AT+FCLASS=1': 'ERROR' }, { class: '1' })
  expect(prepared).toMatchObject({ result: 'fault', reason: { code: 'fax-class' } })
})

test('a modem that knows no XON and XOFF is not used without wires', async () => {
  const silabs = { ATI: 'Si2435', 'AT+FCLASS=?': '0,1' }
  const { prepared } = await prepare(silabs)
  expect(prepared).toMatchObject({ result: 'fault', reason: { code: 'fax-needs-wires' } })
  const wired = await prepare(silabs, { port: { ...port, rtscts: true } })
  expect(wired.prepared).toMatchObject({ result: 'ready', profile: 'silabs-isomodem' })
})

test('a profile that the line names is used', async () => {
  const named = await prepare({ 'AT+FCLASS=?': '0,1,2' }, { profile: 'davicom' })
  expect(named.prepared).toMatchObject({ result: 'ready', profile: 'davicom' })
})
