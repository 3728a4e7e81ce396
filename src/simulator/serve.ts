/**
 * Puts simulated modems where a gateway finds them: on a TCP port of the loopback, or on a pty made by socat.
 *
 * The pty: socat holds its master side and speaks to us over an inherited socket pair, so it ends by itself when this
 * process ends, however that happens. We keep the slave open: otherwise the first client that closes it would end
 * socat (read of the master fails when no slave is open).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server, Socket } from 'node:net'
import { dirname } from 'node:path'
import { CodedError, errorText } from '#core/errors.ts'
import type { SimulatedModem } from './modem.ts'
import type { Wire } from './output.ts'

export interface Served {
  /** As a line's `port` in the configuration: `tcp://127.0.0.1:41234` or `serial:///dir/line0?baud=115200`. */
  readonly address: string
  /** Lets go of ports and processes; resolves when they are gone. */
  stop(): Promise<void>
}

/** socat needs a few ms to make its pty; more than this means that it cannot. */
const ptyMs = 5_000
/** A client that stops reading loses what comes beyond this. */
const keptBytes = 1 << 20

/** @param port 0 for any free one */
export async function serveTcp(modem: SimulatedModem, port = 0): Promise<Served> {
  let current: Socket | undefined
  const server = createServer({ noDelay: true }, (socket) => {
    // Like a serial device server with one port: the newest client has it.
    current?.destroy()
    current = socket
    join(modem, socket)
  })
  const bound = await listen(server, port)
  let change = Promise.resolve()
  const follow = (plugged: boolean): void => {
    change = change.then(async () => {
      if (plugged) await listen(server, bound)
      else await shut(server)
    })
  }
  modem.onPlug.add(follow)
  return {
    address: `tcp://127.0.0.1:${bound}`,
    async stop() {
      modem.onPlug.delete(follow)
      await change
      current?.destroy()
      await shut(server)
    },
  }
}

/** @param link the path where the device shall be, such as `/tmp/modems/line0` */
export async function servePty(modem: SimulatedModem, link: string): Promise<Served> {
  await mkdir(dirname(link), { recursive: true })
  let pty: Pty | undefined = await openPty(modem, link)
  let change = Promise.resolve()
  const follow = (plugged: boolean): void => {
    // The name goes before the device hangs up, so that nobody opens a dying one by it.
    if (!plugged) rmSync(link, { force: true })
    change = change.then(async () => {
      await pty?.close()
      pty = plugged ? await openPty(modem, link) : undefined
    })
  }
  modem.onPlug.add(follow)
  return {
    address: `serial://${link}?baud=115200`,
    async stop() {
      modem.onPlug.delete(follow)
      await change
      await pty?.close()
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : port)
    })
  })
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
}

/** Joins a socket and a modem until one of them lets go. */
function join(modem: SimulatedModem, socket: Socket): void {
  const wire: Wire = {
    write(text) {
      if (socket.writableLength < keptBytes) socket.write(text, 'latin1')
    },
    cut: () => socket.destroy(),
  }
  modem.attach(wire)
  socket.on('data', (bytes: Buffer) => modem.receive(bytes))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => modem.detach(wire))
}

interface Pty {
  close(): Promise<void>
}

async function openPty(modem: SimulatedModem, link: string): Promise<Pty> {
  // A link that a killed run left behind points at nothing of ours.
  rmSync(link, { force: true })
  const child = spawn('socat', ['-dd', '-b', '8192', `PTY,link=${link},rawer`, 'FD:3'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  const gone = ended(child)
  const problem = await Promise.race([transferring(child), gone, late()])
  const socket = child.stdio[3]
  if (problem !== undefined || !(socket instanceof Socket)) {
    child.kill()
    throw new CodedError('pty', `no pty at ${link}: ${problem}`)
  }
  const slave = openSync(link, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  join(modem, socket)
  return {
    async close() {
      closeSync(slave)
      socket.destroy()
      child.kill()
      await gone
      rmSync(link, { force: true })
    },
  }
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) =>
      resolve(`socat cannot be started (Debian package socat): ${errorText(error)}`),
    )
    child.once('exit', (code) => resolve(`socat ended with ${code}`))
  })
}

/** Resolves when socat says on its log that both sides are open and set. */
function transferring(child: ChildProcess): Promise<undefined> {
  return new Promise((resolve) => {
    let log = ''
    child.stderr?.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString()).slice(-2000)
      if (log.includes('starting data transfer loop')) resolve(undefined)
    })
  })
}

function late(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(`socat did nothing within ${ptyMs} ms`), ptyMs).unref()
  })
}
