/** A whole appliance with a simulated modem, a mosquitto and a PLC: alerts in by MQTT and Modbus, over kill -9. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import modbus from 'modbus-serial'
import { expect, test } from 'vitest'
import { describeWith } from '../../requirements.ts'
import { type RunningAppliance, startAppliance, until } from '../../system/appliance.ts'
import { startPlc } from '../modbus/rig.ts'
import { startListener, startMosquitto } from './rig.ts'

async function texts(appliance: RunningAppliance): Promise<string[]> {
  const { body } = await appliance.call('GET', '/api/v1/messages?limit=100')
  const items = Array.isArray(body['items']) ? body['items'] : []
  return items.map(({ text }: { text: string }) => text).reverse()
}

describeWith(['mosquitto'], 'an appliance with a broker and a PLC', () => {
  test('takes alerts from both, tells what becomes of them, and repeats and loses none over kill -9', async () => {
    await using stack = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), 'ways-in-'))
    stack.defer(() => rm(directory, { recursive: true }))
    const broker = await startMosquitto()
    stack.defer(() => broker.remove())
    const other = await startListener(broker.port)
    stack.defer(() => other.stop())
    const plc = await startPlc()
    stack.defer(() => plc.stop())
    const more = `intake:
  mqtt: { url: "mqtt://127.0.0.1:${broker.port}", to: ["+491710001"] }
  modbus:
    server: { listen: "127.0.0.1:0", alerts: [{ register: 40101, to: ["+491710002"], text: "Pump {value}" }] }
    poll: [{ id: ups, url: "tcp://127.0.0.1:${plc.port}", register: 40021, scale: 0.1, when: "> 45", clear: "< 40", every: 100ms, to: ["+491710003"], text: "UPS {value}" }]
`
    const start = () => startAppliance({ directory, ports: ['sim://gsm'], more })
    const client = async (appliance: RunningAppliance) => {
      const port = Number(/modbus:\/\/127\.0\.0\.1:([0-9]+)/.exec(appliance.log())?.[1])
      const one = new modbus.default()
      one.on('error', () => {})
      one.setTimeout(5_000)
      await one.connectTCP('127.0.0.1', { host: '127.0.0.1', port })
      return one
    }

    const first = await start()
    stack.defer(() => first.kill('SIGKILL'))
    await first.ready(1)
    await until(() => other.on('twinline/status').at(-1) === 'online', 'online')
    await other.publish('twinline/send', '{"id":"a","text":"by MQTT"}')
    await until(() => other.json('twinline/result/a').length === 1, 'result')
    const [{ message = '' } = {}] = other.json('twinline/result/a')
    await until(
      () => other.json(`twinline/message/${String(message)}`).some(({ state }) => state === 'sent'),
      'sent',
    )
    const before = await client(first)
    await before.writeRegister(100, 7)
    expect(await texts(first)).toContain('Pump 7')
    expect((await before.readHoldingRegisters(2, 2)).data).toEqual([1, 1])
    plc.registers.set(20, 500)
    await until(async () => (await texts(first)).includes('UPS 50'), 'the watched register')
    before.destroy(() => {})

    await first.kill('SIGKILL')
    // Meanwhile the broker keeps one, and the register goes back to normal.
    await other.publish('twinline/send', 'meanwhile')
    plc.registers.set(20, 300)
    const second = await start()
    stack.defer(() => second.kill('SIGKILL'))
    await until(async () => (await texts(second)).length === 5, 'all')
    const after = await client(second)
    await after.writeRegister(100, 7)
    after.destroy(() => {})
    const all = await texts(second)
    expect(all.slice(0, 3)).toEqual(['by MQTT', 'Pump 7', 'UPS 50'])
    expect(all.slice(3).sort()).toEqual(['meanwhile', 'ups: 30, back to normal'])
    await second.kill('SIGTERM')
    await until(() => other.on('twinline/node/box-a/status').at(-1) === 'offline', 'offline')
  }, 60_000)
})
