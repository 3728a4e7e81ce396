/**
 * A sender and a receiver machine joined by a line without modems: time is virtual, transmissions take as long as they
 * take, and any of them may be lost or damaged.
 */
import type { CallInResult, CallOutResult, FaxSettings } from '#fax/contract.ts'
import type { Action, Input } from '#fax/t30/actions.ts'
import type { Resolution } from '#fax/t30/capabilities.ts'
import { buildFrame, type Frame, readFrame } from '#fax/t30/frames.ts'
import { modulations } from '#fax/t30/modulation.ts'
import { startReceiver, stepReceiver } from '#fax/t30/receiver.ts'
import { startSender, stepSender } from '#fax/t30/sender.ts'

/** What becomes of a transmission: heard, not noticed at all, or heard with faults. */
export type Fate = 'good' | 'lost' | 'damaged'

export interface LinkOptions {
  settings: FaxSettings
  receiver?: FaxSettings
  pages: readonly Resolution[]
  /** Partial pages of each page, and frames of each. */
  blocks?: number
  frames?: number
  /** For the transmissions in their order; those after its end are good. */
  fates?: readonly Fate[]
  /** ms that the gateway takes to keep a page */
  keeping?: number
  /** After so many ms nothing gets through any more. */
  cut?: number
  /** What intend() says about ending a page. */
  forbid?: (page: number) => boolean
}

export interface LinkReport {
  sent: CallOutResult
  received: CallInResult
  confirmed: number[]
  /** Pages as they were kept, and whether whole. */
  kept: { page: number; complete: boolean }[]
  /** Every transmission: frames by name, `TCF`, `page 0`. */
  log: string[]
  /** ms */
  took: number
}

interface Transmission {
  by: 0 | 1
  kind: 'slow' | 'fast'
  start: number
  end: number
  fate: Fate
  frames: readonly Uint8Array[]
  what:
    | { tcf: true }
    | { page: number }
    | { block: number; page: number; frames: readonly number[] }
    | undefined
}

interface Actor {
  action: Action
  since: number
  transmitting: Transmission | undefined
  ended: boolean
}

/** A listener that is so late still catches a V.21 preamble; a fast carrier must be heard from its start. */
const PREAMBLE_MS = 800
const TURN_MS = 40
const MOST_STEPS = 5_000

export class Link {
  readonly #options: LinkOptions
  #now = 0
  #sender
  #receiver
  readonly #actors: [Actor, Actor]
  readonly #air: Transmission[] = []
  #fate = 0
  readonly #report: Omit<LinkReport, 'sent' | 'received' | 'took'> = { confirmed: [], kept: [], log: [] }
  /** The receiver's page: which one it is, how good, and the frames of the partial page. */
  #heard: { page: number; good: boolean } | undefined
  #have = new Set<number>()
  #keptAt: number | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.#sender = startSender({ settings: options.settings, modulations, pages: options.pages, from: 0 })
    this.#receiver = startReceiver({ settings: options.receiver ?? options.settings, modulations })
    const nothing = (): Actor => ({
      action: { do: 'hang-up' },
      since: 0,
      transmitting: undefined,
      ended: false,
    })
    this.#actors = [nothing(), nothing()]
  }

  run(): LinkReport {
    this.#step(0, { got: 'connected' })
    this.#step(1, { got: 'connected' })
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const wakes = ([0, 1] as const).flatMap((who) => {
        const wake = this.#actors[who].ended ? undefined : this.#wake(who)
        return wake ? [{ who, ...wake }] : []
      })
      const next = wakes.toSorted((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#now = Math.max(this.#now, next.at)
      this.#step(next.who, next.input())
    }
    const [sender, receiver] = [this.#sender.place, this.#receiver.place]
    if (sender.at !== 'ended' || receiver.at !== 'ended') {
      throw new Error(`no end: ${sender.at}, ${receiver.at}; ${this.#report.log.join(' ')}`)
    }
    return { ...this.#report, sent: sender.result, received: receiver.result, took: this.#now }
  }

  #step(who: 0 | 1, input: Input): void {
    const actor = this.#actors[who]
    if (who === 0) {
      const { state, effects } = stepSender(this.#sender, input, this.#now)
      this.#sender = state
      for (const news of effects.news) if (news.news === 'confirmed') this.#report.confirmed.push(news.page)
      actor.action = effects.action
    } else {
      const { state, effects } = stepReceiver(this.#receiver, input, this.#now)
      this.#receiver = state
      actor.action = effects.action
    }
    actor.since = this.#now
    actor.ended = actor.action.do === 'hang-up'
    actor.transmitting = this.#transmit(who, actor.action)
  }

  #transmit(by: 0 | 1, action: Action): Transmission | undefined {
    const start = this.#now + TURN_MS
    const slow = (end: number, frames: readonly Uint8Array[]) =>
      this.#send({ by, kind: 'slow', start, end, frames, what: undefined })
    switch (action.do) {
      case 'frames':
      case 'train': {
        const { frames: list } = action
        const frames = list.map((frame, at) => buildFrame(frame, by === 0, at === list.length - 1))
        const octets = frames.reduce((sum, { length }) => sum + length + 4, 0)
        this.#report.log.push(list.map(({ name }) => name).join('+'))
        const burst = slow(start + 1_000 + (octets * 8_000) / 300, frames)
        if (action.do === 'frames') return burst
        this.#report.log.push('TCF')
        const from = burst.end + 75
        return this.#send({
          by,
          kind: 'fast',
          start: from,
          end: from + 2_900,
          frames: [],
          what: { tcf: true },
        })
      }
      case 'page':
        this.#report.log.push(`page ${action.page}`)
        return this.#send({
          by,
          kind: 'fast',
          start,
          end: start + 9_000,
          frames: [],
          what: { page: action.page },
        })
      case 'block': {
        const all = Array.from({ length: this.#options.frames ?? 4 }, (_, frame) => frame)
        const frames = action.only ?? all
        this.#report.log.push(`page ${action.page} block ${action.block} frames ${frames.join(',')}`)
        const what = { block: action.block, page: action.page, frames }
        return this.#send({ by, kind: 'fast', start, end: start + 3_000, frames: [], what })
      }
      default:
        return undefined
    }
  }

  #send(transmission: Omit<Transmission, 'fate'>): Transmission {
    const cut = this.#options.cut !== undefined && transmission.end > this.#options.cut
    const sent = {
      ...transmission,
      fate: cut ? 'lost' : (this.#options.fates?.[this.#fate++] ?? 'good'),
    } as const
    this.#air.push(sent)
    return sent
  }

  /** When what an actor does is over, and what it is told then. */
  #wake(who: 0 | 1): { at: number; input: () => Input } | undefined {
    const { action, since, transmitting } = this.#actors[who]
    if (transmitting) return { at: transmitting.end, input: () => this.#sent(action) }
    switch (action.do) {
      case 'listen':
        return this.#listen(who, action.within, since)
      case 'hear-training':
      case 'hear-page':
        return this.#hear(action, since)
      case 'judge':
        return {
          at: since,
          input: () => ({ got: 'judged', rows: 100, badRows: this.#heard?.good === false ? 40 : 0 }),
        }
      case 'judge-block': {
        const missing = Array.from({ length: action.frames }, (_, frame) => frame).filter(
          (frame) => !this.#have.has(frame),
        )
        return { at: since, input: () => ({ got: 'missing', frames: missing }) }
      }
      case 'close-block':
        return {
          at: since,
          input: () => {
            this.#have.clear()
            return { got: 'done' }
          },
        }
      case 'keep':
        return this.#keep(action, since)
      default:
        return undefined
    }
  }

  #sent(action: Action): Input {
    if ((action.do === 'page' || action.do === 'block') && this.#options.forbid?.(action.page)) {
      return { got: 'forbidden', reason: { code: 'not-recorded', text: 'no' } }
    }
    if (action.do !== 'block') return { got: 'sent' }
    return { got: 'sent', blocks: this.#options.blocks ?? 1, frames: this.#options.frames ?? 4 }
  }

  #listen(who: 0 | 1, within: number, since: number): { at: number; input: () => Input } {
    const burst = this.#air.find(
      ({ by, kind, start, fate }) =>
        by !== who &&
        kind === 'slow' &&
        fate !== 'lost' &&
        start >= since - PREAMBLE_MS &&
        start <= since + within,
    )
    if (!burst) return { at: since + within, input: () => ({ got: 'silence' }) }
    return {
      at: burst.end,
      input: () => {
        const damaged = burst.fate === 'damaged'
        // The last frame of a damaged burst is the damaged one.
        const good = damaged ? burst.frames.slice(0, -1) : burst.frames
        const frames = good.flatMap((bytes): Frame[] => {
          const frame = readFrame(Uint8Array.of(...bytes, 0, 0))
          return frame ? [frame] : []
        })
        return { got: 'frames', frames, damaged }
      },
    }
  }

  #hear(
    action: Extract<Action, { do: 'hear-training' | 'hear-page' }>,
    since: number,
  ): { at: number; input: () => Input } {
    const within = 7_000
    const heard = this.#air.find(
      ({ by, start, fate }) =>
        by === 0 && fate !== 'lost' && start >= since - TURN_MS && start <= since + within,
    )
    if (!heard) return { at: since + within, input: () => ({ got: 'silence' }) }
    if (heard.kind === 'slow') return { at: heard.start + 500, input: () => ({ got: 'other-carrier' }) }
    return { at: heard.end, input: () => this.#took(action, heard) }
  }

  #took(action: Extract<Action, { do: 'hear-training' | 'hear-page' }>, { what, fate }: Transmission): Input {
    const good = fate === 'good'
    if (action.do === 'hear-training') {
      if (action.choice.ecm) this.#have.clear()
      return { got: 'training', good: good && what !== undefined && 'tcf' in what }
    }
    if (!what || 'tcf' in what) return { got: 'data', ended: false }
    this.#heard = { page: what.page, good }
    // Of a damaged partial page every second frame is left.
    if ('frames' in what)
      for (const [at, frame] of what.frames.entries()) if (good || at % 2 === 0) this.#have.add(frame)
    return { got: 'data', ended: good }
  }

  #keep(action: Extract<Action, { do: 'keep' }>, since: number): { at: number; input: () => Input } {
    this.#keptAt ??= since + (this.#options.keeping ?? 0)
    if (this.#keptAt > since + action.within)
      return { at: since + action.within, input: () => ({ got: 'keeping' }) }
    return {
      at: Math.max(since, this.#keptAt),
      input: () => {
        this.#keptAt = undefined
        const heard = this.#heard
        this.#have.clear()
        this.#heard = undefined
        if (!heard) return { got: 'done' }
        if (action.doubtful && heard.page === this.#report.kept.at(-1)?.page) return { got: 'known' }
        this.#report.kept.push({ page: heard.page, complete: action.complete })
        return { got: 'kept' }
      },
    }
  }
}
