/** Watching registers of a PLC (modbus-serial's server) over real TCP, with the real store beneath. */
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { ModbusPollConfig } from '#config/modbus.ts'
import { createPoller } from '#intake/modbus/poller.ts'
import type { Store } from '#store/contract.ts'
import { acceptance, common, pollOf, startPlc, storeOnDisk, until } from './rig.ts'

const ADDRESS = 20

function poller(
  poll: ModbusPollConfig[],
  store: Pick<Store, 'remember' | 'recall'>,
  taken: ReturnType<typeof acceptance>,
) {
  return createPoller({ ...common, poll, store, dispatch: taken.dispatch })
}
const texts = ({ taken }: ReturnType<typeof acceptance>) => taken.map(({ text }) => text)

describe('a register of a PLC', () => {
  test('raises an alert beyond its limit and an all-clear when it is back', async () => {
    await using disk = await storeOnDisk()
    const plc = await startPlc()
    const taken = acceptance()
    const watched = poller([pollOf(plc.port)], disk.store, taken)
    plc.registers.set(ADDRESS, 440)
    watched.start()
    plc.registers.set(ADDRESS, 451)
    await until(() => taken.taken.length === 1, 'alert')
    expect(watched.status()).toEqual({ alarms: 1, lost: 0, awaiting: 0 })
    plc.registers.set(ADDRESS, 399)
    await until(() => taken.taken.length === 2, 'all-clear')
    expect(texts(taken)).toEqual(['UPS 45.1 °C', 'UPS 39.9 °C again'])
    expect(taken.taken[0]).toMatchObject({ to: ['+491710001'], priority: 1, source: 'modbus:ups' })
    await watched.stop()
    await plc.stop()
  })

  test('its alarm outlives a restart: not told again, and ended by whoever watches then', async () => {
    await using disk = await storeOnDisk()
    const plc = await startPlc()
    plc.registers.set(ADDRESS, 500)
    const taken = acceptance()
    const first = poller([pollOf(plc.port)], disk.store, taken)
    first.start()
    await until(() => taken.taken.length === 1, 'alert')
    await first.stop()
    const second = poller([pollOf(plc.port)], disk.store, taken)
    second.start()
    await until(() => second.status().alarms === 1, 'recalled')
    plc.registers.set(ADDRESS, 300)
    await until(() => taken.taken.length === 2, 'all-clear')
    expect(texts(taken)).toEqual(['UPS 50 °C', 'UPS 30 °C again'])
    await second.stop()
    await plc.stop()
  })

  test('an alert that could not be stored is owed, also over a restart, and submitted once', async () => {
    await using disk = await storeOnDisk()
    const plc = await startPlc()
    plc.registers.set(ADDRESS, 500)
    const full = acceptance()
    full.answer = { result: 'full' }
    const first = poller([pollOf(plc.port)], disk.store, full)
    first.start()
    await until(() => first.status().alarms === 1, 'alarm')
    await first.stop()
    // The value is back to normal before anybody could be told of it; that it was not is still told.
    plc.registers.set(ADDRESS, 300)
    const taken = acceptance()
    const second = poller([pollOf(plc.port)], disk.store, taken)
    second.start()
    await until(() => taken.taken.length === 2, 'both')
    expect(texts(taken)).toEqual(['UPS 50 °C', 'UPS 30 °C again'])
    await second.stop()
    await plc.stop()
  })

  test('an alert that a crash cut short between acceptance and its note is not made twice', async () => {
    await using disk = await storeOnDisk()
    const plc = await startPlc()
    plc.registers.set(ADDRESS, 500)
    const taken = acceptance()
    // Nothing is written after the intent: as if the power went at that moment.
    let writes = 0
    const cut: Pick<Store, 'remember' | 'recall'> = {
      recall: disk.store.recall,
      remember: async (name, value) => {
        writes += 1
        if (writes === 1) await disk.store.remember(name, value)
      },
    }
    const first = poller([pollOf(plc.port)], cut, taken)
    first.start()
    await until(() => writes > 1, 'told')
    await first.stop()
    const second = poller([pollOf(plc.port)], disk.store, taken)
    second.start()
    plc.registers.set(ADDRESS, 300)
    await until(() => taken.taken.length === 2, 'all-clear')
    expect(texts(taken)).toEqual(['UPS 50 °C', 'UPS 30 °C again'])
    await second.stop()
    await plc.stop()
  })

  test('is latched until the acknowledgement', async () => {
    await using disk = await storeOnDisk()
    const plc = await startPlc()
    const taken = acceptance()
    const watched = poller([pollOf(plc.port, { latch: true })], disk.store, taken)
    plc.registers.set(ADDRESS, 500)
    watched.start()
    await until(() => taken.taken.length === 1, 'alert')
    plc.registers.set(ADDRESS, 300)
    await until(() => watched.status().awaiting === 1, 'waiting')
    expect(await watched.acknowledge()).toBe(true)
    await until(() => taken.taken.length === 2, 'all-clear')
    expect(watched.status()).toEqual({ alarms: 0, lost: 0, awaiting: 0 })
    await watched.stop()
    expect(await watched.acknowledge()).toBe(false)
    await plc.stop()
  })
})

describe('communication', () => {
  test('lost and found again are an alert and its all-clear; other devices are watched meanwhile', async () => {
    await using disk = await storeOnDisk()
    const plc = await startPlc()
    const other = await startPlc()
    const taken = acceptance()
    const watched = poller(
      [pollOf(plc.port), pollOf(other.port, { id: 'pump', text: 'PUMP {value}' })],
      disk.store,
      taken,
    )
    watched.start()
    await plc.stop()
    await until(() => taken.taken.length === 1, 'lost')
    other.registers.set(ADDRESS, 500)
    await until(() => taken.taken.length === 2, 'the other')
    const again = await startPlc(plc.port)
    await until(() => taken.taken.length === 3, 'found')
    expect(texts(taken)).toEqual(['UPS silent', 'PUMP 50', 'UPS there'])
    await watched.stop()
    await Promise.all([again.stop(), other.stop()])
  })

  test('a device that answers nonsense is lost, and the service goes on', async () => {
    await using disk = await storeOnDisk()
    const nonsense = ['', '00', '0103fa1234', '018302', '010302', 'ffffffff', '0103020000']
    let n = 0
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (asked) => {
        const pdu = Buffer.from(nonsense[n++ % nonsense.length] ?? '', 'hex')
        // Header: the transaction that was asked, then a length that may be a lie.
        const header = Buffer.concat([
          asked.subarray(0, 2),
          Buffer.from([0, 0, 0, n % 3 === 0 ? 200 : pdu.length]),
        ])
        socket.write(Buffer.concat([header, pdu]))
        if (n % 4 === 0) socket.destroy()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const taken = acceptance()
    const watched = poller([pollOf(port, { unit: 9 })], disk.store, taken)
    watched.start()
    await until(() => taken.taken.length === 1, 'lost')
    await until(() => n > 6, 'asked on')
    expect(texts(taken)).toEqual(['UPS silent'])
    await watched.stop()
    await new Promise((resolve) => server.close(resolve))
  })
})
