/**
 * What arrives at a GSM line: messages and status reports, straight through (+CMT, +CDS) or kept by the modem
 * (+CMTI, +CDSI), and whatever its memories hold when the line becomes ready.
 *
 * Rule: first durable here, then acknowledged (+CNMA) or deleted (+CMGD). What could not be deleted is seen again at
 * the next sweep; the fingerprint makes that harmless. A PDU that cannot be decoded becomes an inbound message that
 * shows it, because a memory that nobody empties fills up, and nothing received may vanish.
 *
 * Rests on 3GPP TS 27.005 3.4 (+CNMI, +CNMA), 3.2.2 (+CPMS), 3.4.2 (+CMGL).
 */
import { createHash } from 'node:crypto'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import type { Unsolicited } from '#lines/at-syntax.ts'
import type { LineEvents } from '#lines/contract.ts'
import { decodeIncoming } from './deliver.ts'
import type { Agenda } from './gsm-agenda.ts'
import { type Ask, asker, listedMessages, memoryUse, storedAt } from './gsm-commands.ts'
import { type Modem, patience } from './gsm-modem.ts'
import { signalMessages } from './gsm-prepare.ts'

/** SIM and modem; a full one of either stops reception on some modems, whichever is in use. */
const memories = ['SM', 'ME'] as const
/** Share of a memory that is in use when people are told. */
const ALARM_SHARE = 0.7
/** A full memory of 255 messages takes some modems this long to list. */
const LIST_MS = 30_000
const READ_MS = 10_000
/** Messages that came straight through and are not durable yet. */
const DIRECT_LIMIT = 500
/** When a message could not be stored, the memories are read again after this. */
const RETRY_MS = 30_000

interface Use {
  used: number
  total: number
}
/** Of a modem that does not tell: there may be something. */
const unknownUse: Use = { used: 1, total: 0 }

export interface InboundHost {
  line: string
  modem: Modem
  clock: Clock
  log: Log
  events: LineEvents
  agenda: Agenda
  channel: () => AtChannel | undefined
}

export class Inbound {
  readonly #host: InboundHost
  #direct = 0
  #retry: NodeJS.Timeout | undefined

  constructor(host: InboundHost) {
    this.#host = host
  }

  /** @returns true when the news was about a message or a report */
  unsolicited(news: Unsolicited): boolean {
    switch (news.name) {
      case '+CMTI':
      case '+CDSI': {
        const place = storedAt(news.value)
        if (!place) return this.sweep()
        const { memory, index } = place
        return (
          this.#host.agenda.add(`read ${memory} ${index}`, () => this.#read(memory, index)) || this.sweep()
        )
      }
      case '+CMT':
      case '+CDS':
        if (news.body !== undefined)
          // Some modems leave the length out.
          void this.#straightThrough(news.body, Number(news.value.split(',').at(-1)?.trim() || Number.NaN))
        return true
      default:
        return false
    }
  }

  /** Reads and empties both memories. */
  sweep(): true {
    this.#host.agenda.add('sweep', () => this.#sweepAll(), 'first')
    return true
  }

  stop(): void {
    clearTimeout(this.#retry)
  }

  async #straightThrough(pdu: string, length: number): Promise<void> {
    if (this.#direct >= DIRECT_LIMIT) {
      this.#host.log.error(
        {},
        'Too many messages wait to be stored; the network will repeat what is not acknowledged',
      )
      return
    }
    this.#direct++
    const durable = await this.#keep(pdu, Number.isFinite(length) ? length : undefined)
    this.#direct--
    // Without an acknowledgement the network sends it again, which is what an unstored message needs.
    if (durable && this.#host.modem.acknowledging) {
      this.#host.agenda.add(`acknowledge ${this.#host.clock.monotonic()}`, () => this.#acknowledge(), 'first')
    }
  }

  async #acknowledge(): Promise<void> {
    const { modem, log } = this.#host
    const ask = this.#ask()
    if (!ask || !modem.acknowledging) return
    // Two spellings of the same acknowledgement (27.005 3.4.4); some modems know only one.
    for (const command of ['AT+CNMA', 'AT+CNMA=0']) {
      const answer = await ask(command)
      if (answer.result !== 'error') return
    }
    log.warn({}, 'The modem refuses acknowledgements; it is told to keep messages instead')
    await signalMessages(ask, modem, false)
  }

  async #read(memory: string, index: number): Promise<void> {
    const ask = this.#ask()
    if (!ask) return
    // A modem that refuses the very name that it gave has one memory only, or names it only in its news.
    await this.#select(ask, memory)
    const answer = await ask(`AT+CMGR=${index}`, {
      prefix: '+CMGR:',
      timeoutMs: READ_MS,
    })
    const pdu = answer.result === 'ok' ? answer.lines.find((line) => /^[0-9A-Fa-f]+$/.test(line)) : undefined
    if (pdu !== undefined && (await this.#keep(pdu))) await this.#delete(ask, index)
  }

  async #sweepAll(): Promise<void> {
    let named = false
    for (const memory of memories) {
      const ask = this.#ask()
      const use = ask && (await this.#select(ask, memory))
      if (!use) continue
      named = true
      await this.#sweep(ask, memory, use)
    }
    const ask = this.#ask()
    // Whatever memory it has, when it does not want to hear of names.
    if (ask && !named) await this.#sweep(ask, '', unknownUse)
  }

  async #sweep(ask: Ask, memory: string, use: Use): Promise<void> {
    if (use.used === 0) return
    if (use.total > 0 && use.used >= use.total * ALARM_SHARE) {
      this.#host.log.warn(
        { memory, ...use },
        `The message memory ${memory} is nearly full and is being emptied`,
      )
    }
    const answer = await ask('AT+CMGL=4', {
      prefix: '+CMGL:',
      timeoutMs: this.#host.modem.mute ? patience(this.#host.modem) : LIST_MS,
    })
    if (answer.result !== 'ok') return
    let emptied = 0
    for (const { index, status, pdu } of listedMessages(answer.lines)) {
      // Messages stored for sending (2, 3) are somebody else's.
      if (status > 1 || !(await this.#keep(pdu)) || !(await this.#delete(ask, index))) continue
      emptied++
    }
    const left = use.used - emptied
    if (use.total > 0 && left >= use.total * ALARM_SHARE) {
      this.#host.log.warn(
        { memory, left, total: use.total },
        `The message memory ${memory} stays nearly full`,
      )
    }
  }

  /** Makes a memory the one that is read from. @returns its use, or undefined when the modem does not have it */
  async #select(ask: Ask, memory: string): Promise<Use | undefined> {
    const answer = await ask(`AT+CPMS="${memory}"`)
    this.#host.modem.memory = answer.result === 'ok' ? memory : undefined
    return answer.result === 'ok' ? (memoryUse(answer) ?? unknownUse) : undefined
  }

  async #delete(ask: Ask, index: number): Promise<boolean> {
    const answer = await ask(`AT+CMGD=${index}`)
    if (answer.result === 'ok') return true
    this.#host.log.warn({ index }, 'A message that is stored here could not be deleted from the modem')
    this.#sweepLater()
    return false
  }

  /** @returns true when it is durable */
  async #keep(pdu: string, length?: number): Promise<boolean> {
    const { line, clock, events, log } = this.#host
    const decoded = decodeIncoming(pdu, length)
    try {
      if (decoded.type === 'statusReport') {
        const { reference, to, status, dischargedAt } = decoded
        await events.report({ line, reference, to, status, dischargedAt })
        return true
      }
      const at = clock.now()
      if (decoded.type === 'deliver') {
        const { fingerprint, from, sentAt, text, concatenation } = decoded
        await events.inbound({
          fingerprint,
          line,
          at,
          from,
          sentAt,
          text,
          ...(concatenation ? { concatenation } : {}),
        })
        return true
      }
      log.warn({ reason: decoded.reason }, 'A received message cannot be decoded and is kept as it is')
      const fingerprint = createHash('sha256').update(pdu).digest('hex')
      await events.inbound({
        fingerprint,
        line,
        at,
        from: '',
        sentAt: at,
        text: `(undecodable PDU) ${pdu}`,
      })
      return true
    } catch (error) {
      log.error({}, `A received message could not be stored: ${errorText(error)}`)
      this.#sweepLater()
      return false
    }
  }

  #sweepLater(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.sweep(), RETRY_MS).unref()
  }

  #ask(): Ask | undefined {
    const channel = this.#host.channel()
    return channel && asker(channel, () => patience(this.#host.modem))
  }
}
