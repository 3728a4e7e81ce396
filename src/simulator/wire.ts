/** The cable between a simulated modem and a port in the same process: a node:stream Duplex carrying Buffers. */
import { Duplex } from 'node:stream'
import type { Wire } from './output.ts'

/** A reader that stops reading loses what comes beyond this, as with any serial port. */
const keptBytes = 1 << 20

/**
 * @param receive gets every chunk that the port writes, never inside the write itself
 * @param closed called once, when either side let go
 */
export function connectWire(
  receive: (bytes: Buffer) => void,
  closed: () => void,
): { duplex: Duplex; wire: Wire } {
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        if (!duplex.destroyed) receive(chunk)
        done()
      })
    },
    final(done) {
      duplex.push(null)
      done()
    },
    destroy(error, done) {
      closed()
      done(error)
    },
  })
  const wire: Wire = {
    write(text) {
      if (!duplex.destroyed && duplex.readableLength < keptBytes) duplex.push(Buffer.from(text, 'latin1'))
    },
    cut: () => duplex.destroy(),
  }
  return { duplex, wire }
}

/** What connecting to an unplugged modem gives: it fails like a device file that is not there. */
export function deadWire(name: string): Duplex {
  const error = Object.assign(new Error(`ENOENT: ${name} is unplugged`), {
    code: 'ENOENT',
  })
  const duplex = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
  })
  duplex.destroy(error)
  return duplex
}
