/**
 * The three dialogues that an AT channel holds, one at a time: a command, a command with a prompt, and getting back
 * into step. Each is fed lines, prompts and the end of its deadline by the channel, and says what to write.
 *
 * Rules they keep:
 *  - the body of a prompt dialogue is written only after the modem asked for it, the intent is durable, and the
 *    last question said go; all three are looked at in the tick in which the body is written, in one write;
 *  - an exchange ends exactly once; one that did not see its own result ends out of step, and the channel sends
 *    nothing new before a Resync has seen an answer that can only be the answer to its own question.
 *
 * Rests on 3GPP TS 27.005 3.5.1 (prompt, Ctrl-Z, ESC) and ITU-T V.250 5.7.
 */
import { errorText } from '#core/errors.ts'
import type { Reason } from '#messages/states.ts'
import { type AtError, answerPrefix, parseFinal } from './at-syntax.ts'

export const ESCAPE = '\x1b'
export const CTRL_Z = '\x1a'

/** Lines and characters that one answer may have; a full memory of 255 messages listed is about 100 kB. */
const ANSWER_LINES = 1_000
const ANSWER_CHARACTERS = 400_000
/** After +CMGS the network has the message; only the OK is missing, and a modem that forgets it is not waited for. */
const OK_GRACE_MS = 2_000
/** How long an intent may take to become durable before the message is given back. */
const INTENT_MS = 30_000
/** How long a modem gets to swallow an ESC before the next characters come. */
const ESCAPE_GUARD_MS = 150
/** A probe that has no answer by then is repeated: what was in the way may have eaten it. */
const PROBE_MS = 900
/** After an answer that may be a late one: this much silence, and nothing is under way any more. */
const QUIET_MS = 250
/** The same for a modem that ignores the marker, where nothing else tells. */
const IGNORING_QUIET_MS = 400
/** A modem that asks for text again and again is not brought back into step by more of the same. */
const MOST_PROMPTS = 6
/** Nor is one that gives more answers than there can be questions. */
const MOST_FINALS = 40

/** What an exchange may do to its channel. */
export interface ExchangeHost {
  write(text: string): void
  /** (Re)starts the one deadline of the exchange. */
  deadline(ms: number): void
  /** Ends the exchange. `inStep`: nothing that the modem may still say belongs to it. */
  finish(inStep: boolean): void
}

export type Lost =
  /** A line that modems send when they start. */
  | { how: 'reset'; line: string }
  | { how: 'closed' }
  /** The modem did not come back into step, so this was never written. */
  | { how: 'silent' }

export interface Exchange {
  /** Must not be written before the dialogue is in step. */
  readonly needsStep: boolean
  /** What the modem may echo. */
  readonly echo: string
  begin(host: ExchangeHost): void
  /** True when the line answers this exchange although it looks unsolicited. */
  takes(line: string): boolean
  line(line: string): void
  prompt(): void
  expired(): void
  /** The exchange is over, or will never begin. */
  lost(lost: Lost): void
}

export interface Command {
  text: string
  timeoutMs: number
  /** Start of its information lines, where that cannot be told from the command and could be taken for news. */
  prefix?: string
  /** Of lines that start like news: which ones are the answer. */
  answers?: (line: string) => boolean
  /** Written even while the dialogue is out of step, for the recovery ladder; it stays out of step. */
  blind?: boolean
}

export type Answer =
  | { result: 'ok'; lines: string[] }
  | { result: 'error'; error: AtError; lines: string[] }
  | { result: 'timeout' }
  | { result: 'lost'; lost: Lost }

export class CommandExchange implements Exchange {
  readonly echo: string
  readonly needsStep: boolean
  readonly #command: Command
  readonly #prefix: string | undefined
  readonly #done: (answer: Answer) => void
  readonly #lines: string[] = []
  #characters = 0
  #host: ExchangeHost | undefined

  constructor(command: Command, done: (answer: Answer) => void) {
    this.#command = command
    this.echo = command.text
    this.needsStep = command.blind !== true
    // A setting (`AT+CLIP=1`) has no information lines, so what looks like news during it is news.
    const setting = command.text.includes('=') && !command.text.endsWith('?')
    this.#prefix = command.prefix ?? (setting ? undefined : answerPrefix(command.text))
    this.#done = done
  }

  begin(host: ExchangeHost): void {
    this.#host = host
    host.deadline(this.#command.timeoutMs)
    host.write(`${this.#command.text}\r`)
  }

  takes(line: string): boolean {
    if (this.#prefix === undefined || !line.startsWith(this.#prefix)) return false
    return this.#command.answers?.(line) ?? true
  }

  line(line: string): void {
    const final = parseFinal(line)
    if (!final) {
      this.#characters += line.length
      if (this.#lines.length < ANSWER_LINES && this.#characters < ANSWER_CHARACTERS) this.#lines.push(line)
      return
    }
    this.#host?.finish(this.needsStep)
    if (final.final === 'ok') this.#done({ result: 'ok', lines: this.#lines })
    else this.#done({ result: 'error', error: final.error, lines: this.#lines })
  }

  prompt(): void {
    // No command sent this way asks for text; the modem waits for the end of something older.
    this.#host?.write(ESCAPE)
  }

  expired(): void {
    this.#host?.finish(false)
    this.#done({ result: 'timeout' })
  }

  lost(lost: Lost): void {
    this.#done({ result: 'lost', lost })
  }
}

export interface PromptDialogue {
  /** E.g. `AT+CMGS=23`. */
  command: string
  /** What goes behind the prompt, without Ctrl-Z. */
  body: string
  /** Called in the tick in which the command was written; the body waits for it. */
  intend: () => Promise<void>
  /** The last question before the body: a reason means do not. */
  stop: () => Reason | undefined
  promptMs: number
  answerMs: number
  /** The line that carries the reference, e.g. /^\+CMGS:\s*(\d+)/. */
  reference: RegExp
}

export type PromptAnswer =
  | { result: 'taken'; reference: number }
  /** `sent`: the body had been written, so the refusal is the network's or the modem's answer to it. */
  | { result: 'error'; error: AtError; sent: boolean }
  /** The last question said no, or the intent could not be made durable. Nothing was transmitted. */
  | { result: 'stopped'; reason: Reason }
  | { result: 'no-prompt' }
  /** The body was written and no answer came. */
  | { result: 'no-answer' }
  | { result: 'lost'; lost: Lost; sent: boolean }

export class PromptExchange implements Exchange {
  readonly needsStep = true
  readonly echo: string
  readonly #dialogue: PromptDialogue
  readonly #done: (answer: PromptAnswer) => void
  #phase: 'prompt' | 'answer' | 'over' = 'prompt'
  #prompted = false
  #durable = false
  #reference: number | undefined
  #host: ExchangeHost | undefined

  constructor(dialogue: PromptDialogue, done: (answer: PromptAnswer) => void) {
    this.#dialogue = dialogue
    this.echo = dialogue.command
    this.#done = done
  }

  begin(host: ExchangeHost): void {
    this.#host = host
    host.deadline(this.#dialogue.promptMs)
    host.write(`${this.#dialogue.command}\r`)
    this.#dialogue.intend().then(
      () => {
        this.#durable = true
        this.#go()
      },
      (error: unknown) => {
        this.#giveBack({
          code: 'intent-failed',
          text: `The intent could not be stored: ${errorText(error)}`,
        })
      },
    )
  }

  takes(line: string): boolean {
    return this.#dialogue.reference.test(line)
  }

  line(text: string): void {
    // A modem that echoes the body may put its answer right behind it.
    const { body } = this.#dialogue
    const line = this.#phase === 'answer' && text.startsWith(body) ? text.slice(body.length) : text
    const reference = this.#dialogue.reference.exec(line)
    if (reference && this.#phase === 'answer') {
      this.#reference = Number(reference[1])
      this.#host?.deadline(OK_GRACE_MS)
      return
    }
    const final = parseFinal(line)
    if (!final) return
    if (final.final === 'error') {
      this.#end(true, {
        result: 'error',
        error: final.error,
        sent: this.#phase === 'answer',
      })
    } else if (this.#reference !== undefined) {
      this.#end(true, { result: 'taken', reference: this.#reference })
    }
    // An OK without a reference before it answers something older: it must not complete this message.
  }

  prompt(): void {
    this.#prompted = true
    this.#go()
  }

  expired(): void {
    if (this.#phase === 'answer') {
      // The reference came and only the OK is missing: the network has the message all the same.
      if (this.#reference !== undefined) this.#end(false, { result: 'taken', reference: this.#reference })
      else this.#end(false, { result: 'no-answer' })
    } else if (!this.#prompted) {
      this.#end(false, { result: 'no-prompt' })
    } else {
      this.#giveBack({
        code: 'intent-failed',
        text: 'The intent did not become durable in time',
      })
    }
  }

  lost(lost: Lost): void {
    const sent = this.#phase === 'answer'
    this.#phase = 'over'
    if (sent && this.#reference !== undefined) this.#done({ result: 'taken', reference: this.#reference })
    else this.#done({ result: 'lost', lost, sent })
  }

  #go(): void {
    if (this.#phase !== 'prompt' || !this.#prompted) return
    if (!this.#durable) {
      this.#host?.deadline(INTENT_MS)
      return
    }
    const reason = this.#dialogue.stop()
    if (reason) {
      this.#giveBack(reason)
      return
    }
    this.#phase = 'answer'
    this.#host?.deadline(this.#dialogue.answerMs)
    this.#host?.write(this.#dialogue.body + CTRL_Z)
  }

  #giveBack(reason: Reason): void {
    if (this.#phase !== 'prompt') return
    this.#end(false, { result: 'stopped', reason })
  }

  #end(inStep: boolean, answer: PromptAnswer): void {
    this.#phase = 'over'
    this.#host?.finish(inStep)
    this.#done(answer)
  }
}

/** A question whose answer no other command gives: it marks the place in the stream of answers. */
const MARKER = 'AT+CMEE?'
const MARKER_PREFIX = '+CMEE:'

/** What a modem under ATV0 (V.250 6.2.6) says instead of OK and ERROR. */
const NUMERIC = /^[04]$/
const WORDS = 'ATV1'

/**
 * Gets back into step: AT until there is any answer, then the marker. A late OK may answer an AT, but it never carries
 * the marker's information line. A modem that does not know the marker answers ERROR; then silence decides. One that
 * ignores what it does not know is asked AT once more, and then silence decides, too.
 */
export class Resync implements Exchange {
  readonly needsStep = false
  readonly echo = 'AT'
  readonly #done: (answered: boolean, ignoring: boolean) => void
  readonly #leave: () => string | undefined
  #ignoring: boolean
  #left: number
  /** An answer comes within this, as far as the first one tells. */
  #waitMs = 0
  #phase: 'guard' | 'probe' | 'marker' | 'again' | 'quiet' = 'guard'
  #heard = false
  #worded = false
  #marked = false
  #quietMs = QUIET_MS
  #prompts = 0
  #probes = 0
  #finals = 0
  #host: ExchangeHost | undefined

  /**
   * @param leave what to write before the next probe to leave a prompt that may be open; undefined when none can be
   * @param budgetMs how long the modem may stay silent before this gives up
   * @param ignoring the modem is known to leave the marker unanswered
   * @param done told whether the modem answered, and whether it left the marker unanswered
   */
  constructor(
    leave: () => string | undefined,
    budgetMs: number,
    ignoring: boolean,
    done: (answered: boolean, ignoring: boolean) => void,
  ) {
    this.#leave = leave
    this.#ignoring = ignoring
    this.#left = Math.max(1, Math.round(budgetMs / PROBE_MS))
    this.#done = done
  }

  begin(host: ExchangeHost): void {
    this.#host = host
    this.#probe()
  }

  takes(line: string): boolean {
    return line.startsWith(MARKER_PREFIX)
  }

  line(line: string): void {
    if (line === MARKER) return
    if (line.startsWith(MARKER_PREFIX)) {
      this.#marked = this.#phase === 'marker'
      return
    }
    if (NUMERIC.test(line) && !this.#worded) {
      this.#worded = true
      this.#say(WORDS)
      return
    }
    const final = parseFinal(line)
    if (!final) return
    if (++this.#finals > MOST_FINALS) this.#end(false)
    else if (this.#phase === 'guard') this.#say()
    else if (this.#phase === 'probe') {
      if (this.#ignoring) this.#settle(IGNORING_QUIET_MS)
      else this.#ask()
    } else if (this.#marked) this.#end(true)
    else if (this.#phase === 'again') {
      this.#ignoring = true
      this.#settle(this.#waitMs)
    } else if (this.#phase === 'quiet') this.#settle(this.#quietMs)
    else {
      this.#heard = true
      if (final.final === 'error') this.#settle(QUIET_MS)
      else this.#host?.deadline(this.#waitMs)
    }
  }

  prompt(): void {
    // It still waits for text, whatever this channel thinks.
    if (++this.#prompts > MOST_PROMPTS) this.#end(false)
    else this.#guard(this.#leave() ?? ESCAPE)
  }

  expired(): void {
    if (this.#phase === 'quiet' || (this.#phase === 'marker' && this.#heard)) this.#end(true)
    else if (this.#phase === 'guard') this.#say()
    else if (this.#phase === 'marker') this.#say('AT', 'again')
    else if (--this.#left <= 0) this.#end(false)
    else this.#probe()
  }

  lost(): void {
    this.#done(false, this.#ignoring)
  }

  #probe(): void {
    // A program that ended at a prompt leaves a modem that takes every AT for text. The first probe goes without ESC,
    // because not every modem likes to see it before a command.
    const leave = this.#leave() ?? (this.#probes % 2 === 1 ? ESCAPE : undefined)
    this.#probes += 1
    if (leave === undefined) this.#say()
    else this.#guard(leave)
  }

  #guard(leave: string): void {
    this.#phase = 'guard'
    this.#host?.deadline(ESCAPE_GUARD_MS)
    this.#host?.write(leave)
  }

  #say(text = 'AT', phase: 'probe' | 'again' = 'probe'): void {
    this.#phase = phase
    // Who took longer than a probe for the first answer may take as long for the next.
    if (phase === 'probe') this.#waitMs += PROBE_MS
    this.#host?.deadline(phase === 'probe' ? PROBE_MS : this.#waitMs)
    this.#host?.write(`${text}\r`)
  }

  /** Every answer under way has come when none comes for so long. */
  #settle(ms: number): void {
    this.#phase = 'quiet'
    this.#quietMs = ms
    this.#host?.deadline(ms)
  }

  #ask(): void {
    this.#phase = 'marker'
    this.#heard = false
    this.#host?.deadline(this.#waitMs)
    this.#host?.write(`${MARKER}\r`)
  }

  #end(answered: boolean): void {
    this.#host?.finish(answered)
    this.#done(answered, this.#ignoring)
  }
}
