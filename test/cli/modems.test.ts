/** twinline modems as a user runs it: against a stand-in, and on this machine while no appliance runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { twinline } from './program.ts'
import { closedUrl, type Reply, standIn } from './stand-in.ts'

const items = [
  {
    device: '/dev/ttyUSB2',
    name: '/dev/serial/by-id/usb-x',
    result: 'modem',
    modem: {
      kind: 'gsm',
      manufacturer: 'Quectel',
      model: 'EC25\u001b[2J',
      imei: '860000000000017',
      sim: 'SIM PIN',
      signal: -71,
      operator: 'Example Mobile',
    },
    entry: { kind: 'gsm', port: 'serial:///dev/serial/by-id/usb-x', imei: '860000000000017' },
  },
  {
    device: '/dev/ttyACM0',
    name: '/dev/serial/by-id/usb-y',
    result: 'modem',
    modem: { kind: 'fax', manufacturer: 'USR', model: '5637', classes: ['1', '2.0'] },
    entry: { kind: 'fax', port: 'serial:///dev/serial/by-id/usb-y' },
  },
  {
    device: '/dev/ttyUSB3',
    name: '/dev/ttyUSB3',
    result: 'modem',
    modem: { kind: 'other', manufacturer: '', model: '' },
    line: 'gsm0',
  },
  { device: '/dev/ttyS0', name: '/dev/ttyS0', result: 'denied', why: 'Permission denied' },
]
const ok = (body: unknown): Reply => ({ status: 200, body })

test('it shows what was found, and the lines to write for it', async () => {
  const host = await standIn(() => ok({ node: 'a', items }))
  const { code, stdout, stderr } = await twinline([
    'modems',
    '--host',
    host.url,
    '--token',
    't',
    '--node',
    'box b',
  ])
  expect([code, stderr]).toEqual([0, ''])
  expect(host.asked).toMatchObject([{ method: 'POST', path: '/api/v1/modems/search?node=box%20b' }])
  const [head, ...rows] = stdout.split('\n').map((row) => row.split(/ {2,}/))
  expect(head).toEqual(['port', 'what', 'modem', 'signal', 'SIM', 'operator', 'state'])
  expect(rows[0]).toEqual([
    '/dev/ttyUSB2',
    'mobile',
    'Quectel EC25·[2J',
    '-71 dBm',
    'SIM PIN',
    'Example Mobile',
  ])
  expect(rows[1]).toEqual(['/dev/ttyACM0', 'fax (class 1, 2.0)', 'USR 5637'])
  expect(rows[2]).toEqual(['/dev/ttyUSB3', 'answers AT', 'is line gsm0'])
  expect(rows[3]?.join(' ')).toMatch(/ttyS0 .*dialout.*Permission denied/)
  expect(stdout).toContain(
    '  - { id: gsm0, kind: gsm, port: "serial:///dev/serial/by-id/usb-x", imei: "860000000000017" }\n' +
      '  - { id: fax0, kind: fax, port: "serial:///dev/serial/by-id/usb-y" }\n',
  )
  const json = await twinline(['modems', '--host', host.url, '--token', 't', '--json'])
  expect(JSON.parse(json.stdout)).toEqual(items)
})

test('it says what is wrong', async () => {
  expect((await twinline(['modems', '--help'])).stdout).toContain('enters no PIN')
  expect((await twinline(['modems', 'more'])).code).toBe(2)
  const busy = await standIn(() => ({
    status: 409,
    body: { status: 409, code: 'search-running', detail: 'wait' },
  }))
  const refused = await twinline(['modems', '--host', busy.url])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('search-running')])
  expect((await twinline(['modems', '--host', await closedUrl()])).code).toBe(3)
})

test('where the appliance does not run, this machine is searched, and the ports of its lines are left alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'modems-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'twinline.yaml')
  writeFileSync(
    file,
    'node: a\ndata: data\nlines:\n  - { id: gsm0, kind: gsm, port: "serial:///dev/ttyS0" }\n',
  )
  const { code, stdout } = await twinline(['modems', '--config', file, '--json'])
  expect(code).toBe(0)
  const found = JSON.parse(stdout) as { device: string }[]
  expect(found.map(({ device }) => device)).not.toContain('/dev/ttyS0')
  expect((await twinline(['modems', '--config', file, '--node', 'b'])).code).toBe(3)
})
