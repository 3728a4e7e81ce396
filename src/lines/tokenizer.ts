/**
 * Bytes from a modem into lines and prompts. Bounded, split-proof, and honest about what it throws away.
 *
 * Lines are cut by @serialport/parser-readline. That parser has no upper bound and cannot see a prompt, because the
 * prompt of +CMGS has no line end (3GPP TS 27.005 3.5.1: CR LF > space), so this layer stands before it: it limits
 * what the parser may hold, takes prompts out at the start of a line, and drops control characters that no answer
 * contains. CR and LF both end a line, so an echo (`AT+CSQ` CR CR LF) and an answer under ATV0 (`0` CR) are lines too.
 *
 * Everything happens inside feed(): a line never overtakes a prompt, nor the other way round.
 */
import { ReadlineParser } from '@serialport/parser-readline'

/** 3GPP TS 27.005 answers stay below 400 characters; some modems list cells in lines of about 1 kB. */
export const LINE_LIMIT = 4096
/** Lines that one feed() may leave in the parser; a read of 64 kB holds at most that many. */
const LINES_LIMIT = 65_536

/** What a line that was just opened, or a bad cable, puts before an answer; no answer begins with it. */
const NOISE = /^[\x80-\xff]+/

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const PROMPT = 0x3e

export interface TokenHandlers {
  /** A line without its end, Latin-1, never empty. */
  line(text: string): void
  /** The modem waits for message text. */
  prompt(): void
  /** Bytes that were thrown away: control characters, and lines beyond the limit. */
  discarded(bytes: number): void
}

export class Tokenizer {
  readonly #handlers: TokenHandlers
  readonly #parser = new ReadlineParser({
    delimiter: '\n',
    encoding: 'latin1',
    readableObjectMode: true,
    readableHighWaterMark: LINES_LIMIT,
  })
  /** Bytes of the unfinished line that the parser holds. */
  #held = 0
  /** The unfinished line is beyond the limit: dropped up to its end. */
  #overlong = false
  /** The space of a prompt may still follow. */
  #afterPrompt = false

  constructor(handlers: TokenHandlers) {
    this.#handlers = handlers
  }

  feed(chunk: Uint8Array): void {
    let dropped = 0
    const kept = Buffer.allocUnsafe(chunk.length)
    let length = 0
    for (const byte of chunk) {
      if (byte === CR || byte === LF) {
        this.#afterPrompt = false
        if (this.#held > 0 || this.#overlong) kept[length++] = LF
        this.#held = 0
        this.#overlong = false
      } else if (byte < SPACE || byte === 0x7f || this.#overlong) {
        dropped++
      } else if (this.#afterPrompt && byte === SPACE) {
        this.#afterPrompt = false
      } else if (byte === PROMPT && this.#held === 0) {
        this.#drain(kept.subarray(0, length))
        length = 0
        this.#afterPrompt = true
        this.#handlers.prompt()
      } else {
        this.#afterPrompt = false
        kept[length++] = byte
        this.#held++
        if (this.#held > LINE_LIMIT) this.#overlong = true
      }
    }
    this.#drain(kept.subarray(0, length))
    if (dropped > 0) this.#handlers.discarded(dropped)
  }

  #drain(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#parser.write(Buffer.from(bytes))
    for (let line: unknown = this.#parser.read(); line !== null; line = this.#parser.read()) {
      const text = String(line).replace(NOISE, '').trim()
      if (text.length > LINE_LIMIT) this.#handlers.discarded(text.length)
      else if (text !== '') this.#handlers.line(text)
    }
  }
}
