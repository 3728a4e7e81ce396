/** Watching a register over a serial line: a pair of ptys by socat, modbus-serial's serial server as the PLC. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerSerial } from 'modbus-serial'
import { expect, test } from 'vitest'
import { createPoller } from '#intake/modbus/poller.ts'
import { describeWith } from '../../requirements.ts'
import { acceptance, common, pollOf, storeOnDisk, until } from './rig.ts'

describeWith(['socat'], 'RTU', () => {
  test('a register beyond its limit is an alert; a wire that is gone is one too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rtu-'))
    const [near, far] = [join(directory, 'near'), join(directory, 'far')]
    const wire = spawn('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`])
    await until(() => existsSync(near) && existsSync(far), 'ptys')
    const registers = new Map<number, number>()
    const plc = new ServerSerial(
      { getHoldingRegister: (address: number) => registers.get(address) ?? 0 },
      { path: far, baudRate: 19_200, unitID: 3 },
    )
    plc.on('error', () => {})
    await new Promise<void>((resolve) => plc.on('initialized', () => resolve()))
    await using disk = await storeOnDisk()
    const taken = acceptance()
    const device = { scheme: 'serial', path: near, baud: 19_200, parity: 'none' } as const
    const watched = createPoller({
      ...common,
      poll: [pollOf(0, { device, unit: 3, type: 'int32', words: 'little', lost: 500 })],
      store: disk.store,
      dispatch: taken.dispatch,
    })
    watched.start()
    registers.set(20, 451)
    await until(() => taken.taken.length === 1, 'alert')
    registers.set(20, 0xffff)
    registers.set(21, 0xffff)
    await until(() => taken.taken.length === 2, 'all-clear')
    const gone = once(wire, 'exit')
    wire.kill()
    await gone
    await until(() => taken.taken.length === 3, 'lost')
    expect(taken.taken.map(({ text }) => text)).toEqual(['UPS 45.1 °C', 'UPS -0.1 °C again', 'UPS silent'])
    await watched.stop()
    plc.close(() => {})
    await rm(directory, { recursive: true })
  })
})
