/**
 * A line with a GSM modem: the line contract on one side, supervisor, preparation, transmission and reception on the
 * other. It holds what is known of the modem and decides what may run beside a transmission:
 *
 *  - a transmission waits for at most one short command, which is under way or waited before it;
 *  - news from the modem (a message, a call) is looked after between two transmissions;
 *  - looking after signal, network and memories waits while the line is busy, for at most BUSY_POLL_MS.
 */
import type { GsmLineConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import { AtChannels } from '#lines/at-channels.ts'
import { fields, type Unsolicited } from '#lines/at-syntax.ts'
import type { AtTrace, TraceEntry } from '#lines/at-trace.ts'
import type { Line, LineEvents, LineMemory, LineStatus, Transmission } from '#lines/contract.ts'
import { LastSuccess } from '#lines/last-success.ts'
import { type Port, portOpener } from '#lines/ports.ts'
import type { Profile, Profiles } from '#lines/profile.ts'
import { ladder } from '#lines/recovery-ladder.ts'
import { type LineDriver, type Prepared, Supervisor } from '#lines/supervisor.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'
import { Agenda } from './gsm-agenda.ts'
import { asker, registrationOf, signalOf } from './gsm-commands.ts'
import { Inbound } from './gsm-inbound.ts'
import { type Modem, networkOf, patience, registrationCommands, unknownModem } from './gsm-modem.ts'
import { Objections } from './gsm-objections.ts'
import { allowPinAgain } from './gsm-pin.ts'
import { assertServiceCentre, notRegistered, pollRegistration, prepareModem, simName } from './gsm-prepare.ts'
import { transmitParts } from './gsm-transmit.ts'

/** How often signal and registration are looked at; news of a change comes by itself. */
const POLL_MS = 60_000
/** How long a line that is never idle may put that off. */
const BUSY_POLL_MS = 5 * 60_000
/** How often the memories and the service centre are looked after. */
const SWEEP_MS = 10 * 60_000
/** How long a modem that ignores questions may take to answer AT. */
const ALIVE_MS = 2_700
/** RINGs of one call follow each other closer than this. */
const SAME_CALL_MS = 8_000
/** How long stop() and disable() wait for a transmission to end. */
const STOP_MS = 10_000
const DISABLE_MS = 180_000

export interface GsmLineOptions {
  node: string
  clock: Clock
  log: Log
  events: LineEvents
  memory: LineMemory
  profiles: Profiles
}

export interface GsmLine extends Line {
  dialogue(): TraceEntry[]
}

export function createGsmLine(config: GsmLineConfig, options: GsmLineOptions): GsmLine {
  return new GsmLineImplementation(config, options)
}

const rungsOf = ({ recovery, timeouts }: Profile) => ladder(recovery, timeouts.boot)

interface Call {
  /** When it last rang, ms of the monotonic clock. */
  at: number
  from: string
  told: boolean
}

class GsmLineImplementation implements GsmLine, LineDriver<AtChannel> {
  readonly id: string
  readonly channel = 'sms'
  readonly #config: GsmLineConfig
  readonly #node: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #events: LineEvents
  readonly #memory: LineMemory
  readonly #profiles: Profiles
  readonly #channels: AtChannels
  readonly #supervisor: Supervisor<AtChannel>
  readonly #agenda: Agenda
  readonly #inbound: Inbound
  readonly #modem: Modem
  #busy: Promise<unknown> | undefined
  /** Why no further part may begin, when that is so. */
  #leaving: Reason | undefined
  #wanted: 'unknown' | 'running' | 'disabled' | 'passive' | 'stopped' = 'unknown'
  readonly #lastSuccess: LastSuccess
  #lastError: { at: number; reason: Reason } | undefined
  #poll: NodeJS.Timeout | undefined
  #polledAt = 0
  #sweptAt = 0
  #ringing: Call | undefined
  readonly #objections = new Objections()

  constructor(config: GsmLineConfig, options: GsmLineOptions) {
    this.id = config.id
    this.#config = config
    this.#node = options.node
    this.#clock = options.clock
    this.#log = options.log.child({ line: config.id })
    this.#events = options.events
    this.#memory = options.memory
    const kept = `line/${options.node}/${this.id}/last-success`
    this.#lastSuccess = new LastSuccess(options.memory, kept, this.#log)
    this.#profiles = options.profiles
    const named = config.profile === undefined ? undefined : options.profiles.named(config.profile)
    const profile = named ?? options.profiles.matching('', '')
    this.#modem = unknownModem(profile)
    this.#agenda = new Agenda(this.#log)
    this.#inbound = new Inbound({
      line: config.id,
      modem: this.#modem,
      clock: options.clock,
      log: this.#log,
      events: options.events,
      agenda: this.#agenda,
      channel: () => this.#supervisor.dialogue,
    })
    const monotonic = (): number => options.clock.monotonic()
    this.#channels = new AtChannels({
      profile,
      monotonic,
      unsolicited: (news) => this.#unsolicited(news),
      started: (line, restart) => (restart ? this.#supervisor.restarted(line) : this.#supervisor.nudge()),
    })
    this.#supervisor = new Supervisor(
      {
        address: config.port,
        ...(config.imei === undefined ? {} : { imei: config.imei }),
        rungs: rungsOf(profile),
        opener: portOpener(Number(/\d{1,6}$/.exec(config.id)?.[0] ?? 0)),
        log: this.#log,
        monotonic,
      },
      this,
    )
  }

  status(): LineStatus {
    const { nextTryMonotonic, ...supervised } = this.#supervisor.status()
    const modem = this.#modem
    const network = networkOf(modem)
    const status: LineStatus = {
      id: this.id,
      kind: 'gsm',
      channel: 'sms',
      ...supervised,
      busy: this.#busy !== undefined,
    }
    if (this.#wanted !== 'unknown' && this.#wanted !== 'running') status.state = this.#wanted
    if (nextTryMonotonic !== undefined) {
      status.nextTry = Math.round(this.#clock.now() + nextTryMonotonic - this.#clock.monotonic())
    }
    if (modem.imei !== '' || modem.model !== '') {
      const { manufacturer, model, revision, imei } = modem
      status.modem = {
        profile: modem.profile.name,
        manufacturer,
        model,
        revision,
        imei,
      }
    }
    if (modem.simState !== '' || modem.iccid !== '') {
      const { iccid, imsi, smsc } = modem
      status.sim = {
        state: modem.simState,
        iccid,
        smsc,
        ...(imsi === '' ? {} : { imsi }),
      }
      const technology = network.technology || modem.technology
      status.network = { ...network, technology, operator: modem.operator }
    }
    if (modem.signal !== undefined) status.signal = modem.signal
    if (this.#lastSuccess.at !== undefined) status.lastSuccess = this.#lastSuccess.at
    if (this.#lastError) status.lastError = this.#lastError
    return status
  }

  dialogue(): TraceEntry[] {
    return this.#supervisor.trace.newest()
  }

  free(): boolean {
    return this.#supervisor.working && this.#busy === undefined && this.#leaving === undefined
  }

  transmit(transmission: Transmission): Promise<Outcome> {
    const channel = this.#supervisor.dialogue
    if (!this.free() || !channel) {
      const reason = this.#leaving ?? { code: 'line-not-ready', text: 'The line is not ready' }
      return Promise.resolve({
        result: 'notSent',
        reason,
        progress: { confirmed: transmission.from },
      })
    }
    const transmitting = this.#transmit(transmission, channel)
    this.#busy = transmitting
    return transmitting
  }

  async #transmit(transmission: Transmission, channel: AtChannel): Promise<Outcome> {
    let outcome: Outcome
    try {
      outcome = await transmitParts(transmission, {
        channel,
        modem: this.#modem,
        clock: this.#clock,
        reports: this.#config.reports,
        concatenation: this.#config.concatenation,
        leaving: () => this.#leaving ?? this.#supervisor.notWorking(),
        fault: (reason) => this.#supervisor.fault(reason),
        objected: (to, reason) => {
          if (this.#objections.blame(to, this.#clock.monotonic()) === 'modem') this.#supervisor.fault(reason)
        },
        proven: () => {
          this.#objections.forget()
          this.#supervisor.proven()
        },
      })
    } catch (error) {
      // Only what runs before a part is written can throw (its coding), so nothing of this part left the box.
      this.#log.error(
        { delivery: transmission.delivery.id },
        `A message could not be encoded: ${errorText(error)}`,
      )
      const reason: Reason = {
        code: 'not-encodable',
        text: 'The message could not be encoded',
      }
      const progress = { confirmed: transmission.from }
      outcome = {
        result: 'refused',
        scope: 'number',
        permanent: true,
        reason,
        progress,
      }
    }
    this.#busy = undefined
    if (outcome.result === 'accepted') this.#lastSuccess.note(this.#clock.now())
    else this.#lastError = { at: this.#clock.now(), reason: outcome.reason }
    return outcome
  }

  start(): void {
    void this.#begin()
  }

  async #begin(): Promise<void> {
    await this.#lastSuccess.recall()
    const remembered = await this.#memory.recall(this.#disabledName()).catch(() => undefined)
    if (this.#wanted !== 'unknown') return
    const disabled = remembered === undefined ? this.#config.disabled : remembered === 'yes'
    if (disabled) this.#wanted = 'disabled'
    else if (this.#config.passive !== undefined) this.#wanted = 'passive'
    else this.#run()
  }

  #run(): void {
    this.#wanted = 'running'
    this.#leaving = undefined
    this.#supervisor.start()
  }

  restart(): void {
    if (this.#wanted === 'running') this.#supervisor.restart()
  }

  disable(): void {
    if (this.#wanted === 'stopped') return
    this.#remember(this.#disabledName(), 'yes')
    this.#letGo('disabled', { code: 'disabled', text: 'The line was switched off' })
  }

  #letGo(wanted: 'disabled' | 'passive', leaving: Reason): void {
    this.#wanted = wanted
    this.#leaving = leaving
    void this.#settled(DISABLE_MS).then(() => {
      if (this.#wanted === wanted) this.#supervisor.disable()
    })
  }

  wake(): void {
    if (this.#wanted === 'passive') this.#run()
  }

  rest(): void {
    if (this.#config.passive === undefined || this.#wanted !== 'running') return
    this.#letGo('passive', { code: 'passive', text: "The line is its own member's again" })
  }

  enable(): void {
    if (this.#wanted === 'stopped') return
    this.#remember(this.#disabledName(), 'no')
    void allowPinAgain(this.#memory, simName(this.#modem))
      .catch((error: unknown) => this.#log.error({}, errorText(error)))
      .then(() => {
        if (this.#wanted === 'stopped') return
        if (this.#config.passive === undefined) this.#run()
        else this.#wanted = 'passive'
      })
  }

  async stop(): Promise<void> {
    this.#wanted = 'stopped'
    this.#leaving = { code: 'stopping', text: 'The program is stopping' }
    await this.#settled(STOP_MS)
    this.#quiet()
    await this.#supervisor.stop()
    await this.#lastSuccess.keep()
  }

  speak(port: Pick<Port, 'write'>, trace: AtTrace): AtChannel {
    return this.#channels.open(port, trace)
  }

  async prepare(channel: AtChannel, signal: AbortSignal): Promise<Prepared> {
    try {
      return await prepareModem({
        channel,
        signal,
        modem: this.#modem,
        memory: this.#memory,
        profiles: this.#profiles,
        log: this.#log,
        settings: this.#config,
        identified: () => {
          this.#channels.listenFor(this.#modem.profile)
          this.#supervisor.identified(rungsOf(this.#modem.profile))
        },
      })
    } catch (error) {
      return {
        result: 'fault',
        reason: { code: 'prepare-failed', text: errorText(error) },
      }
    }
  }

  ready(): void {
    this.#agenda.open()
    this.#inbound.sweep()
    this.#sweptAt = this.#clock.monotonic()
    this.#polledAt = this.#sweptAt
    clearInterval(this.#poll)
    this.#poll = setInterval(() => this.#housekeep(), POLL_MS)
    this.#events.ready(this.id)
  }

  down(reason: Reason): void {
    this.#lastError = { at: this.#clock.now(), reason }
    this.#quiet()
    this.#events.down(this.id, reason)
  }

  #unsolicited(news: Unsolicited): void {
    if (this.#inbound.unsolicited(news)) return
    switch (news.name) {
      case 'RING':
      case '+CRING':
        this.#ring('')
        return
      case '+CLIP':
        this.#ring(fields(news.value)[0] ?? '')
        return
      case '+CREG':
      case '+CEREG':
      case '+CGREG':
        this.#registration(news)
        return
      case '+CPIN':
        if (/^NOT/.test(news.value))
          this.#supervisor.fault({ code: 'sim-missing', text: 'The SIM was taken out' })
        return
      default:
        return
    }
  }

  #quiet(): void {
    clearInterval(this.#poll)
    this.#agenda.close()
    this.#inbound.stop()
  }

  #registration(news: Unsolicited): void {
    const registration = registrationOf(`${news.name}: ${news.value}`)
    if (!registration) return
    this.#modem.registrations.set(news.name, registration)
    if (networkOf(this.#modem).registered) this.#supervisor.nudge()
    else if (this.#supervisor.working) {
      this.#supervisor.notYet(notRegistered(this.#modem).reason, this.#modem.profile.timeouts.network)
    }
  }

  /** An incoming call would hold the radio link that messages need: it is ended, once, and told. */
  #ring(from: string): void {
    const now = this.#clock.monotonic()
    if (this.#ringing && now - this.#ringing.at < SAME_CALL_MS) {
      this.#ringing.at = now
      this.#ringing.from ||= from
      // Still ringing after it was ended: the modem ignored that, so it is told again.
    } else this.#ringing = { at: now, from, told: false }
    const call = this.#ringing
    this.#agenda.add('end call', () => this.#endCall(call), 'first')
  }

  async #endCall(call: Call): Promise<void> {
    const channel = this.#supervisor.dialogue
    if (!channel) return
    const ask = asker(channel, () => patience(this.#modem))
    // Some modems know only one of the two for a call that is still ringing.
    if ((await ask('AT+CHUP')).result !== 'ok') await ask('ATH')
    if (call.told) return
    call.told = true
    this.#events.call(this.id, call.from)
  }

  #housekeep(): void {
    const now = this.#clock.monotonic()
    if (this.#busy && now - this.#polledAt < BUSY_POLL_MS) return
    this.#polledAt = now
    this.#agenda.add('poll', () => this.#look())
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    this.#inbound.sweep()
    this.#agenda.add('service centre', () => this.#lookAtServiceCentre())
  }

  async #look(): Promise<void> {
    const channel = this.#supervisor.dialogue
    if (!channel) return
    const ask = asker(channel, () => patience(this.#modem))
    const signal = await ask('AT+CSQ')
    const deaf =
      signal.result === 'timeout'
        ? !this.#modem.mute || !(await channel.resync(ALIVE_MS))
        : signal.result === 'lost' && signal.lost.how === 'silent'
    if (deaf) {
      this.#supervisor.fault({ code: 'no-answer', text: 'The modem does not answer' })
      return
    }
    this.#modem.signal = signalOf(signal)
    for (const name of registrationCommands) {
      if (this.#modem.registrations.has(name)) await pollRegistration(ask, this.#modem, name)
    }
    if (!networkOf(this.#modem).registered && this.#supervisor.working) {
      this.#supervisor.notYet(notRegistered(this.#modem).reason, this.#modem.profile.timeouts.network)
    }
  }

  async #lookAtServiceCentre(): Promise<void> {
    const channel = this.#supervisor.dialogue
    if (!channel) return
    const { smsc } = this.#config
    await assertServiceCentre(
      asker(channel, () => patience(this.#modem)),
      {
        modem: this.#modem,
        memory: this.#memory,
        log: this.#log,
        settings: smsc === undefined ? {} : { smsc },
      },
    )
  }

  /** Resolves when no transmission is under way, or after the time given. */
  async #settled(limitMs: number): Promise<void> {
    if (!this.#busy) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, limitMs)
    })
    await Promise.race([this.#busy, late])
    clearTimeout(timer)
  }

  #disabledName(): string {
    return `line/${this.#node}/${this.id}/disabled`
  }

  #remember(name: string, value: string): void {
    this.#memory.remember(name, value).catch((error: unknown) => {
      this.#log.error({ name }, `A setting of the line could not be stored: ${errorText(error)}`)
    })
  }
}
