/**
 * What is looked after while a GSM line works: signal and network each minute, memories and service centre more rarely.
 * News of a change comes by itself; this finds what no news was given of. It waits while the line is busy, for at most
 * BUSY_POLL_MS.
 */
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import type { Unsolicited } from '#lines/at-syntax.ts'
import type { LineMemory } from '#lines/contract.ts'
import type { Supervisor } from '#lines/supervisor.ts'
import type { Agenda } from './gsm-agenda.ts'
import { type Ask, asker, registrationOf, signalOf } from './gsm-commands.ts'
import type { Inbound } from './gsm-inbound.ts'
import { type Modem, networkOf, patience, registrationCommands } from './gsm-modem.ts'
import { assertServiceCentre, notRegistered, pollRegistration } from './gsm-prepare.ts'

/** How often signal and registration are looked at. */
const POLL_MS = 60_000
/** How long a line that is never idle may put that off. */
const BUSY_POLL_MS = 5 * 60_000
/** How often the memories and the service centre are looked after. */
const SWEEP_MS = 10 * 60_000
/** How long a modem that ignores questions may take to answer AT. */
const ALIVE_MS = 2_700

export interface WatchHost {
  modem: Modem
  clock: Clock
  log: Log
  memory: LineMemory
  /** The service centre that is wanted, where one is. */
  settings: { smsc?: string }
  agenda: Agenda
  inbound: Pick<Inbound, 'sweep'>
  supervisor: Pick<Supervisor<AtChannel>, 'dialogue' | 'working' | 'fault' | 'notYet' | 'nudge'>
  /** A transmission is under way. */
  busy(): boolean
}

export class Watch {
  readonly #host: WatchHost
  #timer: NodeJS.Timeout | undefined
  #lookedAt = 0
  #sweptAt = 0

  constructor(host: WatchHost) {
    this.#host = host
  }

  /** The line is ready: what its memories hold is read, the rest was just asked for. */
  begin(): void {
    const { inbound, clock } = this.#host
    inbound.sweep()
    this.#sweptAt = clock.monotonic()
    this.#lookedAt = this.#sweptAt
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#turn(), POLL_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** @returns true when the news was about the network */
  unsolicited(news: Unsolicited): boolean {
    if (news.name !== '+CREG' && news.name !== '+CEREG' && news.name !== '+CGREG') return false
    const { modem, supervisor } = this.#host
    const registration = registrationOf(`${news.name}: ${news.value}`)
    if (!registration) return true
    modem.registrations.set(news.name, registration)
    if (networkOf(modem).registered) supervisor.nudge()
    else this.#unregistered()
    return true
  }

  #turn(): void {
    const { clock, agenda, inbound, busy } = this.#host
    const now = clock.monotonic()
    if (busy() && now - this.#lookedAt < BUSY_POLL_MS) return
    this.#lookedAt = now
    agenda.add('poll', () => this.#look())
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    inbound.sweep()
    agenda.add('service centre', () => this.#lookAtServiceCentre())
  }

  async #look(): Promise<void> {
    const { modem, supervisor } = this.#host
    const channel = supervisor.dialogue
    if (!channel) return
    const ask = this.#asker(channel)
    const signal = await ask('AT+CSQ')
    const deaf =
      signal.result === 'timeout'
        ? !modem.mute || !(await channel.resync(ALIVE_MS))
        : signal.result === 'lost' && signal.lost.how === 'silent'
    if (deaf) {
      supervisor.fault({ code: 'no-answer', text: 'The modem does not answer' })
      return
    }
    modem.signal = signalOf(signal)
    for (const name of registrationCommands) {
      if (modem.registrations.has(name)) await pollRegistration(ask, modem, name)
    }
    if (!networkOf(modem).registered) this.#unregistered()
  }

  #unregistered(): void {
    const { modem, supervisor } = this.#host
    if (supervisor.working) supervisor.notYet(notRegistered(modem).reason, modem.profile.timeouts.network)
  }

  async #lookAtServiceCentre(): Promise<void> {
    const { modem, memory, log, settings, supervisor } = this.#host
    const channel = supervisor.dialogue
    if (channel) await assertServiceCentre(this.#asker(channel), { modem, memory, log, settings })
  }

  #asker(channel: AtChannel): Ask {
    return asker(channel, () => patience(this.#host.modem))
  }
}
