/**
 * A line with a GSM modem: the line contract on one side, supervisor, preparation, transmission and reception on the
 * other. It holds what is known of the modem and decides what may run beside a transmission:
 *
 *  - a transmission waits for at most one short command, which is under way or waited before it;
 *  - news from the modem (a message, a call) is looked after between two transmissions;
 *  - looking after signal, network and memories (gsm-watch.ts) waits while the line is busy, for so long and no longer.
 */
import type { GsmLineConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import { AtChannels } from '#lines/at-channels.ts'
import type { Unsolicited } from '#lines/at-syntax.ts'
import type { AtTrace, TraceEntry } from '#lines/at-trace.ts'
import type { Line, LineEvents, LineMemory, LineStatus, Transmission } from '#lines/contract.ts'
import { Duty, orLater } from '#lines/duty.ts'
import { LastSuccess } from '#lines/last-success.ts'
import { type Port, portOpener } from '#lines/ports.ts'
import type { Profile, Profiles } from '#lines/profile.ts'
import { ladder } from '#lines/recovery-ladder.ts'
import { type LineDriver, type Prepared, Supervisor } from '#lines/supervisor.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'
import { Agenda } from './gsm-agenda.ts'
import { Calls } from './gsm-calls.ts'
import { Inbound } from './gsm-inbound.ts'
import { type Modem, networkOf, unknownModem } from './gsm-modem.ts'
import { Objections } from './gsm-objections.ts'
import { allowPinAgain } from './gsm-pin.ts'
import { prepareModem, simName } from './gsm-prepare.ts'
import { transmitParts } from './gsm-transmit.ts'
import { Watch } from './gsm-watch.ts'

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

class GsmLineImplementation implements GsmLine, LineDriver<AtChannel> {
  readonly id: string
  readonly channel = 'sms'
  readonly #config: GsmLineConfig
  readonly #clock: Clock
  readonly #log: Log
  readonly #events: LineEvents
  readonly #memory: LineMemory
  readonly #profiles: Profiles
  readonly #channels: AtChannels
  readonly #supervisor: Supervisor<AtChannel>
  readonly #agenda: Agenda
  readonly #inbound: Inbound
  readonly #calls: Calls
  readonly #watch: Watch
  readonly #duty: Duty
  /** How often a person has switched it; what the last one wanted counts. */
  #switched = 0
  readonly #modem: Modem
  #busy: Promise<unknown> | undefined
  readonly #lastSuccess: LastSuccess
  #lastError: { at: number; reason: Reason } | undefined
  readonly #objections = new Objections()

  constructor(config: GsmLineConfig, options: GsmLineOptions) {
    this.id = config.id
    this.#config = config
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
    const host = {
      line: config.id,
      modem: this.#modem,
      clock: options.clock,
      log: this.#log,
      events: options.events,
      agenda: this.#agenda,
      channel: () => this.#supervisor.dialogue,
    }
    this.#inbound = new Inbound(host)
    this.#calls = new Calls(host)
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
    this.#watch = new Watch({
      ...host,
      memory: options.memory,
      settings: config.smsc === undefined ? {} : { smsc: config.smsc },
      inbound: this.#inbound,
      supervisor: this.#supervisor,
      busy: () => this.#busy !== undefined,
    })
    this.#duty = new Duty({
      config,
      node: options.node,
      memory: options.memory,
      log: this.#log,
      run: () => this.#supervisor.start(),
      // What is under way ends with its present part, and the modem is let go of after it.
      leave: () => {},
      underWay: () => this.#busy,
      patience: DISABLE_MS,
      letGo: () => this.#supervisor.disable(),
    })
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
    if (this.#duty.state !== undefined) status.state = this.#duty.state
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
    return this.#supervisor.working && this.#busy === undefined && this.#duty.leaving === undefined
  }

  transmit(transmission: Transmission): Promise<Outcome> {
    const channel = this.#supervisor.dialogue
    if (!this.free() || !channel) {
      const reason = this.#duty.leaving ?? { code: 'line-not-ready', text: 'The line is not ready' }
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
        leaving: () => this.#duty.leaving ?? this.#supervisor.notWorking(),
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
    await this.#duty.begin()
  }

  restart(): void {
    if (this.#duty.running) this.#supervisor.restart()
  }

  disable(): void {
    this.#switched += 1
    this.#duty.disable()
  }

  enable(): void {
    if (this.#duty.stopped) return
    this.#switched += 1
    const turn = this.#switched
    void allowPinAgain(this.#memory, simName(this.#modem))
      .catch((error: unknown) => this.#log.error({}, errorText(error)))
      .then(() => {
        if (turn === this.#switched) this.#duty.enable()
      })
  }

  wake(): void {
    this.#duty.wake()
  }

  rest(): void {
    this.#duty.rest()
  }

  async stop(): Promise<void> {
    this.#duty.stop()
    await orLater(this.#busy, STOP_MS)
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
    this.#watch.begin()
    this.#events.ready(this.id)
  }

  down(reason: Reason): void {
    this.#lastError = { at: this.#clock.now(), reason }
    this.#quiet()
    this.#events.down(this.id, reason)
  }

  #unsolicited(news: Unsolicited): void {
    if (this.#inbound.unsolicited(news) || this.#calls.unsolicited(news) || this.#watch.unsolicited(news))
      return
    if (news.name === '+CPIN' && /^NOT/.test(news.value))
      this.#supervisor.fault({ code: 'sim-missing', text: 'The SIM was taken out' })
  }

  #quiet(): void {
    this.#watch.stop()
    this.#agenda.close()
    this.#inbound.stop()
  }
}
