/** Calls to a GSM line: an incoming call would hold the radio link that messages need, so it is ended, once, and told. */
import type { Clock } from '#core/clock.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import { fields, type Unsolicited } from '#lines/at-syntax.ts'
import type { LineEvents } from '#lines/contract.ts'
import type { Agenda } from './gsm-agenda.ts'
import { asker } from './gsm-commands.ts'
import { type Modem, patience } from './gsm-modem.ts'

/** RINGs of one call follow each other closer than this. */
const SAME_CALL_MS = 8_000

interface Call {
  /** When it last rang, ms of the monotonic clock. */
  at: number
  from: string
  told: boolean
}

export interface CallsHost {
  line: string
  modem: Modem
  clock: Clock
  events: Pick<LineEvents, 'call'>
  agenda: Agenda
  channel: () => AtChannel | undefined
}

export class Calls {
  readonly #host: CallsHost
  #ringing: Call | undefined

  constructor(host: CallsHost) {
    this.#host = host
  }

  /** @returns true when the news was about a call */
  unsolicited(news: Unsolicited): boolean {
    switch (news.name) {
      case 'RING':
      case '+CRING':
        this.#ring('')
        return true
      case '+CLIP':
        this.#ring(fields(news.value)[0] ?? '')
        return true
      default:
        return false
    }
  }

  #ring(from: string): void {
    const now = this.#host.clock.monotonic()
    if (this.#ringing && now - this.#ringing.at < SAME_CALL_MS) {
      this.#ringing.at = now
      this.#ringing.from ||= from
      // Still ringing after it was ended: the modem ignored that, so it is told again.
    } else this.#ringing = { at: now, from, told: false }
    const call = this.#ringing
    this.#host.agenda.add('end call', () => this.#end(call), 'first')
  }

  async #end(call: Call): Promise<void> {
    const { channel, modem, events, line } = this.#host
    const present = channel()
    if (!present) return
    const ask = asker(present, () => patience(modem))
    // Some modems know only one of the two for a call that is still ringing.
    if ((await ask('AT+CHUP')).result !== 'ok') await ask('ATH')
    if (call.told) return
    call.told = true
    events.call(line, call.from)
  }
}
