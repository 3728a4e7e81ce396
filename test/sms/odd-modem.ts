/**
 * A modem as a stranger would write it, over a real TCP socket: it knows four commands, and everything else about it is
 * how the test says. It shares nothing with the simulated modem or the codec of the product, so that an error of theirs
 * cannot hide here. Reads as much of 3GPP TS 27.005 and 23.040 as it needs for a recipient and a status report.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** An answer that leaves the command to the modem's own knowledge. */
export const pass = '(pass)'

/** Raw bytes to send (Latin-1), or undefined for silence. */
type Reaction = string | undefined

export interface Oddities {
  /** Whether characters come back: as ATE says, or always. */
  echo: 'never' | 'obeys' | 'always'
  /** What every command that it does not know gets. */
  unknown: Reaction
  /** Raw answers by the start of the command, the longest that fits first; they go before everything else. */
  answers: Record<string, Reaction | ((command: string) => Reaction)>
  prompt: string
  promptMs: number
  /** Raw answer to a PDU; a refused one does not count as accepted. */
  submitted: (reference: number, to: string) => Reaction | { refused: Reaction }
  submittedMs: number
  commandMs: number
  /** Sends at most so many bytes at once, so many ms apart. */
  pace?: { bytes: number; ms: number }
  /** What ends a line, and what stands before an answer. */
  end: string
  lead: string
  references: (count: number) => number
  /** Called after every write of the other side that was understood. */
  heard: (modem: OddModem, what: 'command' | 'pdu', text: string) => void
}

export interface Taken {
  to: string
  pdu: string
  reference: number
  at: number
}

const plain: Oddities = {
  echo: 'obeys',
  unknown: '\r\nERROR\r\n',
  answers: {},
  prompt: '\r\n> ',
  promptMs: 0,
  submitted: (reference) => `\r\n+CMGS: ${reference}\r\n\r\nOK\r\n`,
  submittedMs: 0,
  commandMs: 0,
  end: '\r\n',
  lead: '\r\n',
  references: (count) => count % 256,
  heard: () => {},
}

/** Digits of a TP-Destination-Address (23.040 9.1.2.5), a plus for an international one. */
function recipientOf(pdu: string): string {
  const octets = Buffer.from(pdu, 'hex')
  const at = 1 + (octets[0] ?? 0) + 2
  const digits = octets[at] ?? 0
  const swapped = octets.subarray(at + 2, at + 2 + Math.ceil(digits / 2)).toString('hex')
  const number = swapped.replace(/(.)(.)/g, '$2$1').slice(0, digits)
  return octets[at + 1] === 0x91 ? `+${number}` : number
}

/** An SMS-STATUS-REPORT (23.040 9.2.2.3) saying "delivered", with an empty service centre address before it. */
export function deliveredReport(to: string, reference: number): { pdu: string; length: number } {
  const digits = to.replace('+', '')
  const swapped = `${digits}${digits.length % 2 === 1 ? 'f' : ''}`.replace(/(.)(.)/g, '$2$1')
  const hex = (value: number) => value.toString(16).padStart(2, '0')
  const stamp = '62111201000000'
  const address = `${hex(digits.length)}${to.startsWith('+') ? '91' : '81'}${swapped}`
  const tpdu = `06${hex(reference)}${address}${stamp}${stamp}00`
  return { pdu: `00${tpdu}`.toUpperCase(), length: tpdu.length / 2 }
}

/** A message "hellohello" from +31641600986 (the example that many tutorials show). */
export const helloPdu = '07911326040000F0040B911346610089F60000208062917314080AE8329BFD4697D9EC37'

export class OddModem {
  readonly taken: Taken[] = []
  readonly commands: { text: string; at: number }[] = []
  /** PDUs that came in text mode, or lengths that were wrong: what a good client never does. */
  readonly violations: string[] = []
  readonly #odd: Oddities
  #server: Server
  #sockets = new Set<Socket>()
  #echoing = true
  #pduMode = false
  #awaited: number | undefined
  #count = 0
  #input = ''
  #output: Promise<void> = Promise.resolve()
  #turn: Promise<void> = Promise.resolve()
  #port = 0
  #refuseNext: string | undefined

  constructor(oddities: Partial<Oddities> = {}) {
    this.#odd = { ...plain, ...oddities }
    this.#server = this.#newServer()
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<number> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address: AddressInfo | string | null = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.#port = address.port
    return this.#port
  }

  /** Closes every connection and refuses new ones; listen() takes the same port again. */
  async vanish(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.hangUp()
    await closed
    this.#server = this.#newServer()
  }

  /** The next +CMGS gets this instead of a prompt. */
  refuseNext(answer: string): void {
    this.#refuseNext = answer
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  /** Forgets every setting, as after a loss of power. */
  reset(banner: string): void {
    this.#echoing = true
    this.#pduMode = false
    this.#awaited = undefined
    this.#input = ''
    this.say(banner)
  }

  /** Sends raw bytes at once, between whatever is being sent. */
  say(text: string): void {
    const { pace } = this.#odd
    if (!pace) {
      for (const socket of this.#sockets) socket.write(text, 'latin1')
      return
    }
    this.#output = this.#output.then(async () => {
      for (let at = 0; at < text.length; at += pace.bytes) {
        for (const socket of this.#sockets) socket.write(text.slice(at, at + pace.bytes), 'latin1')
        await pause(pace.ms)
      }
    })
  }

  #newServer(): Server {
    return createServer((socket) => {
      socket.setNoDelay(true)
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('data', (chunk) => this.#hear(chunk.toString('latin1')))
    })
  }

  #hear(text: string): void {
    for (const character of text) {
      if (this.#odd.echo === 'always' || (this.#odd.echo === 'obeys' && this.#echoing)) this.say(character)
      this.#input += character
      if (this.#awaited === undefined ? character === '\r' : character === '\x1a') {
        const line = this.#input.slice(0, -1)
        this.#input = ''
        const entered = this.#awaited !== undefined
        // The prompt decides how the next bytes are read, so commands are understood at once and answered in turn.
        this.#queue(() => (entered ? this.#pdu(line) : this.#command(line.trim())))
      } else if (this.#awaited !== undefined && character === '\x1b') {
        this.#awaited = undefined
        this.#input = ''
        this.say(`${this.#odd.lead}OK${this.#odd.end}`)
      } else if (character === '\x1b') this.#input = ''
    }
  }

  #queue(run: () => Promise<void>): void {
    this.#turn = this.#turn.then(run)
  }

  async #command(command: string): Promise<void> {
    const { answers, commandMs, heard, lead, end, unknown, prompt, promptMs } = this.#odd
    if (command === '') return
    this.commands.push({ text: command, at: performance.now() })
    heard(this, 'command', command)
    if (commandMs > 0) await pause(commandMs)
    const key = Object.keys(answers)
      .filter((start) => command.startsWith(start))
      .sort((a, b) => b.length - a.length)[0]
    const ok = `${lead}OK${end}`
    const length = /^AT\+CMGS=(\d+)$/i.exec(command)?.[1]
    const answer = key === undefined ? pass : answers[key]
    const text = typeof answer === 'function' ? answer(command) : answer
    if (text !== pass) {
      if (text !== undefined) this.say(text)
    } else if (command === 'AT') this.say(ok)
    else if (command === 'ATE0') {
      this.#echoing = false
      this.say(ok)
    } else if (command === 'AT+CMGF=0') {
      this.#pduMode = true
      this.say(ok)
    } else if (length !== undefined) {
      if (!this.#pduMode) this.violations.push(`${command} in text mode`)
      if (promptMs > 0) await pause(promptMs)
      if (this.#refuseNext !== undefined) {
        this.say(this.#refuseNext)
        this.#refuseNext = undefined
        return
      }
      this.#awaited = Number(length)
      this.say(prompt)
    } else if (unknown !== undefined) this.say(unknown)
  }

  async #pdu(pdu: string): Promise<void> {
    const { submitted, submittedMs, references, heard } = this.#odd
    const length = this.#awaited
    this.#awaited = undefined
    const octets = Buffer.from(pdu, 'hex')
    if (octets.length * 2 !== pdu.length || octets.length - 1 - (octets[0] ?? 0) !== length) {
      this.violations.push(`a PDU of another length than ${length}: ${pdu}`)
      this.say('\r\n+CMS ERROR: 304\r\n')
      return
    }
    const to = recipientOf(pdu)
    const reference = references(this.#count)
    const answer = submitted(reference, to)
    const refused = typeof answer === 'object'
    if (!refused) {
      this.#count++
      this.taken.push({ to, pdu, reference, at: performance.now() })
    }
    heard(this, 'pdu', pdu)
    if (submittedMs > 0) await pause(submittedMs)
    const text = refused ? answer.refused : answer
    if (text !== undefined) this.say(text)
  }

  async stop(): Promise<void> {
    this.hangUp()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}
