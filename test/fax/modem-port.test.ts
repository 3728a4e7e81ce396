/** The byte level: results and data however they are cut into chunks, flow control, aborts, and waits that end. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ModemPort } from '#fax/modem-port.ts'
import { DLE, ETX, shield, Unshielder } from '#fax/stuffing.ts'
import { AtTrace } from '#lines/at-trace.ts'
import { fastTiming } from '../fax-modem/fast-timing.ts'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

let written: Buffer
let lines: string[]
let port: ModemPort
let trace: AtTrace
/** Called with everything written so far whenever something is written. */
let answer: (written: Buffer) => void

beforeEach(() => {
  written = Buffer.alloc(0)
  lines = []
  answer = () => {}
  trace = new AtTrace()
  port = new ModemPort({
    write: (bytes) => {
      written = Buffer.concat([written, bytes])
      answer(written)
    },
    // Ten times as fast, so that limits of seconds take tenths.
    timing: fastTiming(10),
    trace,
    line: (text) => lines.push(text),
  })
})

describe('commands', () => {
  test('end with CR alone', async () => {
    const reply = port.command('AT+FCLASS=1', { within: 1_000 })
    port.feed(latin1('AT+FCLASS=1\r\r\nOK\r\n'))
    expect(await reply).toEqual({ how: 'code', code: 'OK', lines: [] })
    expect(written.toString('latin1')).toBe('AT+FCLASS=1\r')
  })

  test('a modem that stays silent, and one that goes away, end the wait', async () => {
    expect(await port.command('AT', { within: 50 })).toEqual({ how: 'silent' })
    const reply = port.command('AT', { within: 60_000 })
    port.close()
    expect(await reply).toEqual({ how: 'closed' })
  })

  test('waits are told in numbers that the mask leaves, and a modem that is well is told nothing of', async () => {
    const texts = () => trace.newest().map(({ text }) => text)
    expect(await port.command('ATA', { within: 15_000 }).then(() => texts())).toEqual([
      'ATA',
      'no result within 15 s',
    ])
    answer = () => {
      answer = () => {}
      port.feed(latin1('\r\nOK\r\n'))
    }
    expect(await port.resync()).toBe(true)
    expect(texts().slice(2)).toEqual(['AT', 'OK'])
  })

  test('an abort is one byte, and takes the result that it brings', async () => {
    expect((await port.command('AT+FRH=3', { within: 50, connect: 'receive' })).how).toBe('silent')
    const reply = port.abort()
    port.feed(latin1('\r\nOK\r\n'))
    expect(await reply).toMatchObject({ code: 'OK' })
    expect(written.toString('latin1')).toBe('AT+FRH=3\r\x18')
  })

  test.each([
    ['in one piece', ['\r\nCONNECT\r\n\r\nOK\r\n']],
    ['one after the other', ['\r\nCONNECT\r\n', '\r\nOK\r\n']],
  ])('an abort that a CONNECT crosses takes the OK behind it: %s', async (_, pieces) => {
    expect((await port.command('AT+FRH=3', { within: 50, connect: 'receive' })).how).toBe('silent')
    const reply = port.abort()
    for (const piece of pieces) {
      port.feed(latin1(piece))
      await Promise.resolve()
    }
    expect(await reply).toMatchObject({ code: 'OK' })
    // What comes after it belongs to the next command.
    const next = port.command('AT', { within: 1_000 })
    port.feed(latin1('OK\r\n'))
    expect(await next).toMatchObject({ code: 'OK' })
  })

  test('data that came while the program was held up is no silence', async () => {
    const server = createServer((socket) => socket.on('data', (chunk) => port.feed(chunk)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const modem = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(modem, 'connect')
    const connected = port.command('AT+FRM=96', { within: 60_000, connect: 'receive' })
    modem.write('\r\nCONNECT\r\n')
    expect(await connected).toMatchObject({ code: 'CONNECT' })
    const page = port.received({ within: 60_000, idle: 300, most: 10_000 })
    modem.write(Buffer.concat([Buffer.alloc(1_000, 7), Buffer.from([DLE, ETX])]))
    const until = performance.now() + 100
    while (performance.now() < until);
    expect(await page).toMatchObject({ end: 'etx' })
    modem.destroy()
    server.close()
  })

  test('an abort in the middle of data takes the result after it', async () => {
    const reply = port.command('AT+FRM=96', { within: 1_000, connect: 'receive' })
    port.feed(latin1('\r\nCONNECT\r\nabc'))
    await reply
    expect((await port.received({ within: 50, idle: 50, most: 100 })).end).toBe('quiet')
    const aborted = port.abort()
    port.feed(latin1('de\x10\x03\r\nOK\r\n'))
    expect(await aborted).toMatchObject({ code: 'OK' })
  })

  test('what belongs to no command is told, and is no answer', async () => {
    port.feed(latin1('\r\nRING\r\n'))
    const reply = port.command('AT', { within: 1_000 })
    port.feed(latin1('\r\nOK\r\n'))
    expect(await reply).toMatchObject({ code: 'OK', lines: [] })
    expect(lines).toEqual(['RING'])
  })
})

describe('data from the modem', () => {
  test('the frames of a captured call: 11 and 13 are data, DLE is taken off', async () => {
    // DIS as captured before efax 0.9a.
    const dis = Buffer.from('ff138000cefa80801101', 'hex')
    const reply = port.command('AT+FRH=3', { within: 1_000, connect: 'receive' })
    port.feed(Buffer.concat([latin1('\r\nCONNECT\r\n'), dis, Uint8Array.of(DLE, ETX), latin1('\r\nOK\r\n')]))
    expect(await reply).toMatchObject({ code: 'CONNECT' })
    const received = await port.received({ within: 1_000, idle: 1_000, most: 1_000 })
    expect(Buffer.from(received.data).toString('hex')).toBe(dis.toString('hex'))
    expect(received.end).toBe('etx')
    expect(await port.result(1_000)).toMatchObject({ code: 'OK' })
  })

  test('any data arrives as it was sent, in whatever chunks', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (data, cuts) => {
          const wire = Buffer.concat([shield(data), Uint8Array.of(DLE, ETX), latin1('\r\nOK\r\n')])
          const unshielder = new Unshielder()
          const got: Uint8Array[] = []
          let at = 0
          let ended = false
          for (let turn = 0; !ended && at < wire.length; turn++) {
            const chunk = wire.subarray(at, at + (cuts[turn % Math.max(cuts.length, 1)] ?? wire.length))
            const step = unshielder.take(chunk)
            got.push(step.data)
            ended = step.ended
            at += step.used
          }
          expect(Buffer.concat(got).equals(data)).toBe(true)
          expect(wire.subarray(at).toString('latin1')).toBe('\r\nOK\r\n')
        },
      ),
    )
  })

  test('a carrier without data: its result comes with no DLE ETX before it, and is no data', async () => {
    const reply = port.command('AT+FRH=3', { within: 1_000, connect: 'receive' })
    port.feed(latin1('\r\nCONNECT\r\n'))
    await reply
    const frame = port.received({ within: 9_000, idle: 3_000, most: 1_000 })
    for (const piece of ['\r\nNO CA', 'RRIER\r\n']) port.feed(latin1(piece))
    expect(await frame).toMatchObject({ end: 'etx', data: Buffer.alloc(0) })
    expect(await port.result(100)).toMatchObject({ code: 'NO CARRIER' })
    const next = port.command('AT+FRH=3', { within: 1_000, connect: 'receive' })
    port.feed(latin1('\r\nOK\r\n'))
    expect(await next).toMatchObject({ code: 'OK' })
  })

  test('too much of it ends the wait', async () => {
    const reply = port.command('AT+FRM=96', { within: 1_000, connect: 'receive' })
    port.feed(latin1(`\r\nCONNECT\r\n${'x'.repeat(2_000)}`))
    await reply
    expect((await port.received({ within: 60_000, idle: 60_000, most: 1_000 })).end).toBe('full')
  })
})

describe('data to the modem', () => {
  const connected = async (): Promise<void> => {
    const reply = port.command('AT+FTM=96', { within: 1_000, connect: 'send' })
    port.feed(latin1('\r\nCONNECT\r\n'))
    await reply
    written = Buffer.alloc(0)
  }

  test('all of it goes out, DLE doubled, and its result may come much later', async () => {
    await connected()
    const data = Buffer.from(Array.from({ length: 3_000 }, (_, at) => at % 256))
    expect(await port.send(data, { rate: 14400, training: 0 })).toEqual({ how: 'written' })
    const unshielded = new Unshielder().take(written)
    expect(Buffer.from(unshielded.data).equals(data)).toBe(true)
    expect(unshielded).toMatchObject({ ended: true, used: written.length })
    setTimeout(() => port.feed(latin1('\r\nOK\r\n')), 20)
    expect(await port.result(10_000)).toMatchObject({ code: 'OK' })
  })

  test('stops at XOFF and goes on at XON', async () => {
    await connected()
    let held = 0
    answer = (all) => {
      if (held > 0 || all.length < 1_000) return
      held = all.length
      port.feed(Uint8Array.of(0x13))
      setTimeout(() => {
        expect(written.length).toBe(held)
        port.feed(Uint8Array.of(0x11))
      }, 40)
    }
    expect(await port.send(new Uint8Array(3_000), { rate: 14400, training: 0 })).toEqual({ how: 'written' })
    expect(held).toBeGreaterThan(0)
  })

  test('a result in the middle is the end of the call', async () => {
    await connected()
    answer = (all) => {
      if (all.length > 500) port.feed(latin1('\r\n+FHNG: 54\r\n\r\nNO CARRIER\r\n'))
    }
    expect(await port.send(new Uint8Array(30_000), { rate: 14400, training: 0 })).toEqual({
      how: 'interrupted',
    })
    expect(await port.result(0)).toEqual({ how: 'code', code: 'NO CARRIER', lines: ['+FHNG: 54'] })
  })

  test('a port that takes no more ends it, whatever the modem says', async () => {
    const stuck = new ModemPort({
      write: () => {},
      backlog: () => 1_000,
      timing: fastTiming(300),
      trace: new AtTrace(),
    })
    const reply = stuck.command('AT+FTM=96', { within: 60_000, connect: 'send' })
    stuck.feed(latin1('\r\nCONNECT\r\n'))
    await reply
    expect(await stuck.send(new Uint8Array(3_000), { rate: 14400, training: 0 })).toEqual({ how: 'stuck' })
  })
})
