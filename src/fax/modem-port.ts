/**
 * One fax modem at the level of bytes: commands and their results, data from the modem, data to the modem with its flow
 * control. What the commands mean is known to class1/ and class2/.
 *
 * Rests on ITU-T T.31 (Class 1) and T.32 (Classes 2 and 2.0). Obeyed here, of the pitfalls in docs/fax.md: commands end with CR alone (pitfall 1);
 * XON and XOFF mean something only while data goes out, and everywhere else 11 and 13 are data or noise (2); DLE (3);
 * XOFF stops us, and the result after the last byte may be seconds away (4); every wait has a limit (10).
 */
import type { AtTrace } from '#lines/at-trace.ts'
import { flowPump, type PumpState, startPump, stepPump, TICK_MS } from './pump.ts'
import { DLE, ETX, shield, Unshielder } from './stuffing.ts'
import type { Timing } from './timing.ts'

const XON = 0x11
const XOFF = 0x13
/** Ends +FRH, +FRM and ATD; any byte would, this one is no part of a command. */
const CAN = 0x18
const LINE_LIMIT = 512
const LINES_LIMIT = 32
const ABORT_MS = 3_000
const BLIND_MS = 1_000
/** The longest hold-up, by XOFF or by a port that takes no more: at 2400 bit/s a modem with 3 KiB takes 10 s (pitfall 4). */
const MOST_PAUSE_MS = 30_000

/** Results that end a command or data (V.250, 5.7; T.31, 8.2; T.32, 8). */
const finals =
  /^(OK|ERROR|CONNECT\b.*|NO CARRIER|NO ANSWER|BUSY|NO DIAL ?TONE|DELAYED|BLACKLISTED|\+FCERROR|\+F4)$/

export type Reply =
  /** `code` as the modem wrote it; `lines` came before it, without echo. */
  { how: 'code'; code: string; lines: readonly string[] } | { how: 'silent' } | { how: 'closed' }

export interface Received {
  data: Uint8Array
  /** `full`: more came than `most`; `quiet`: nothing for `idle` or no end within `within`. The modem is still at it then. */
  end: 'etx' | 'quiet' | 'full' | 'closed'
}

export interface ReceiveLimits {
  /** ms for all of it */
  within: number
  /** ms without a byte */
  idle: number
  /** bytes */
  most: number
}

export type Sent =
  /** All of it was handed to the modem; its result comes later. */
  | { how: 'written' }
  /** A result came in the middle: the call is over. */
  | { how: 'interrupted' }
  /** This program could not keep the modem supplied: part of the data may have been padded with zeros. */
  | { how: 'starved' }
  /** The modem held up the data for too long. */
  | { how: 'stuck' }
  | { how: 'closed' }

export interface ModemPortOptions {
  write: (bytes: Uint8Array) => void
  /** Bytes written that the device has not taken yet; absent where none can wait. */
  backlog?: () => number
  timing: Timing
  trace: AtTrace
  /** A line that belongs to no command: RING, a caller's number. */
  line?: (text: string) => void
}

/** A carrier that went without any data after CONNECT: modems may leave DLE ETX out then (SpanDSP's). No frame begins so. */
const nothingCame = /^\r\n(NO CARRIER|OK|ERROR|\+FCERROR|\+F4)\r\n$/
const LONGEST_RESULT = 14

type Phase = 'command' | 'receive' | 'send'

export class ModemPort {
  readonly #options: ModemPortOptions
  #phase: Phase = 'command'
  /** What follows CONNECT. */
  #connect: Phase = 'command'
  #closed = false
  #line = ''
  #lines: string[] = []
  #results: Extract<Reply, { how: 'code' }>[] = []
  #commanding = false
  #aborting = false
  #unshielder = new Unshielder()
  #chunks: Uint8Array[] = []
  #received = 0
  #dataEnded = false
  #dataAt = 0
  #pump: PumpState | undefined
  #xon = false
  /** The one wait that is under way; told of every change. */
  #waiter: (() => void) | undefined
  #cut = false

  constructor(options: ModemPortOptions) {
    this.#options = options
  }

  get timing(): Timing {
    return this.#options.timing
  }

  get closed(): boolean {
    return this.#closed
  }

  /** A result stands in the queue that nobody asked for yet: while data goes out it means that the call is over. */
  get interrupted(): boolean {
    return this.#results.length > 0
  }

  note(text: string): void {
    this.#options.trace.add(this.timing.now(), 'note', text)
  }

  /** Bytes from the device. */
  feed(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0 && !this.#closed) {
      rest = this.#phase === 'receive' ? this.#takeData(rest) : this.#takeText(rest)
    }
    this.#waiter?.()
  }

  /** The device is gone: every wait ends. */
  close(): void {
    this.#closed = true
    this.#waiter?.()
  }

  /**
   * Sends one command and waits for its result.
   * @param text without CR
   * @param limits `within` in ms; `connect`: what follows CONNECT: data from the modem, data to it, or more commands
   */
  command(text: string, limits: { within: number; connect?: Phase }): Promise<Reply> {
    this.#results = []
    this.#lines = []
    this.#line = ''
    this.#phase = 'command'
    this.#connect = limits.connect ?? 'command'
    this.#commanding = true
    this.#options.trace.add(this.timing.now(), 'out', text)
    this.#write(Buffer.from(`${text}\r`, 'latin1'))
    return this.result(limits.within)
  }

  /** The next result: of a command, or of data that ended. */
  async result(within: number): Promise<Reply> {
    const reply = await this.#next(within)
    // In seconds: long numbers are masked.
    if (reply.how === 'silent') this.note(`no result within ${Math.round(within) / 1_000} s`)
    return reply
  }

  async #next(within: number): Promise<Reply> {
    this.#commanding = true
    await this.#wait(within, () => (this.#results.length > 0 ? Number.NEGATIVE_INFINITY : undefined))
    const result = this.#results.shift()
    if (result) return result
    this.#commanding = false
    return { how: this.#closed ? 'closed' : 'silent' }
  }

  /** After CONNECT: everything up to DLE ETX, without shielding. The modem's result follows: result(). */
  async received({ within, idle, most }: ReceiveLimits): Promise<Received> {
    const begun = this.timing.now()
    this.#dataAt = begun
    await this.#wait(within, () =>
      this.#dataEnded || this.#received > most ? Number.NEGATIVE_INFINITY : this.#dataAt + idle,
    )
    const data = Buffer.concat(this.#chunks)
    this.#chunks = []
    if (this.#dataEnded) return { data, end: 'etx' }
    if (this.#closed) return { data, end: 'closed' }
    return { data, end: this.#received > most ? 'full' : 'quiet' }
  }

  /** The bytes that have come so far, for a look while more is coming. */
  get arriving(): number {
    return this.#received
  }

  /**
   * After CONNECT: short data that fits every modem's buffer (one HDLC frame), shielded and ended with DLE ETX.
   */
  sendShort(data: Uint8Array): void {
    this.#write(Buffer.concat([shield(data), Uint8Array.of(DLE, ETX)]))
  }

  /**
   * After CONNECT: data of any length, shielded, at the modem's pace.
   * @param options `rate` in bit/s; `training`: ms from CONNECT to the first bit of data; `end` closes the data; `waits`:
   *   the modem waits for data that is late, and may hold us up for so many ms longer than others
   */
  async send(
    data: Uint8Array,
    options: {
      rate: number
      training: number
      end?: readonly number[]
      signal?: AbortSignal
      waits?: number
    },
  ): Promise<Sent> {
    this.#pump = startPump(options.rate, options.training, data.length, this.timing.now())
    const end = Uint8Array.from(options.end ?? [DLE, ETX])
    let moved = this.timing.now()
    for (;;) {
      if (this.#closed) return this.#pumped({ how: 'closed' })
      if (this.interrupted) return this.#pumped({ how: 'interrupted' })
      const now = this.timing.now()
      const { pump, step } = stepPump(
        this.#pump,
        now,
        this.#options.backlog?.() ?? 0,
        this.timing.patient !== true && options.waits === undefined,
      )
      if ('starved' in step || options.signal?.aborted) {
        this.#write(end)
        return this.#pumped({ how: 'starved' })
      }
      if ('finished' in step) {
        this.#write(end)
        return this.#pumped({ how: 'written' })
      }
      const from = this.#pump.written
      this.#pump = pump
      if (step.write > 0) {
        moved = now
        this.#write(shield(data.subarray(from, pump.written)))
      } else if (now - moved > MOST_PAUSE_MS + (options.waits ?? 0)) return this.#pumped({ how: 'stuck' })
      await this.#wait(TICK_MS, () => (this.interrupted ? Number.NEGATIVE_INFINITY : undefined))
    }
  }

  /** Waits for XON, with which a Class 2 modem asks for page data. @returns whether it came */
  async xon(within: number): Promise<boolean> {
    await this.#wait(within, () => (this.#xon || this.interrupted ? Number.NEGATIVE_INFINITY : undefined))
    return this.#xon
  }

  /** Bytes as they are, e.g. DC2, with which page data is asked for. */
  raw(bytes: Uint8Array): void {
    this.#write(bytes)
  }

  /** Ends the wait that is under way, as if its time were over. */
  interrupt(): void {
    this.#cut = true
    this.#waiter?.()
    this.#cut = false
  }

  /** Ends +FRH, +FRM or ATD with one byte and takes the result that this brings (pitfall 1). */
  async abort(): Promise<Reply> {
    this.#phase = 'command'
    this.#connect = 'command'
    this.#results = []
    this.#line = ''
    this.#aborting = true
    this.#write(Uint8Array.of(CAN))
    const reply = await this.result(ABORT_MS)
    // A carrier that was found just before: its CONNECT crossed our byte, and the result of the abort follows, at once
    // perhaps.
    const last = reply.how === 'code' && reply.code.startsWith('CONNECT') ? this.result(ABORT_MS) : reply
    this.#aborting = false
    return last
  }

  /** Brings the modem back to answering commands, whatever it was doing. @returns whether it answers */
  async resync(): Promise<boolean> {
    for (let turn = 0; turn < 3 && !this.#closed; turn++) {
      if (turn > 0) {
        this.#phase = 'command'
        this.#write(Uint8Array.of(DLE, ETX))
        await this.result(ABORT_MS)
      }
      const reply = await this.command('AT', { within: ABORT_MS })
      if (reply.how !== 'code' || reply.code !== 'OK') continue
      // Was that the late result of something else? Then that of AT is still to come; that nothing comes is usual.
      await this.#next(100)
      return true
    }
    return false
  }

  /** Something for a modem that may answer nothing, whatever it answers. */
  blind(text: string): Promise<Reply> {
    return this.command(text, { within: BLIND_MS })
  }

  #write(bytes: Uint8Array): void {
    if (!this.#closed && bytes.length > 0) this.#options.write(bytes)
  }

  #pumped(sent: Sent): Sent {
    this.#pump = undefined
    if (sent.how !== 'written') this.note(`data ${sent.how}`)
    return sent
  }

  /**
   * @param due when the wait is over at the latest, ms of the clock, as things stand; minus infinity: it is over now;
   *   undefined: only `within` counts
   */
  #wait(within: number, due: () => number | undefined): Promise<void> {
    const { timing } = this
    const last = timing.now() + within
    return new Promise((resolve) => {
      let cancel = () => {}
      let over = false
      const settle = () => {
        if (over) return
        cancel()
        const now = timing.now()
        const at = Math.min(due() ?? last, last)
        if (this.#closed || this.#cut || at <= now) {
          over = true
          this.#waiter = undefined
          resolve()
        } else cancel = timing.after(at - now, look)
      }
      // A program that was held up finds its time over before it has read what came meanwhile: that is read first.
      const look = () => void setImmediate(settle)
      this.#waiter = settle
      settle()
    })
  }

  #takeData(chunk: Uint8Array): Uint8Array {
    const { data, ended, used } = this.#unshielder.take(chunk)
    if (data.length > 0) this.#chunks.push(data)
    this.#received += data.length
    this.#dataAt = this.timing.now()
    const result = this.#received <= LONGEST_RESULT && !ended ? this.#nothing() : undefined
    if (result !== undefined) {
      this.#chunks = []
      this.#dataEnded = true
      this.#commanding = true
      this.#phase = 'command'
      this.#options.trace.add(this.timing.now(), 'in', result)
      this.#results.push({ how: 'code', code: result, lines: [] })
    }
    if (ended) {
      this.#dataEnded = true
      this.#commanding = true
      this.#phase = 'command'
    }
    return chunk.subarray(used)
  }

  /** The result that stands where data should. */
  #nothing(): string | undefined {
    return nothingCame.exec(Buffer.concat(this.#chunks).toString('latin1'))?.[1]
  }

  /** @returns what belongs to another phase */
  #takeText(chunk: Uint8Array): Uint8Array {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (this.#phase === 'send' && (byte === XON || byte === XOFF)) {
        this.#xon ||= byte === XON
        if (this.#pump) this.#pump = flowPump(this.#pump, byte === XOFF, this.timing.now())
      } else if (byte === 0x0a) {
        this.#endLine()
        // Data follows at once after CONNECT.
        if (this.#phase === 'receive') return chunk.subarray(at + 1)
      } else if (byte >= 0x20 && this.#line.length < LINE_LIMIT) this.#line += String.fromCharCode(byte)
    }
    return chunk.subarray(chunk.length)
  }

  #endLine(): void {
    const line = this.#line.trim()
    this.#line = ''
    if (line === '' || /^AT/i.test(line)) return
    this.#options.trace.add(this.timing.now(), 'in', line)
    if (finals.test(line) && (this.#commanding || this.#phase === 'send')) {
      this.#commanding = this.#aborting && line.startsWith('CONNECT')
      this.#results.push({ how: 'code', code: line, lines: this.#lines })
      this.#lines = []
      if (line.startsWith('CONNECT')) this.#enter(this.#connect)
      else this.#phase = 'command'
      return
    }
    if (/^RING(?![A-Z])/.test(line)) this.#options.line?.(line)
    else if (this.#commanding || this.#phase === 'send')
      this.#lines = [...this.#lines, line].slice(-LINES_LIMIT)
    else this.#options.line?.(line)
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#xon = false
    if (phase !== 'receive') return
    this.#unshielder = new Unshielder()
    this.#chunks = []
    this.#received = 0
    this.#dataEnded = false
  }
}
