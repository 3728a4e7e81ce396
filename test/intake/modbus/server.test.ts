/** The register map as clients see it: modbus-serial's client and Debian's mbpoll over real TCP, and bytes that are neither. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import modbus from 'modbus-serial'
import { afterEach, describe, expect, test } from 'vitest'
import type { ModbusAlertConfig } from '#config/modbus.ts'
import { type ModbusServer, type ServerOptions, startModbusServer } from '#intake/modbus/server.ts'
import { describeWith } from '../../requirements.ts'
import { StandInLine } from '../http/stand-ins.ts'
import { acceptance, common, storeOnDisk, until } from './rig.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const alert: ModbusAlertConfig = {
  address: 100,
  to: ['+491710001'],
  text: 'Pump {value} at {register}',
  priority: 0,
}

async function start(more: Partial<ServerOptions> = {}) {
  const disk = await storeOnDisk()
  stops.push(() => disk[Symbol.asyncDispose]())
  const taken = acceptance()
  const line = new StandInLine('gsm0')
  const acknowledged: number[] = []
  const server: ModbusServer = await startModbusServer({
    ...common,
    config: { listen: { host: '127.0.0.1', port: 0 }, alerts: [alert, { ...alert, address: 101 }] },
    dispatch: taken.dispatch,
    store: disk.store,
    lines: () => [line],
    active: () => true,
    polls: () => ({ alarms: 2, lost: 1, awaiting: 1 }),
    acknowledge: async () => acknowledged.push(1) > 0,
    ...more,
  })
  stops.push(() => server.stop())
  const port = Number(new URL(server.address).port)
  return { port, taken, line, acknowledged, store: disk.store }
}

async function client(port: number) {
  const one = new modbus.default()
  one.on('error', () => {})
  one.setTimeout(2_000)
  await one.connectTCP('127.0.0.1', { host: '127.0.0.1', port })
  one.setID(1)
  stops.push(() => new Promise<void>((resolve) => one.close(() => resolve())))
  return one
}

/** Sends bytes and resolves with what comes back until the other side ends, or a frame is there. */
async function raw(port: number, hex: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(Buffer.from(hex, 'hex'))
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('hex')
}

describe('the register map', () => {
  test('says who it is and how it is, in holding and input registers alike', async () => {
    const { port } = await start()
    const one = await client(port)
    const { data } = await one.readHoldingRegisters(0, 22)
    expect(data).toEqual([
      1,
      data[1],
      1,
      1,
      0,
      0,
      0,
      1,
      1,
      2,
      1,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      expect.any(Number),
    ])
    expect((await one.readInputRegisters(2, 10)).data).toEqual(data.slice(2, 12))
    expect((await one.readCoils(0, 17)).data.slice(0, 17)).toEqual(
      [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].map(Boolean),
    )
  })

  test('shows a line that fails, and what is beyond the map does not exist', async () => {
    const { port, line } = await start()
    line.state = 'blocked'
    const one = await client(port)
    expect((await one.readHoldingRegisters(20, 1)).data).toEqual([5])
    expect((await one.readHoldingRegisters(3, 1)).data).toEqual([3])
    expect((await one.readDiscreteInputs(16, 1)).data[0]).toBe(false)
    await expect(one.readHoldingRegisters(99, 100)).rejects.toMatchObject({ modbusCode: 2 })
    await expect(one.readCoils(31, 2)).rejects.toMatchObject({ modbusCode: 2 })
  })

  test('the heartbeat counts up', async () => {
    let now = 0
    const { port } = await start({ clock: { now: () => now, monotonic: () => now, trusted: () => true } })
    const one = await client(port)
    now = 7_000
    expect((await one.readHoldingRegisters(1, 1)).data).toEqual([7])
    now = 65_537_000
    expect((await one.readHoldingRegisters(1, 1)).data).toEqual([1])
  })
})

describe('writes', () => {
  test('come only from the networks that may send; everybody may read', async () => {
    const { port, taken, acknowledged } = await start({ mayWrite: ['10.0.0.0/8'] })
    const one = await client(port)
    expect((await one.readHoldingRegisters(0, 1)).data).toEqual([1])
    await expect(one.writeRegister(100, 7)).rejects.toMatchObject({ modbusCode: 1 })
    await expect(one.writeCoil(16, true)).rejects.toMatchObject({ modbusCode: 1 })
    expect([taken.taken, acknowledged]).toEqual([[], []])
  })

  test('another value than before raises an alert, which is stored when the answer comes; 0 raises none', async () => {
    const { port, taken } = await start()
    const one = await client(port)
    await one.writeRegister(100, 7)
    expect(taken.taken).toMatchObject([{ text: 'Pump 7 at 40101', to: ['+491710001'], priority: 0 }])
    await one.writeRegister(100, 7)
    await one.writeRegister(100, 0)
    expect(taken.taken).toHaveLength(1)
    await one.writeRegisters(100, [7, 9])
    expect(taken.taken.map(({ text }) => text)).toEqual([
      'Pump 7 at 40101',
      'Pump 7 at 40101',
      'Pump 9 at 40102',
    ])
    expect((await one.readHoldingRegisters(100, 2)).data).toEqual([7, 9])
  })

  test('what cannot be stored is answered busy, and stored when it is written again', async () => {
    const { port, taken } = await start()
    const one = await client(port)
    taken.answer = { result: 'full' }
    await expect(one.writeRegister(100, 7)).rejects.toMatchObject({ modbusCode: 6 })
    delete taken.answer
    await one.writeRegister(100, 7)
    expect(taken.taken).toHaveLength(1)
  })

  test('a register that is not configured, and a recipient that is none, are refused', async () => {
    const { port, taken } = await start()
    const one = await client(port)
    await expect(one.writeRegister(102, 1)).rejects.toMatchObject({ modbusCode: 2 })
    await expect(one.writeRegisters(101, [1, 1])).rejects.toMatchObject({ modbusCode: 2 })
    expect(taken.taken).toHaveLength(0)
    taken.answer = { result: 'invalid', field: 'to[0]', code: 'no-route', detail: '' }
    await expect(one.writeRegister(100, 1)).rejects.toMatchObject({ modbusCode: 4 })
  })

  test('the acknowledge coil; a member that does not watch answers busy', async () => {
    const { port, acknowledged } = await start()
    const one = await client(port)
    await one.writeCoil(0, true)
    await one.writeCoil(0, false)
    expect(acknowledged).toHaveLength(1)
    await expect(one.writeCoil(1, true)).rejects.toMatchObject({ modbusCode: 2 })
    const standby = await client((await start({ acknowledge: async () => false })).port)
    await expect(standby.writeCoil(0, true)).rejects.toMatchObject({ modbusCode: 6 })
  })
})

describe('what is malformed', () => {
  test.each([
    ['an unknown function', '0001000000020144', '00010000000301c401'],
    ['a read that is cut short', '00010000000401030000', '000100000003018303'],
    ['a read of nothing', '000100000006010300000000', '000100000003018303'],
    ['a read of too much', '00010000000601030000007e', '000100000003018303'],
    ['a write of more than it brings', '00010000000901100064000204000a', '000100000003019003'],
    ['a coil that is neither on nor off', '000100000006010500001234', '000100000003018503'],
    ['another protocol', '000100010006010300000001', ''],
    ['a frame of no length', '0001000000000103', ''],
    ['a frame that is too long', '00010000ffff0103', ''],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'), ''],
    ['half a header', '000100', ''],
  ])('%s', async (_, sent, answered) => {
    const { port, taken } = await start()
    expect(await raw(port, sent)).toBe(answered)
    expect(taken.taken).toHaveLength(0)
    expect((await (await client(port)).readHoldingRegisters(0, 1)).data).toEqual([1])
  })

  test('requests in a row and in pieces are each answered, in order', async () => {
    const { port } = await start()
    const socket = connect(port, '127.0.0.1')
    const ask = (n: number) => Buffer.from(`000${n}00000006010300000001`, 'hex')
    const bytes = Buffer.concat([ask(1), ask(2), ask(3)])
    socket.write(bytes.subarray(0, 20))
    socket.write(bytes.subarray(20))
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('hex')))
    await until(() => got.length >= 66, 'three answers')
    socket.destroy()
    expect(got).toBe(['0001', '0002', '0003'].map((n) => `${n}000000050103020001`).join(''))
  })

  test('a client from elsewhere is let go at once', async () => {
    const { port } = await start({
      config: { listen: { host: '127.0.0.1', port: 0 }, allow: ['10.0.0.0/8'], alerts: [] },
    })
    expect(await raw(port, '000100000006010300000001')).toBe('')
  })
})

describeWith(['mbpoll'], 'mbpoll', () => {
  async function mbpoll(port: number, ...args: string[]): Promise<string> {
    const child = spawn('mbpoll', ['-m', 'tcp', '-p', String(port), '-1', '-o', '2', '-0', ...args])
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    await once(child, 'close')
    return output
  }
  test('reads the map and writes an alert', async () => {
    const { port, taken } = await start()
    expect(await mbpoll(port, '-t', '3', '-r', '0', '-c', '4', '127.0.0.1')).toMatch(
      /\[2\]:\s+1\s+\[3\]:\s+1/,
    )
    expect(await mbpoll(port, '-t', '4', '-r', '100', '127.0.0.1', '42')).toContain('Written 1 references')
    expect(taken.taken.map(({ text }) => text)).toEqual(['Pump 42 at 40101'])
    expect(await mbpoll(port, '-t', '0', '-r', '0', '127.0.0.1', '1')).toContain('Written 1 references')
    expect(await mbpoll(port, '-t', '4', '-r', '5000', '127.0.0.1')).toMatch(/Illegal data address/)
  })
})
