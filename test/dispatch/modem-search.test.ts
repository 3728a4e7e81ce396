/**
 * The search for modems, against simulated ones on real ptys and a soft fax modem. The list of the operating system never
 * holds a pty, so the places to look at are named.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LineConfig } from '#config/types.ts'
import { parsePort } from '#config/values.ts'
import { heldModems, type SearchParts, searchModems } from '#dispatch/modem-search.ts'
import type { LineStatus } from '#lines/contract.ts'
import { portOpener } from '#lines/ports.ts'
import type { SerialPlace } from '#lines/serial-ports.ts'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { servePty } from '#simulator/serve.ts'
import { startSoftModem } from '../fax-modem/soft-modem.ts'
import { describeWith } from '../requirements.ts'

const profiles = join(import.meta.dirname, '..', '..', 'firmware-config', 'modems')

let directory: string
const stops: (() => unknown)[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'search-'))
})
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
  rmSync(directory, { recursive: true, force: true })
})

const placeOf = (device: string): SerialPlace => ({ device, name: device })

async function plugged(
  given: Record<string, string> = {},
): Promise<{ modem: SimulatedModem; place: SerialPlace }> {
  const n = stops.length
  const options = parseModemOptions(given, n)
  if (isProblem(options)) throw new Error(options.problem)
  const modem = new SimulatedModem(options, undefined, new SimulatedNetwork(), `line${n}`)
  const device = join(directory, `line${n}`)
  const served = await servePty(modem, device)
  stops.push(async () => {
    await served.stop()
    modem.stop()
  })
  return { modem, place: placeOf(device) }
}

const search = (places: readonly SerialPlace[], more: Partial<SearchParts> = {}) =>
  searchModems({ lines: [], profiles, places, ...more })

const serialAt = (path: string) => ({ scheme: 'serial', path, baud: 115_200, rtscts: false }) as const

const statusWith = (imei: string): LineStatus => ({
  id: 'gsm3',
  kind: 'gsm',
  channel: 'sms',
  state: 'ready',
  busy: false,
  port: 'serial:///dev/elsewhere',
  recoveries: 0,
  modem: { profile: 'generic', manufacturer: '', model: '', revision: '', imei },
})

const lineAt = (path: string, more: { imei?: string } = {}): LineConfig => ({
  id: 'gsm7',
  kind: 'gsm',
  port: serialAt(path),
  reports: true,
  concatenation: 8,
  disabled: false,
  ...more,
})

describe('modems', () => {
  test('are told with signal, SIM, operator, profile and what to write for them', async () => {
    const { place } = await plugged({ imei: '860000000000017', signal: '20' })
    const [found, ...rest] = await search([place])
    expect(rest).toEqual([])
    expect(found).toMatchObject({
      ...place,
      result: 'modem',
      modem: { kind: 'gsm', imei: '860000000000017', sim: 'READY', signal: -73, profile: 'generic' },
      entry: { kind: 'gsm', port: `serial://${place.name}`, imei: '860000000000017' },
    })
    expect(found?.modem?.manufacturer).not.toBe('')
    expect(found?.modem?.operator).not.toBe('')
    const read = parsePort(found?.entry?.port ?? '')
    expect(read).toEqual({ value: { scheme: 'serial', path: place.name, baud: 115_200, rtscts: false } })
  })

  test('keep their SIM as it is: no PIN is entered, and nothing is set', async () => {
    const { modem, place } = await plugged({ pin: '1234' })
    const heard: string[] = []
    const receive = modem.receive.bind(modem)
    modem.receive = (bytes) => {
      heard.push(bytes.toString('latin1'))
      receive(bytes)
    }
    expect((await search([place]))[0]?.modem?.sim).toBe('SIM PIN')
    const commands = heard.join('').split('\r').filter(Boolean)
    expect(commands.filter((one) => !/^AT(E0|\+[A-Z]+\??|\+FCLASS=\?)?$/.test(one))).toEqual([])
    expect(commands).not.toContain('AT+CPIN="1234"')
  })

  test('without a SIM say so', async () => {
    const { place } = await plugged({ sim: 'absent' })
    expect((await search([place]))[0]?.modem?.sim).toMatch(/^(absent|unreadable)$/)
  })

  test('with several ports are one, and one that is a line already says which', async () => {
    const [first, second, third] = [
      await plugged({ imei: '860000000000017' }),
      await plugged({ imei: '860000000000017' }),
      await plugged({ imei: '860000000000025' }),
    ]
    const places = [first.place, second.place, third.place]
    const lines = [lineAt('/dev/elsewhere', { imei: '860000000000025' })]
    const found = await search(places, { lines })
    expect(found.map(({ device, also, line, entry }) => [device, also, line, entry?.imei])).toEqual([
      [first.place.device, [second.place.device], undefined, '860000000000017'],
      [third.place.device, undefined, 'gsm7', undefined],
    ])
    const held = heldModems([{ id: 'gsm3', status: () => statusWith('860000000000017') }])
    expect((await search(places, { known: held })).map(({ line }) => line)).toEqual([undefined, 'gsm3'])
  })
})

describe('ports', () => {
  test('that do not answer, that another program has or that are gone hold nobody up', async () => {
    const silent = await plugged()
    silent.modem.mute()
    const busy = await plugged()
    const opened = await portOpener(0)(serialAt(busy.place.device), { data: () => {}, closed: () => {} })
    if (!('opened' in opened)) throw new Error(opened.why)
    stops.push(() => opened.opened.close())
    const works = await plugged()
    const gone = placeOf(join(directory, 'none'))
    const places = [silent.place, busy.place, gone, works.place]
    const found = await search(places)
    expect(found.map(({ device, result }) => [device, result])).toEqual([
      [works.place.device, 'modem'],
      [silent.place.device, 'silent'],
      [busy.place.device, 'in-use'],
    ])
    expect(found[2]?.why).toMatch(/lock/)
    expect(found.slice(1).every(({ entry }) => entry === undefined)).toBe(true)
  })

  test('of configured lines are not touched', async () => {
    const { modem, place } = await plugged()
    let heard = 0
    const receive = modem.receive.bind(modem)
    modem.receive = (bytes) => {
      heard += bytes.length
      receive(bytes)
    }
    expect(await search([place], { lines: [lineAt(place.name)] })).toEqual([])
    expect(heard).toBe(0)
    expect(await search([place])).toHaveLength(1)
    expect(heard).toBeGreaterThan(0)
  })

  test('are free again after a search, and can be searched anew', async () => {
    const { place } = await plugged()
    for (const _ of [1, 2]) expect((await search([place]))[0]?.result).toBe('modem')
  })
})

describeWith(['spandsp', 'libtiff-tools'], 'a fax modem', () => {
  test.each(['1', '2', '2.0'] as const)('of class %s is told as one', async (one) => {
    const soft = await startSoftModem({ directory: join(directory, 'soft'), class: one })
    stops.push(() => soft.stop())
    const [found] = await search([placeOf(soft.port)])
    expect(found).toMatchObject({ result: 'modem', modem: { kind: 'fax', classes: [one], callerId: true } })
    expect(found?.entry).toEqual({ kind: 'fax', port: `serial://${soft.port}` })
  })
})
