/**
 * A Class 1 modem's carriers (ITU-T T.31): V.21 frames and fast data, out and in, each as one bounded step.
 *
 * What the delays in fax dialogues allow (pitfalls in docs/fax.md) is kept here: no wait of ours between a burst and +FRH=3 or +FRM (pitfalls 5
 * and 6), and 75 ms of silence (T.30, 5.3.2.4) made by the modem with +FTS=7, not by timers. +FRS is never used: an answer that
 * starts promptly would be missed.
 */

import type { ModemPort, Reply, Sent } from '../modem-port.ts'
import type { Input } from '../t30/actions.ts'
import { buildFrame, type Frame, type FrameName, type Outgoing, readFrame } from '../t30/frames.ts'
import type { Modulation } from '../t30/modulation.ts'
import { codeOf, type Trouble, trouble } from './trouble.ts'

/**
 * 70 ms: within 75 +-20 ms. What was received last ended some 20 ms before the modem said so, so 75 ms pass after that,
 * too.
 */
const SILENCE = 'AT+FTS=7'
const COMMAND_MS = 5_000
/** A frame of 300 bit/s: preamble of 1 s, and as long as a frame of 100 octets takes. */
const FRAME_MS = 7_000
const FRAME_IDLE_MS = 3_000
const FRAME_OCTETS = 1_024
/** After a frame that is not the last one the next begins at once. */
const NEXT_FRAME_MS = 2_500
/** After a damaged frame, or a carrier that broke off before one, nobody knows whether another follows. */
const AFTER_DAMAGE_MS = 1_500
/** Modems lose a fast carrier within a second and say so. */
const FAST_IDLE_MS = 5_000
/** Shorter than any page, partial page or training check: a modem took its own echo or a click for a carrier. */
const LEAST_FAST = 16
/** A command that is over sooner is not given again at once: a modem that says no would be asked without end. */
const AGAIN_MS = 100
/** One call's page: 16 MB, or an hour. */
const MOST_PAGE = 16 * 1024 * 1024
const MOST_PAGE_MS = 3_600_000
/** Beyond what its data takes, the OK after a page may be so late (pitfall 4). */
const DRAIN_MS = 15_000
/** Of one burst, good or damaged. */
const MOST_FRAMES = 32
/** Said by both ends, so hearing it is no echo. */
const BOTH: FrameName = 'CRP'

export type Heard =
  | { got: 'fast'; data: Uint8Array }
  | Extract<Input, { got: 'silence' | 'other-carrier' }>
  | Trouble

export class Carrier {
  readonly #port: ModemPort
  readonly #caller: boolean
  /** What the modem is ready for without a command: after ATD it listens, after ATA it sends. */
  #ready: 'listen' | 'frames' | undefined
  /** A fast carrier was the last thing on the line. */
  #wasFast = false
  /** What was sent last: on lines with an echo it comes back, and is nobody's answer. */
  #own: ReadonlySet<Frame['name']> = new Set()

  constructor(port: ModemPort, caller: boolean) {
    this.#port = port
    this.#caller = caller
    this.#ready = caller ? 'listen' : 'frames'
  }

  /**
   * The frames of one burst.
   * @param within ms until its carrier must be there
   * @param meanwhile done while the modem listens
   */
  async listen(within: number, meanwhile?: () => void): Promise<Input> {
    const { timing } = this.#port
    const frames: Frame[] = []
    let damaged = false
    let seen = 0
    let until = timing.now() + within
    const heard = (): Input =>
      frames.length > 0 || damaged ? { got: 'frames', frames, damaged } : { got: 'silence' }
    for (let first = true; seen < MOST_FRAMES; first = false) {
      const left = until - timing.now()
      if (left <= 0 && !first) break
      const connected = await this.#openFrame(left, meanwhile)
      meanwhile = undefined
      if (connected === 'silent') break
      if (connected === 'again') continue
      if (connected !== 'connected') return connected
      const frame = await this.#frame()
      if ('got' in frame) return frame
      seen += 1
      if (frame.frame && this.#own.has(frame.frame.name)) {
        this.#port.note('that was an echo')
        continue
      }
      if (frame.frame) frames.push(frame.frame)
      else damaged = true
      if (frame.frame?.final) break
      if (!frame.idle) until = timing.now() + (frame.frame ? NEXT_FRAME_MS : AFTER_DAMAGE_MS)
    }
    return heard()
  }

  async #openFrame(
    within: number,
    meanwhile?: () => void,
  ): Promise<'connected' | 'again' | 'silent' | Trouble> {
    if (this.#ready === 'listen') {
      this.#ready = undefined
      return 'connected'
    }
    const asked = this.#port.timing.now()
    const replying = this.#port.command('AT+FRH=3', { within: Math.max(within, 1), connect: 'receive' })
    meanwhile?.()
    const reply = await replying
    if (reply.how === 'silent') return this.#abandon()
    const result = codeOf(reply)
    if ('got' in result) return result
    if (result.code.startsWith('CONNECT')) return 'connected'
    // NO CARRIER: a carrier without a frame; +FCERROR: not this carrier; OK: it went as it came (pitfall 7).
    await this.#pause(asked)
    return 'again'
  }

  async #abandon(): Promise<'silent' | Trouble> {
    const reply = await this.#port.abort()
    // It may have ended by itself and said so in a way that was taken for data: then it answers a command.
    if (reply.how === 'code' || (await this.#port.resync())) return 'silent'
    return trouble('the modem does not stop listening')
  }

  /** One frame after CONNECT; none when it was damaged, or when the carrier broke off. `idle`: the modem did not say so. */
  async #frame(): Promise<{ frame?: Frame; idle?: true } | Trouble> {
    const { data, end } = await this.#port.received({
      within: FRAME_MS,
      idle: FRAME_IDLE_MS,
      most: FRAME_OCTETS,
    })
    if (end !== 'etx') {
      const aborted = await this.#abandon()
      return aborted === 'silent' ? { idle: true } : aborted
    }
    const result = await this.#port.result(FRAME_MS)
    if (result.how === 'closed') return trouble('the modem is gone')
    if (result.how === 'silent') return trouble('the modem did not finish a frame')
    // ERROR: the check sequence is wrong (pitfall 7).
    if (result.code !== 'OK') return {}
    this.#wasFast = false
    const frame = readFrame(data)
    if (!frame) return {}
    this.#port.note(`received ${frame.name}`)
    return { frame }
  }

  /** Frames by V.21. After a fast carrier, whosever it was, silence goes first. */
  async frames(outgoing: readonly Outgoing[]): Promise<Input> {
    if (this.#ready === 'frames') this.#ready = undefined
    else {
      if (this.#wasFast) {
        this.#wasFast = false
        const silence = await this.#silence()
        if (silence) return silence
      }
      const failure = await this.#connect('AT+FTH=3')
      if (failure) return failure
    }
    this.#own = new Set(outgoing.map(({ name }) => name).filter((name) => name !== BOTH))
    for (const [at, frame] of outgoing.entries()) {
      const final = at === outgoing.length - 1
      this.#port.sendShort(buildFrame(frame, this.#caller, final))
      this.#port.note(`sent ${frame.name}`)
      const reply = await this.#port.result(FRAME_MS)
      if (reply.how !== 'code') return trouble('the modem did not finish a frame')
      if (final ? reply.code !== 'OK' : !reply.code.startsWith('CONNECT')) {
        return trouble(`the modem answered a frame with ${reply.code}`)
      }
    }
    return { got: 'sent' }
  }

  /**
   * Data by a fast carrier.
   * @param short V.17: the short training
   * @param written called when all of it is with the modem
   */
  async fast(
    data: Uint8Array,
    modulation: Modulation,
    options: { short: boolean; signal: AbortSignal; written?: () => void },
  ): Promise<Input> {
    const { short, signal, written } = options
    const silence = await this.#silence()
    if (silence) return silence
    this.#wasFast = true
    const failure = await this.#connect(`AT+FTM=${short ? modulation.after : modulation.code}`)
    if (failure) return failure
    const { rate } = modulation
    const sent: Sent = await this.#port.send(data, {
      rate,
      training: short ? modulation.trainingAfter : modulation.training,
      signal,
    })
    if (sent.how === 'closed') return trouble('the modem is gone')
    if (sent.how === 'stuck') return trouble('the modem took no more page data')
    if (sent.how === 'written') written?.()
    const reply = await this.#port.result((data.length * 8_000) / rate + DRAIN_MS)
    if (sent.how === 'starved') return { got: 'starved' }
    if (reply.how !== 'code') return trouble('the modem did not finish the page')
    if (reply.code === 'OK' && sent.how === 'written') return { got: 'sent' }
    return { got: 'trouble', failure: 'fax-line-dropped', text: `the modem ended the call: ${reply.code}` }
  }

  /** @param within ms until the carrier must be there */
  async hear(modulation: Modulation, short: boolean, within: number): Promise<Heard> {
    const { timing } = this.#port
    this.#wasFast = true
    for (const until = timing.now() + within; ; ) {
      const asked = timing.now()
      const heard = await this.#hearOnce(short ? modulation.after : modulation.code, until - asked)
      if (heard.got !== 'fast' && heard.got !== 'nothing') return heard
      if (heard.got === 'fast' && heard.data.length >= LEAST_FAST) return heard
      await this.#pause(asked)
      if (timing.now() >= until) return { got: 'silence' }
    }
  }

  /** `nothing`: the modem gave up before a carrier was there. */
  async #hearOnce(code: number, within: number): Promise<Heard | { got: 'nothing' }> {
    const reply = await this.#port.command(`AT+FRM=${code}`, { within, connect: 'receive' })
    if (reply.how === 'silent') {
      const aborted = await this.#abandon()
      return aborted === 'silent' ? { got: 'silence' } : aborted
    }
    const result = codeOf(reply)
    if ('got' in result) return result
    // V.21 is there instead (pitfall 6).
    if (result.code === '+FCERROR' || result.code === '+F4') return { got: 'other-carrier' }
    if (!result.code.startsWith('CONNECT')) return { got: 'nothing' }
    const { data, end } = await this.#port.received({
      within: MOST_PAGE_MS,
      idle: FAST_IDLE_MS,
      most: MOST_PAGE,
    })
    if (end === 'closed') return trouble('the modem is gone')
    const after = end === 'etx' ? await this.#port.result(COMMAND_MS) : await this.#port.abort()
    return after.how === 'code' ? { got: 'fast', data } : trouble('the modem did not end a carrier')
  }

  #pause(asked: number): Promise<void> {
    const { timing } = this.#port
    const left = asked + AGAIN_MS - timing.now()
    return new Promise((resolve) => {
      if (left > 0) timing.after(left, resolve)
      else resolve()
    })
  }

  async #silence(): Promise<Trouble | undefined> {
    const reply = await this.#port.command(SILENCE, { within: COMMAND_MS })
    return reply.how === 'code' && reply.code === 'OK' ? undefined : refusal(SILENCE, reply)
  }

  async #connect(text: string): Promise<Trouble | undefined> {
    const reply = await this.#port.command(text, { within: COMMAND_MS, connect: 'send' })
    return reply.how === 'code' && reply.code.startsWith('CONNECT') ? undefined : refusal(text, reply)
  }
}

const refusal = (text: string, reply: Reply): Trouble =>
  trouble(`the modem answered ${text} with ${reply.how === 'code' ? reply.code : 'nothing'}`)
