/** A hand at the keyboard: writes to a modem's port and waits for what comes. */
import type { Duplex } from 'node:stream'

/** Longer than any loaded machine needs; a broken feature fails here. */
const patienceMs = 8_000

export class Terminal {
  readonly #port: Duplex
  /** Everything that came and was not taken yet. */
  heard = ''
  #wake: (() => void) | undefined

  constructor(port: Duplex) {
    this.#port = port
    port.on('error', () => {})
    port.on('data', (bytes: Buffer) => {
      this.heard += bytes.toString('latin1')
      this.#wake?.()
    })
  }

  write(text: string): void {
    this.#port.write(text, 'latin1')
  }

  /** Takes everything up to the end of the first match. */
  async until(pattern: RegExp | string): Promise<string> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const found =
        typeof pattern === 'string' ? this.heard.indexOf(pattern) : (pattern.exec(this.heard)?.index ?? -1)
      if (found >= 0) {
        const length =
          typeof pattern === 'string' ? pattern.length : (pattern.exec(this.heard)?.[0].length ?? 0)
        const taken = this.heard.slice(0, found + length)
        this.heard = this.heard.slice(found + length)
        return taken
      }
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`no ${String(pattern)} in ${JSON.stringify(this.heard)}`)
      await this.#more(left)
    }
  }

  /** A whole command: its answer up to the final result. */
  async command(line: string): Promise<string> {
    this.write(`${line}\r`)
    return await this.until(/\r\n(OK|ERROR|NO CARRIER|\+CM[ES] ERROR: [^\r]*)\r\n/)
  }

  /** AT+CMGS with its PDU, up to the final result. */
  async submit(pdu: string, length = pdu.length / 2 - 1): Promise<string> {
    this.write(`AT+CMGS=${length}\r`)
    await this.until('> ')
    this.write(`${pdu}\x1a`)
    return await this.until(/\r\n(OK|ERROR|\+CM[ES] ERROR: [^\r]*)\r\n/)
  }

  #more(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** To +49172123456, "hellohello", one day, with a status report; from the examples of 3GPP TS 23.038. */
export const hello = '0031000B919471123254F60000A70AE8329BFD4697D9EC37'
