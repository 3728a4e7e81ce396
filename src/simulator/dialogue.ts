/**
 * The talk between TE and simulated modem: bytes in, command lines and PDUs out of them, answers back, as ITU-T V.250
 * and 3GPP TS 27.005 want them. What breaks them is refused and written down as a violation.
 *
 * Input is read in four phases. `typing`: a command line is collected and echoed. `running`: its answer takes
 * time; further characters are a violation and wait or are lost. `prompting`: AT+CMGS was read, the prompt is on
 * its way. `text`: everything up to Ctrl-Z or ESC is the PDU.
 */
import type { Chance } from './chance.ts'
import { type Command, type Entry, finalResult, type Reply, splitCommands } from './command.ts'
import { generalCommands } from './commands-general.ts'
import { messageCommands } from './commands-messages.ts'
import type { Device } from './device.ts'
import type { SimulatedNetwork, Submission, Subscriber } from './network.ts'
import type { Span } from './options.ts'
import type { Output } from './output.ts'
import { decodeSubmit, isPduProblem, type Submit } from './pdu.ts'

/** What becomes of a submission whose answer is still to come when the modem fails. */
export type InFlight = 'lost' | 'kept'

interface Prompt {
  kind: 'submit' | 'store'
  length: number
  state: number
  commandAt: number
  promptAt: number
  escaped: boolean
}

interface Transit {
  submission: Submission
  submit: Submit
  timer: NodeJS.Timeout | undefined
  /** The modem failed meanwhile: nobody will hear the answer. */
  silent: boolean
}

/** A final result ready to be written, or nothing at all for an answer that gets lost. */
type Result = Reply | { answer: string }

/** A command line or PDU longer than this is cut; no command needs a quarter of it. */
const longestInput = 4096
const commands: ReadonlyMap<string, Entry> = new Map(
  Object.entries({ ...generalCommands, ...messageCommands }),
)
const nanoseconds = () => Number(process.hrtime.bigint())

export class Dialogue {
  readonly #device: Device & Subscriber
  readonly #network: SimulatedNetwork
  readonly #output: Output
  readonly #chance: Chance
  #phase: 'typing' | 'running' | 'prompting' | 'text' = 'typing'
  #pending = ''
  #line = ''
  #text = ''
  #prompt: Prompt | undefined
  /** One violation a command is enough for characters that come too early. */
  #complained = false
  /** After a fault the remains of what was being said are no violation. */
  #disturbed = false
  #afterwards: (() => void)[] = []
  /** Unsolicited lines wait while a text is typed, as modems do. */
  #held: string[] = []
  #reference: number
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #transits = new Set<Transit>()
  readonly #failures: { command: string; answer: string; times: number }[] = []
  #answersToLose = 0

  constructor(device: Device & Subscriber, network: SimulatedNetwork, output: Output, chance: Chance) {
    this.#device = device
    this.#network = network
    this.#output = output
    this.#chance = chance
    this.#reference = device.options.reference
  }

  receive(text: string): void {
    this.#pending += text
    if (this.#pending.length > longestInput) {
      this.#device.violate('input-too-long', `${this.#pending.length} characters wait`)
      this.#pending = ''
    }
    while (this.#pending !== '') {
      if (this.#phase === 'typing') this.#type()
      else if (this.#phase === 'text') this.#readText()
      else if (!this.#ahead()) return
    }
  }

  unsolicited(text: string): void {
    if (this.#phase === 'text') this.#held.push(text)
    else this.#output.unsolicited(text)
  }

  afterwards(act: () => void): void {
    this.#afterwards.push(act)
  }

  /** A fault: what was being said is forgotten, the modem listens for a new command line. */
  interrupt(inFlight: InFlight): void {
    this.#disturbed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#phase = 'typing'
    this.#pending = this.#line = this.#text = ''
    this.#prompt = undefined
    this.#complained = false
    this.#afterwards = []
    this.#held = []
    this.#output.breakOff()
    for (const transit of this.#transits) {
      transit.silent = true
      if (inFlight === 'kept') continue
      clearTimeout(transit.timer)
      this.#transits.delete(transit)
      this.#network.settle(transit.submission)
    }
  }

  /** What the TE says now goes unheard, so the rest of it may arrive later as noise. */
  deaf(): void {
    this.#disturbed = true
  }

  /** @param answer as the modem writes it; empty means that it never answers */
  fail(command: string, answer: string, times: number): void {
    this.#failures.push({ command: command.toUpperCase(), answer, times })
  }

  /** The network takes the next submissions, but the TE never hears of it. */
  loseAnswers(times: number): void {
    this.#answersToLose += times
  }

  #type(): void {
    const end = this.#pending.indexOf('\r')
    const taken = end < 0 ? this.#pending : this.#pending.slice(0, end + 1)
    this.#pending = end < 0 ? '' : this.#pending.slice(end + 1)
    if (this.#device.settings.echo) this.#output.write(taken)
    if (end >= 0) {
      const line = this.#line + taken.slice(0, -1)
      this.#line = ''
      this.#execute(line)
      return
    }
    this.#line += taken
    const fed = /[^\s\0-\x1f]\s*\n/.test(this.#line)
    if (!fed && this.#line.length <= longestInput) return
    this.#device.violate(fed ? 'line-feed-for-return' : 'input-too-long', this.#line)
    this.#line = ''
  }

  /**
   * Characters while a command runs (V.250, 5.6.1): only abortable commands allow them, and none here takes time.
   * @returns false when they wait
   */
  #ahead(): boolean {
    if (this.#prompt !== undefined && this.#pending.includes('\x1b')) this.#prompt.escaped = true
    const characters = this.#pending.replace(/[\n\x1b]/g, '')
    const early = this.#phase === 'prompting'
    if (characters !== '' && !this.#complained && !this.#disturbed) {
      this.#complained = true
      this.#device.violate(early ? 'text-before-prompt' : 'typed-while-busy', characters)
    }
    this.#pending = early || this.#device.options.typeahead === 'drop' ? '' : characters
    return false
  }

  #execute(raw: string): void {
    const line = clean(raw)
    if (line === '') return
    const start = line.search(/at/i)
    if (start !== 0 && !this.#disturbed) {
      this.#device.violate(start < 0 ? 'not-a-command' : 'noise-before-command', line)
    }
    if (start < 0) return
    this.#disturbed = false
    const found = splitCommands(line.slice(start + 2))
    const lines: string[] = []
    let result: Result = { lines }
    if (found === undefined) {
      this.#device.violate('bad-syntax', line)
      result = { error: 'ERROR' }
    }
    for (const command of found ?? []) {
      const reply = this.#run(command)
      if ('lines' in reply) {
        lines.push(...reply.lines)
        continue
      }
      result = reply
      break
    }
    if ('prompt' in result) {
      this.#openPrompt(result)
      return
    }
    const final = result
    this.#after(this.#device.options.latency, () => this.#finish(final, lines))
  }

  #run(command: Command): Result {
    if (this.#failures.length > 0) {
      const answer = this.#failure(command.name)
      if (answer !== undefined) return { answer }
    }
    const entry = commands.get(command.name)
    if (entry === undefined) return { error: 'ERROR' }
    const refusal =
      entry.needsSim === undefined || command.form === 'test' ? undefined : this.#lock(entry.needsSim)
    return refusal ?? entry.run(this.#device, command)
  }

  /** 27.007, 9.2.1 and 27.005, 3.2.5. */
  #lock(kind: 'cme' | 'cms'): Reply | undefined {
    const state = this.#device.sim.state()
    if (state === 'READY') return undefined
    if (state === 'absent') return kind === 'cme' ? { cme: 10 } : { cms: 310 }
    if (state === 'SIM PIN') return kind === 'cme' ? { cme: 11 } : { cms: 311 }
    if (state === 'SIM PUK') return kind === 'cme' ? { cme: 12 } : { cms: 316 }
    return kind === 'cme' ? { cme: 13 } : { cms: 313 }
  }

  #failure(name: string): string | undefined {
    const index = this.#failures.findIndex(({ command }) => command === name)
    const failure = this.#failures[index]
    if (failure === undefined) return undefined
    if (--failure.times === 0) this.#failures.splice(index, 1)
    return failure.answer
  }

  #openPrompt(reply: { prompt: 'submit' | 'store'; length: number; state: number }): void {
    const { prompt: kind, length, state } = reply
    const prompt: Prompt = {
      kind,
      length,
      state,
      commandAt: nanoseconds(),
      promptAt: 0,
      escaped: false,
    }
    this.#prompt = prompt
    this.#phase = 'prompting'
    this.#after(
      this.#device.options.prompt,
      () => {
        this.#phase = 'text'
        this.#output.prompt(this.#device.options.barePrompt ? '> ' : '\r\n> ')
        prompt.promptAt = nanoseconds()
        if (!prompt.escaped || this.#device.options.ignoreEscape) return
        this.#prompt = undefined
        this.#finish({ lines: [] })
      },
      'prompting',
    )
  }

  #readText(): void {
    const pending = this.#pending
    const ended = pending.indexOf('\x1a')
    const escaped = this.#device.options.ignoreEscape ? -1 : pending.indexOf('\x1b')
    const stop = ended < 0 || (escaped >= 0 && escaped < ended) ? escaped : ended
    const taken = stop < 0 ? pending : pending.slice(0, stop)
    this.#pending = stop < 0 ? '' : pending.slice(stop + 1)
    if (this.#device.settings.echo) this.#output.write(taken)
    if (this.#text.length + taken.length <= longestInput) this.#text += taken
    const prompt = this.#prompt
    if (stop < 0 || prompt === undefined) return
    const text = this.#text.replace(/^\n/, '')
    this.#text = ''
    this.#prompt = undefined
    this.#phase = 'running'
    if (stop === escaped) this.#after(this.#device.options.latency, () => this.#finish({ lines: [] }))
    else this.#take(prompt, text)
  }

  /** Ctrl-Z was read. */
  #take(prompt: Prompt, pdu: string): void {
    const endAt = nanoseconds()
    const submit = decodeSubmit(pdu, prompt.length)
    if (isPduProblem(submit)) {
      this.#device.violate(submit.rule, submit.detail)
      this.#after(this.#device.options.latency, () => this.#finish({ cms: 304 }))
      return
    }
    if (prompt.kind === 'store') {
      this.#after(this.#device.options.latency, () => this.#write(prompt, pdu))
      return
    }
    const reference = this.#reference
    this.#reference = (reference + 1) & 0xff
    const submission = this.#network.record({
      modem: this.#device.name,
      to: submit.to,
      text: submit.text,
      part: submit.concatenation?.part ?? 1,
      parts: submit.concatenation?.parts ?? 1,
      concatenation: submit.concatenation?.reference,
      reference,
      alphabet: submit.alphabet,
      class: submit.class,
      validity: submit.validity,
      reportWanted: submit.reportWanted,
      pdu,
      commandAt: prompt.commandAt,
      promptAt: prompt.promptAt,
      endAt,
      answeredAt: 0,
      answer: '',
      delivered: false,
    })
    const transit: Transit = {
      submission,
      submit,
      timer: undefined,
      silent: false,
    }
    this.#transits.add(transit)
    const ms = this.#chance.within(this.#network.behaviour(submit.to).network ?? this.#device.options.network)
    if (ms === 0) this.#arrive(transit)
    else transit.timer = setTimeout(() => this.#arrive(transit), ms)
  }

  /** The submission reaches the network, which takes or refuses it. */
  #arrive(transit: Transit): void {
    const { submission, submit, silent } = transit
    this.#transits.delete(transit)
    const refusal = this.#refusal(submit)
    if (refusal === undefined) this.#network.accept(submission, submit, this.#device)
    const lost = this.#answersToLose > 0
    if (lost) this.#answersToLose--
    if (silent || lost) {
      this.#network.settle(submission)
      if (!silent) this.#end()
      return
    }
    const answer = refusal ?? `+CMGS: ${submission.reference}`
    submission.answer = answer
    submission.answeredAt = nanoseconds()
    this.#finish(refusal === undefined ? { lines: [answer] } : { answer }, [answer])
    this.#network.settle(submission)
  }

  #refusal(submit: Submit): string | undefined {
    const { sim } = this.#device
    if (submit.smsc === undefined && sim.smsc === '') return '+CMS ERROR: 330'
    const stat = this.#device.registration()
    if (stat !== 1 && stat !== 5) return '+CMS ERROR: 331'
    return this.#network.judge(this.#device.name, submit.to)
  }

  #write(prompt: Prompt, pdu: string): void {
    const { settings, stores } = this.#device
    const index = stores[settings.stores[1]].add({
      state: prompt.state,
      pdu,
      length: prompt.length,
    })
    this.#finish(index === undefined ? { cms: 322 } : { lines: [] }, [`+CMGW: ${index}`])
  }

  /** Writes the final result, with the lines before it when it is OK, and listens again. */
  #finish(result: Result, lines: readonly string[] = []): void {
    const text = 'answer' in result ? result.answer : finalResult(result, this.#device.settings.errors)
    if (text !== '') this.#output.answer('lines' in result ? lines : [], text, this.#device.settings)
    this.#end()
  }

  #end(): void {
    this.#phase = 'typing'
    this.#complained = false
    for (const held of this.#held.splice(0)) this.#output.unsolicited(held)
    for (const act of this.#afterwards.splice(0)) act()
    if (this.#pending !== '') this.receive('')
  }

  #after(span: Span, act: () => void, phase: 'running' | 'prompting' = 'running'): void {
    const ms = span.max === 0 ? 0 : this.#chance.within(span)
    if (ms === 0) {
      act()
      return
    }
    this.#phase = phase
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }
}

/** Leaves out control characters and does what backspace asks for (V.250, 5.2.2). */
function clean(raw: string): string {
  if (!/[\0-\x1f]/.test(raw)) return raw.trim()
  let line = ''
  for (const character of raw) {
    if (character === '\b') line = line.slice(0, -1)
    else if (character >= ' ') line += character
  }
  return line.trim()
}
