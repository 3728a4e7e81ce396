/** Ports to real things: a TCP peer, and a pty of socat behind the real serial driver. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PortAddress } from '#config/types.ts'
import { type Port, portOpener } from '#lines/ports.ts'
import { describeWith } from '../requirements.ts'

interface Opened {
  port: Port
  text: () => string
  closed: string[]
}

async function open(address: PortAddress): Promise<Opened> {
  let text = ''
  const closed: string[] = []
  const opening = await portOpener(0)(address, {
    data: (chunk) => {
      text += Buffer.from(chunk).toString('latin1')
    },
    closed: (why) => closed.push(why),
  })
  if (!('opened' in opening)) throw new Error(opening.why)
  return { port: opening.opened, text: () => text, closed }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it never came to: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe('a TCP port', () => {
  let server: Server
  let peers: Socket[]
  let address: PortAddress

  beforeEach(async () => {
    peers = []
    server = createServer((socket) => {
      peers.push(socket)
      socket.on('data', (chunk) => socket.write(chunk))
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const bound = server.address()
    address = { scheme: 'tcp', host: '127.0.0.1', port: typeof bound === 'object' && bound ? bound.port : 0 }
  })
  afterEach(async () => {
    for (const peer of peers) peer.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  it('carries bytes, and closes once', async () => {
    const { port, text, closed } = await open(address)
    port.write('AT\r\xe9')
    await until('an echo', () => text() === 'AT\r\xe9')
    await port.close()
    await port.close()
    expect(closed).toEqual(['closed'])
    port.write('into nothing')
  })

  it('tells when the peer goes away', async () => {
    const { closed } = await open(address)
    await until('a peer', () => peers.length === 1)
    peers[0]?.destroy()
    await until('closed', () => closed.length === 1)
  })

  it('is absent while nobody listens', async () => {
    await new Promise((resolve) => server.close(resolve))
    const opening = await portOpener(0)(address, { data: () => {}, closed: () => {} })
    expect(opening).toMatchObject({ absent: true })
    server.listen(0)
  })
})

describe('a simulated port', () => {
  it('reaches the same modem again after it was closed', async () => {
    const opener = portOpener(3)
    const say = async (line: string): Promise<string> => {
      let text = ''
      const opening = await opener(
        { scheme: 'sim', kind: 'gsm', options: {} },
        {
          data: (chunk) => {
            text += Buffer.from(chunk).toString('latin1')
          },
          closed: () => {},
        },
      )
      if (!('opened' in opening)) throw new Error(opening.why)
      opening.opened.write(line)
      await until('an answer', () => text.includes('OK'))
      await opening.opened.close()
      return text
    }
    await say('AT+CMEE=2\r')
    expect(await say('AT+CMEE?\r')).toContain('+CMEE: 2')
  })

  it('says what is wrong with its options', async () => {
    const address: PortAddress = { scheme: 'sim', kind: 'gsm', options: { network: 'soon' } }
    const opening = await portOpener(0)(address, { data: () => {}, closed: () => {} })
    expect(opening).toMatchObject({ absent: false, why: expect.stringContaining('network') })
  })
})

describeWith(['socat'], 'a serial port over a pty', () => {
  let directory: string
  let path: string
  let socat: ChildProcess
  let address: PortAddress
  let held: number

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'twinline-pty-'))
    path = join(directory, 'tty')
    // What is written to the pty comes back: the modem's side is an echo.
    socat = spawn('socat', ['-dd', `PTY,link=${path},rawer`, 'PIPE'], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    socat.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await until('a pty', () => said.includes('starting data transfer'))
    // socat ends when nobody has the device open any more.
    held = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
    address = { scheme: 'serial', path, baud: 115_200, rtscts: false }
  })
  afterEach(async () => {
    closeSync(held)
    if (socat.exitCode === null && socat.signalCode === null) {
      const gone = new Promise((resolve) => socat.once('exit', resolve))
      socat.kill()
      await gone
    }
    rmSync(directory, { recursive: true, force: true })
  })

  it('gets what arrives at once, with nothing else to wake the loop', async () => {
    // serialport 13 on Node 26.3 or newer lets received bytes lie until some other event turns the loop: hundreds of
    // milliseconds. The pinned Node must not; this tells when it is safe to move on.
    let arrived: () => void = () => {}
    const opening = await portOpener(0)(address, { data: () => arrived(), closed: () => {} })
    if (!('opened' in opening)) throw new Error(opening.why)
    const port = opening.opened
    const times: number[] = []
    for (let i = 0; i < 9; i++) {
      const began = performance.now()
      port.write('AT')
      await new Promise<void>((resolve) => {
        arrived = resolve
        // The only other event that turns the loop; a stalled port is not heard before it.
        setTimeout(resolve, 600)
      })
      times.push(performance.now() - began)
    }
    times.sort((a, b) => a - b)
    expect(times[4]).toBeLessThan(300)
    await port.close()
  })

  it('is taken by one program only', async () => {
    const { port } = await open(address)
    const second = await portOpener(0)(address, { data: () => {}, closed: () => {} })
    expect(second).toMatchObject({ absent: false, why: expect.stringMatching(/lock/i) })
    await port.close()
    const third = await open(address).catch((error: unknown) => error)
    expect(third).not.toBeInstanceOf(Error)
    await (third as Opened).port.close()
  })

  it('tells when the device goes away, also in the very moment it is opened; it is absent afterwards', async () => {
    const { closed } = await open(address)
    socat.kill()
    await until('closed', () => closed.length === 1)
    rmSync(path, { force: true })
    expect(await portOpener(0)(address, { data: () => {}, closed: () => {} })).toMatchObject({ absent: true })
  })

  it('lives without the wires that a pty does not have', async () => {
    const { port, closed } = await open(address)
    await port.pulse()
    expect(closed).toEqual([])
    await port.close()
    expect(closed).toHaveLength(1)
  })
})
