/** A modem that says what a test makes it say, for what no real one can be brought to. */
import { ModemPort } from '#fax/modem-port.ts'
import { DLE, ETX, shield } from '#fax/stuffing.ts'
import { AtTrace } from '#lines/at-trace.ts'
import { fastTiming } from '../fax-modem/fast-timing.ts'

export interface ScriptedModem {
  port: ModemPort
  /** Commands in their order, without CR. */
  commands: string[]
}

/** DC2 and CAN. */
const alones: ReadonlySet<number | undefined> = new Set([0x12, 0x18])

/**
 * @param answer what comes for a command (`AT…`), for data that has ended (`data`), for the mark after it in Class 2.0
 *   (`mark`), and for other single bytes (`12` for DC2): lines of text, or bytes as they are. Absent: OK
 */
export function scriptedModem(answer: (said: string) => string | Uint8Array | undefined): ScriptedModem {
  const commands: string[] = []
  let data = false
  let escaped = false
  let line = ''
  const port = new ModemPort({
    write: (bytes) => {
      for (const said of partsOf(Buffer.from(bytes))) {
        const reply = answer(said) ?? (/^(AT|data|mark)/.test(said) ? 'OK' : '')
        if (reply === '') continue
        const text =
          typeof reply === 'string' ? Buffer.from(`\r\n${reply.replaceAll('\n', '\r\n')}\r\n`) : reply
        data = /CONNECT\r\n$/.test(Buffer.from(text).toString('latin1'))
        setImmediate(() => port.feed(text))
      }
    },
    timing: fastTiming(20),
    trace: new AtTrace(),
  })
  function* partsOf(bytes: Buffer): Generator<string> {
    // What asks for data or breaks off comes alone.
    const alone = bytes.length === 1 && alones.has(bytes[0])
    for (const byte of bytes) {
      if (data && !alone) {
        // Data may be cut anywhere, between a DLE and what belongs to it too.
        const marked = escaped && byte !== DLE
        escaped = !escaped && byte === DLE
        if (!marked) continue
        data = false
        yield byte === ETX ? 'data' : 'mark'
      } else if (byte !== 0x0d && byte < 0x20) yield byte.toString(16)
      else if (byte !== 0x0d) line += String.fromCharCode(byte)
      else {
        commands.push(line)
        yield line
        line = ''
      }
    }
  }
  return { port, commands }
}

/** Data as a modem gives it, and the lines that follow it. */
export const dataThen = (data: Uint8Array, lines: string): Uint8Array =>
  Buffer.concat([
    shield(data),
    Uint8Array.of(DLE, ETX),
    Buffer.from(`\r\n${lines.replaceAll('\n', '\r\n')}\r\n`),
  ])
