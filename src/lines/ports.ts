/**
 * Ways to a modem: a serial port, a TCP serial server, or a simulated modem in this process. A driver never sees the
 * difference; whoever opens one gets bytes and one `closed`, after which nothing more comes.
 */
import { writeSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { SerialPort } from 'serialport'
import type { PortAddress } from '#config/types.ts'
import { errorText } from '#core/errors.ts'
import { SimulatedModem } from '#simulator/modem.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'

const CONNECT_MS = 5_000
const KEEP_ALIVE_MS = 10_000
const CLOSE_MS = 2_000
/**
 * How often a serial port is asked whether it is still there. When a device goes away between a wake-up and the read
 * after it, that read gives nothing for ever: the serial driver (13.0) repeats it and never tells.
 */
const WATCH_MS = 1_000
/** The kernel's answer for a device that has hung up; one without modem wires (a pty) answers differently. */
const GONE = /input\/output error|no such device|bad file descriptor/i
/** How long DTR stays low; V.250 modems need about 100 ms to notice (S25 and its default). */
const DTR_LOW_MS = 500

export interface PortHandlers {
  data(chunk: Uint8Array): void
  /** Called once, whoever closed it. */
  closed(why: string): void
}

export interface Port {
  /** Hands the text (Latin-1) on in one write. After the port is closed it does nothing. */
  write(text: string): void
  /** Bytes written that the device has not taken yet. */
  backlog(): number
  /** Drops and raises DTR where there is such a wire. */
  pulse(): Promise<void>
  /** Bounded; `closed` has been called when it resolves. */
  close(): Promise<void>
}

export type OpenResult =
  | { opened: Port }
  /** `absent`: there is no such device at the moment; otherwise it is there and cannot be used. */
  | { absent: boolean; why: string }

/** Opens ports for one line. A simulated modem lives on between openings, as a real one does. */
export type Opener = (address: PortAddress, handlers: PortHandlers) => Promise<OpenResult>

/** @param line number that tells simulated modems of one process apart */
export function portOpener(line: number): Opener {
  let simulated: SimulatedModem | undefined
  return (address, handlers) => {
    switch (address.scheme) {
      case 'serial':
        return openSerial(address, handlers)
      case 'tcp':
        return openTcp(address, handlers)
      case 'sim': {
        const options = parseModemOptions(address.options, line)
        if (isProblem(options)) return Promise.resolve({ absent: false, why: options.problem })
        simulated ??= new SimulatedModem(options)
        return Promise.resolve({
          opened: streamPort(simulated.connect(), handlers),
        })
      }
    }
  }
}

export function describeAddress(address: PortAddress): string {
  switch (address.scheme) {
    case 'serial':
      return `serial://${address.path}?baud=${address.baud}`
    case 'tcp':
      return `tcp://${address.host}:${address.port}`
    case 'sim':
      return `sim://${address.kind}`
  }
}

/** The configured serial port first, then every other one that this machine has and that may be a modem. */
export async function candidates(
  address: Extract<PortAddress, { scheme: 'serial' }>,
): Promise<Extract<PortAddress, { scheme: 'serial' }>[]> {
  const listed = await SerialPort.list().catch(() => [])
  const paths = listed.map(({ path }) => path).filter((path) => /^\/dev\/tty(USB|ACM)\d+$/.test(path))
  const others = paths.filter((path) => path !== address.path).sort()
  return [address, ...others.map((path) => ({ ...address, path }))]
}

function openSerial(
  address: Extract<PortAddress, { scheme: 'serial' }>,
  handlers: PortHandlers,
): Promise<OpenResult> {
  return new Promise((resolve) => {
    const serial = new SerialPort(
      {
        path: address.path,
        baudRate: address.baud,
        rtscts: address.rtscts,
        // Closing must not hang up or reset the modem, and no other program may talk in between.
        hupcl: false,
        lock: true,
        autoOpen: false,
      },
      () => {},
    )
    serial.open((error) => {
      if (error) {
        resolve({
          absent: /no such (file|device)|ENOENT|ENODEV|ENXIO/i.test(error.message),
          why: error.message,
        })
        return
      }
      const pulse = async (): Promise<void> => {
        await setDtr(serial, false)
        await new Promise((done) => setTimeout(done, DTR_LOW_MS))
        await setDtr(serial, true)
      }
      let watch: NodeJS.Timeout | undefined
      const close = () => {
        clearInterval(watch)
        if (serial.isOpen) serial.close(() => {})
      }
      const port = streamPort(serial, handlers, { pulse, close, writeNow: () => descriptorOf(serial) })
      watch = setInterval(() => {
        serial.get((problem) => {
          if (problem && GONE.test(problem.message)) void port.close()
        })
      }, WATCH_MS)
      resolve({ opened: port })
    })
  })
}

/** The open device; undefined where the operating system gives none. It never blocks: serialport opens it O_NONBLOCK. */
const descriptorOf = ({ port }: SerialPort): number | undefined =>
  port !== undefined && 'fd' in port && typeof port.fd === 'number' ? port.fd : undefined

/**
 * Hands on what the device takes at once. The stream would do it in another thread, and waking that takes longer than
 * everything else between a modem's answer and the next command.
 * @returns the rest, which the stream must wait for room to write
 */
function writeAtOnce(descriptor: number, bytes: Buffer): Buffer {
  try {
    return bytes.subarray(writeSync(descriptor, bytes))
  } catch {
    // No room, or the device is going away: the stream waits, or learns it.
    return bytes
  }
}

/** A device without that wire (a pty) refuses; then there is nothing to pulse. */
const setDtr = (serial: SerialPort, dtr: boolean): Promise<void> =>
  new Promise((resolve) => {
    serial.set({ dtr }, () => resolve())
  })

function openTcp(
  address: Extract<PortAddress, { scheme: 'tcp' }>,
  handlers: PortHandlers,
): Promise<OpenResult> {
  return new Promise((resolve) => {
    const socket = connectTcp({
      host: address.host,
      port: address.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    })
    const timer = setTimeout(() => fail('the connection was not made in time'), CONNECT_MS)
    const fail = (why: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ absent: true, why })
    }
    const failed = (error: Error) => fail(errorText(error))
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve({ opened: streamPort(socket, handlers) })
    })
  })
}

/** @param wires what a serial port has beyond a stream */
function streamPort(
  stream: Duplex,
  handlers: PortHandlers,
  wires: { pulse: () => Promise<void>; close: () => void; writeNow?: () => number | undefined } = {
    pulse: () => Promise.resolve(),
    close: () => stream.destroy(),
  },
): Port {
  let open = true
  const waiting: (() => void)[] = []
  const closed = (why: string) => {
    if (!open) return
    open = false
    wires.close()
    handlers.closed(why)
    for (const done of waiting) done()
  }
  stream.on('data', (chunk: Uint8Array) => {
    if (open) handlers.data(chunk)
  })
  // A pty whose other side went away ends without closing; a serial port closes with an error on unplugging.
  stream.on('end', () => closed('the other side ended the connection'))
  stream.on('error', (error: Error) => closed(errorText(error)))
  stream.on('close', (error: unknown) => closed(error instanceof Error ? errorText(error) : 'closed'))
  return {
    write: (text) => {
      if (!open || stream.destroyed) return
      const bytes = Buffer.from(text, 'latin1')
      // Nothing may overtake what the stream still has to write.
      const descriptor = stream.writableLength === 0 ? wires.writeNow?.() : undefined
      const rest = descriptor === undefined ? bytes : writeAtOnce(descriptor, bytes)
      if (rest.length > 0) stream.write(rest)
    },
    backlog: () => stream.writableLength,
    pulse: wires.pulse,
    close: () =>
      new Promise((resolve) => {
        if (!open) return resolve()
        const timer = setTimeout(() => closed('closed late'), CLOSE_MS)
        waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
        wires.close()
      }),
  }
}
