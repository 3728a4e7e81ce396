/**
 * The AT dialogue with one modem over one opened port: one exchange at a time, every unsolicited line routed exactly
 * once, a deadline on everything, and back into step after anything that did not end as it should.
 *
 * Order of a line's ways, the first that fits takes it: body of an unsolicited line before it · echo · answer that the
 * exchange claims by prefix · start of the modem (reset) · unsolicited · ignored chatter · answer · stray.
 *
 * Invariants:
 *  - while `#inStep` is false nothing is written but a Resync and the blind commands of the recovery ladder;
 *  - `#active` is the only exchange whose deadline runs;
 *  - after closed() nothing is written and every exchange has ended.
 */
import {
  type Answer,
  type Command,
  CommandExchange,
  CTRL_Z,
  ESCAPE,
  type Exchange,
  type ExchangeHost,
  type Lost,
  type PromptAnswer,
  type PromptDialogue,
  PromptExchange,
  Resync,
} from './at-exchanges.ts'
import { hasBody, isPdu, parseFinal, parseUnsolicited, type Unsolicited } from './at-syntax.ts'
import type { AtTrace } from './at-trace.ts'
import { Tokenizer } from './tokenizer.ts'

export type {
  Answer,
  Command,
  PromptAnswer,
  PromptDialogue,
} from './at-exchanges.ts'

/** Exchanges that may wait; who asks beyond is told at once that it is lost. */
const WAITING_LIMIT = 64
/** How long a modem may stay silent before an exchange that waits for it to come into step is given up. */
const STEP_BUDGET_MS = 2_700
/** Restarts that an echo gave away, each within so long of the one before; with more of them it is the modem's way. */
const MOST_RELAPSES = 3
const RELAPSE_MS = 60_000
/** How long a blind command waits before the next is written. */
const BLIND_MS = 1_000
/** Digits of the shortest PDU; some modems write it behind the header instead of below it. A length is shorter. */
const LEAST_PDU = 20

export interface ChannelHandlers {
  unsolicited(news: Unsolicited): void
  /**
   * A line that modems send when they start (`RDY`). True when it means that the modem has lost its state; then what
   * was under way is over.
   */
  started(line: string): boolean
}

export interface ChannelOptions {
  write: (text: string) => void
  handlers: ChannelHandlers
  trace: AtTrace
  /** ms of the monotonic clock */
  now: () => number
}

/** What the modem's profile says about its chatter; may change while the channel is open. */
export interface Chatter {
  /** Starts of lines that modems send when they start. */
  boot: readonly string[]
  /** Starts of lines with no meaning for us. */
  ignore: readonly string[]
}

interface Waiting {
  exchange: Exchange
  urgent: boolean
}

export class AtChannel {
  readonly #options: ChannelOptions
  readonly #tokenizer: Tokenizer
  readonly #host: ExchangeHost
  #chatter: Chatter = { boot: [], ignore: [] }
  #active: Exchange | undefined
  #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  #inStep = true
  /** Whether the modem may be waiting for text, and whether that text has been written. */
  #prompted: 'no' | 'open' | 'written' = 'no'
  #leaves = 0
  #lastEcho = ''
  #ignoring = false
  /** Whether the exchange under way was echoed; and whether the modem is known not to echo. */
  #echoed = false
  #echoless = false
  /** Echoes that came all the same, and when the last one did. */
  #relapses = { count: 0, at: Number.NEGATIVE_INFINITY }
  #withBody: Unsolicited | undefined
  #closed = false
  #discarded = 0
  #strays = 0

  constructor(options: ChannelOptions) {
    this.#options = options
    this.#tokenizer = new Tokenizer({
      line: (text) => this.#line(text),
      prompt: () => this.#prompt(),
      discarded: (bytes) => {
        this.#discarded += bytes
        this.#note(`${bytes} bytes discarded`)
      },
    })
    this.#host = {
      write: (text) => this.#write(text),
      deadline: (ms) => this.#deadline(ms),
      finish: (inStep) => this.#finish(inStep),
    }
  }

  /** False after an exchange that may still get a late answer. */
  get inStep(): boolean {
    return this.#inStep
  }

  /** The modem leaves commands that it does not know unanswered. */
  get ignoring(): boolean {
    return this.#ignoring
  }

  get idle(): boolean {
    return this.#active === undefined && this.#waiting.length === 0
  }

  /** Bytes thrown away and lines that belonged to nothing, since the port was opened. */
  get noise(): { discarded: number; strays: number } {
    return { discarded: this.#discarded, strays: this.#strays }
  }

  listenFor(chatter: Chatter): void {
    this.#chatter = chatter
  }

  /** Bytes from the port. */
  feed(chunk: Uint8Array): void {
    if (!this.#closed) this.#tokenizer.feed(chunk)
  }

  /** Never rejects. */
  run(command: Command): Promise<Answer> {
    return new Promise((resolve) =>
      this.#enter(new CommandExchange(command, resolve), command.blind === true),
    )
  }

  /** Something for a modem that may answer nothing, whatever it answers. Never rejects. */
  blind(text: string): Promise<Answer> {
    return this.run({ text, timeoutMs: BLIND_MS, blind: true })
  }

  /** Goes before commands that wait, but not before the one under way. Never rejects. */
  submit(dialogue: PromptDialogue): Promise<PromptAnswer> {
    return new Promise((resolve) => this.#enter(new PromptExchange(dialogue, resolve), true))
  }

  /**
   * Asks until the modem answers something that can only be the answer to this question.
   * @param budgetMs how long it may stay silent
   * @returns false when it stayed silent
   */
  resync(budgetMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#inStep = false
      this.#enter(this.#resync(budgetMs, resolve), true)
    })
  }

  #resync(budgetMs: number, done: (answered: boolean) => void): Resync {
    return new Resync(this.#leave, budgetMs, this.#ignoring, (answered, ignoring) => {
      this.#ignoring = ignoring
      done(answered)
    })
  }

  /** The port is gone: everything under way and everything waiting ends. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#abandon({ how: 'closed' })
  }

  #enter(exchange: Exchange, urgent: boolean): void {
    if (this.#closed || this.#waiting.length >= WAITING_LIMIT) {
      exchange.lost({ how: this.#closed ? 'closed' : 'silent' })
      return
    }
    if (urgent) {
      const behind = this.#waiting.findIndex((waiting) => !waiting.urgent)
      this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, {
        exchange,
        urgent,
      })
    } else this.#waiting.push({ exchange, urgent })
    if (!this.#active) this.#next()
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (!next) return
    if (this.#inStep || !next.exchange.needsStep) {
      this.#begin(next.exchange)
      return
    }
    this.#begin(
      this.#resync(STEP_BUDGET_MS, (answered) => {
        if (this.#closed || !answered)
          next.exchange.lost(this.#closed ? { how: 'closed' } : { how: 'silent' })
        else if (this.#active) this.#waiting.unshift(next)
        else this.#begin(next.exchange)
      }),
    )
  }

  #begin(exchange: Exchange): void {
    this.#active = exchange
    this.#lastEcho = exchange.echo
    this.#echoed = false
    if (exchange instanceof PromptExchange) {
      this.#prompted = 'open'
      this.#leaves = 0
    }
    exchange.begin(this.#host)
  }

  #finish(inStep: boolean): void {
    clearTimeout(this.#timer)
    if (this.#active instanceof CommandExchange) {
      // A blind command of the recovery ladder may bring the echo back; one without an answer tells nothing.
      if (!this.#active.needsStep) this.#echoless = false
      else if (inStep) this.#echoless = !this.#echoed
    }
    this.#active = undefined
    this.#inStep = inStep
    if (inStep) this.#prompted = 'no'
    // What waits goes out before this exchange's owner hears of its end, so the two alternate under load.
    if (this.#waiting.length > 0) this.#next()
  }

  #abandon(lost: Lost): void {
    clearTimeout(this.#timer)
    const active = this.#active
    const waiting = this.#waiting
    this.#active = undefined
    this.#waiting = []
    this.#withBody = undefined
    active?.lost(lost)
    for (const { exchange } of waiting) exchange.lost(lost)
  }

  /**
   * How to leave a prompt: ESC, and for a modem that ignores it, Ctrl-Z by turns: without text that is no PDU, and ends
   * the entry with an error. Never Ctrl-Z once text was written, which it might complete.
   */
  readonly #leave = (): string | undefined => {
    if (this.#prompted === 'no') return undefined
    this.#leaves += 1
    return this.#prompted === 'open' && this.#leaves % 2 === 0 ? CTRL_Z : ESCAPE
  }

  #write(text: string): void {
    if (this.#closed) return
    if (text.length > 1 && text.endsWith(CTRL_Z)) this.#prompted = 'written'
    this.#options.trace.add(this.#options.now(), 'out', text)
    this.#options.write(text)
  }

  #deadline(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#note(`no answer within ${ms} ms`)
      this.#active?.expired()
    }, ms)
  }

  #note(text: string): void {
    this.#options.trace.add(this.#options.now(), 'note', text)
  }

  #prompt(): void {
    this.#options.trace.add(this.#options.now(), 'in', '> ')
    if (this.#active) {
      this.#active.prompt()
      return
    }
    this.#prompted = 'open'
    this.#inStep = false
    this.#write(ESCAPE)
  }

  #line(line: string): void {
    this.#options.trace.add(this.#options.now(), 'in', line)
    if (this.#withBody && this.#body(this.#withBody, line)) return
    const active = this.#active
    if (line === active?.echo) {
      this.#echo(line, active)
      return
    }
    if (line === this.#lastEcho) return
    if (active?.takes(line)) active.line(line)
    else if (this.#chatter.boot.some((start) => line.startsWith(start))) this.#started(line)
    else if (!this.#news(line) && !this.#chatter.ignore.some((start) => line.startsWith(start))) {
      if (active) active.line(line)
      else this.#stray(line)
    }
  }

  /**
   * A modem that did as ATE0 says and echoes again has restarted without a word, and is in text mode for all we know.
   * One that echoes as it likes is left in peace.
   */
  #echo(line: string, active: Exchange): void {
    this.#echoed = true
    if (!this.#echoless) return
    this.#echoless = false
    const now = this.#options.now()
    const count = now - this.#relapses.at < RELAPSE_MS ? this.#relapses.count + 1 : 1
    this.#relapses = { count, at: now }
    if (count > MOST_RELAPSES) return
    this.#started(line)
    if (active instanceof PromptExchange) {
      // Its prompt is on the way.
      this.#prompted = 'open'
      this.#leaves = 0
      this.#inStep = false
    }
  }

  /** @returns false when the line is no PDU, so that its header has lost its body and the line means something else */
  #body(news: Unsolicited, line: string): boolean {
    this.#withBody = undefined
    if (isPdu(line)) this.#options.handlers.unsolicited({ ...news, body: line })
    else this.#strays++
    return isPdu(line)
  }

  #news(line: string): boolean {
    const news = parseUnsolicited(line)
    if (!news) return false
    if (hasBody(news) && isPdu(news.value) && news.value.length >= LEAST_PDU) {
      this.#options.handlers.unsolicited({ ...news, value: '', body: news.value })
    } else if (hasBody(news)) this.#withBody = news
    else this.#options.handlers.unsolicited(news)
    return true
  }

  #stray(line: string): void {
    this.#strays++
    if (parseFinal(line)) this.#note('stray result')
  }

  #started(line: string): void {
    if (!this.#options.handlers.started(line)) return
    this.#inStep = true
    this.#prompted = 'no'
    this.#abandon({ how: 'reset', line })
  }
}
