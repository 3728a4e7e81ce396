/** The search for modems over HTTP: for administrators, one at a time, its answer whole. The search itself stands in. */
import { expect, onTestFinished, test } from 'vitest'
import type { FoundPort } from '#dispatch/modem-search.ts'
import { startAppliance } from './stand-ins.ts'

const found: FoundPort[] = [
  {
    device: '/dev/ttyUSB2',
    name: '/dev/serial/by-id/usb-x',
    result: 'modem',
    modem: {
      kind: 'gsm',
      manufacturer: 'Quectel',
      model: 'EC25',
      imei: '860000000000017',
      profile: 'quectel-ec25',
      sim: 'SIM PIN',
      signal: -71,
      operator: 'Example Mobile',
    },
    also: ['/dev/ttyUSB3'],
    entry: { kind: 'gsm', port: 'serial:///dev/serial/by-id/usb-x', imei: '860000000000017' },
  },
  {
    device: '/dev/ttyUSB4',
    name: '/dev/ttyUSB4',
    result: 'modem',
    modem: { kind: 'fax', manufacturer: '', model: '', classes: ['1', '2.0'] },
    line: 'fax0',
  },
  { device: '/dev/ttyS0', name: '/dev/ttyS0', result: 'denied', why: 'Permission denied' },
]

test('it answers with everything that was found', async () => {
  const appliance = await startAppliance({}, { modems: async () => found })
  onTestFinished(() => appliance.stop())
  for (const body of [undefined, {}]) {
    const answer = await appliance.call('POST', '/api/v1/modems/search', body)
    expect(answer.status, answer.text).toBe(200)
    expect(answer.json).toEqual({ node: 'alpha', items: found })
  }
  const authorization = await appliance.bearer('read', 'send', 'operate')
  const refused = await appliance.call('POST', '/api/v1/modems/search', {}, { authorization })
  expect([refused.status, refused.json.code]).toEqual([403, 'scope-missing'])
  const elsewhere = await appliance.call('POST', '/api/v1/modems/search?node=beta', {})
  expect([elsewhere.status, elsewhere.json.code]).toEqual([404, 'member-unknown'])
})

test('one search at a time, and after one that failed the next begins', async () => {
  const searches: PromiseWithResolvers<FoundPort[]>[] = []
  const begun = Promise.withResolvers<void>()
  const modems = () => {
    const search = Promise.withResolvers<FoundPort[]>()
    searches.push(search)
    begun.resolve()
    return search.promise
  }
  const appliance = await startAppliance({}, { modems })
  onTestFinished(() => appliance.stop())
  const search = () => appliance.call('POST', '/api/v1/modems/search', {})
  const first = search()
  await begun.promise
  const second = await search()
  expect([second.status, second.json.code]).toEqual([409, 'search-running'])
  searches[0]?.reject(new Error('the profiles are broken'))
  expect((await first).status).toBe(500)
  const third = search()
  await expect.poll(() => searches.length).toBe(2)
  searches[1]?.resolve([])
  expect((await third).json.items).toEqual([])
})
