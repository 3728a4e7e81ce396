/**
 * A simulated GSM modem: what it is (power, SIM, stores, registration) and every fault that can be played on it.
 * The talk with the TE is dialogue.ts. All methods may be called at any moment. Uses timers; no files, no sockets.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '#core/clock.ts'
import { Chance } from './chance.ts'
import { registrationText } from './commands-general.ts'
import type { ShownPdu } from './deliver.ts'
import { encodeDeliver } from './deliver.ts'
import { type Device, freshSettings, MessageStore, SimCard, type StoreName, stored } from './device.ts'
import { Dialogue, type InFlight } from './dialogue.ts'
import { SimulatedNetwork, type Subscriber } from './network.ts'
import { type ModemOptions, type OptionProblem, setOption } from './options.ts'
import { Output, type Place, type Wire } from './output.ts'
import { Routing } from './routing.ts'
import { connectWire, deadWire } from './wire.ts'

export class SimulatedModem implements Device, Subscriber {
  readonly name: string
  readonly options: ModemOptions
  readonly network: SimulatedNetwork
  settings = freshSettings()
  readonly sim: SimCard
  readonly stores: Record<StoreName, MessageStore>
  functionality = 1
  /** Told when the modem is unplugged (false) and plugged in (true). */
  readonly onPlug = new Set<(plugged: boolean) => void>()

  readonly #output = new Output()
  readonly #routing: Routing
  readonly #dialogue: Dialogue
  #stopped = false
  #power: 'off' | 'booting' | 'on' = 'on'
  #muted = false
  #powerTimer: NodeJS.Timeout | undefined
  #muteTimer: NodeJS.Timeout | undefined
  #call:
    | {
        from: string
        ringsLeft: number
        answered: boolean
        timer: NodeJS.Timeout | undefined
      }
    | undefined

  /**
   * It is on and registered from the start, as after a long uptime.
   * @param clock wall time for the time stamps of a network of its own
   * @param network the network to join; without one the modem has its own
   * @param name how the network's records call it
   */
  constructor(options: ModemOptions, clock?: Clock, network?: SimulatedNetwork, name = 'line0') {
    this.name = name
    this.options = options
    this.network = network ?? new SimulatedNetwork(clock === undefined ? undefined : () => clock.now())
    this.sim = new SimCard(options)
    this.stores = {
      SM: new MessageStore(options.sm),
      ME: new MessageStore(options.me),
    }
    this.#routing = new Routing(this, (kind, shown) => this.network.giveBack(this, kind, shown))
    this.#dialogue = new Dialogue(this, this.network, this.#output, new Chance(options.seed))
    this.#output.split = options.split
    this.fill('SM', options.smUsed)
    this.fill('ME', options.meUsed)
    this.network.join(this)
  }

  /** One end of a cable, for a port in this process. It fails with ENOENT when the modem is unplugged. */
  connect(): Duplex {
    if (this.#power === 'off') return deadWire(this.name)
    const { duplex, wire } = connectWire(
      (bytes) => this.receive(bytes),
      () => this.detach(wire),
    )
    this.attach(wire)
    return duplex
  }

  attach(wire: Wire): void {
    this.#output.wires.add(wire)
  }

  detach(wire: Wire): void {
    this.#output.wires.delete(wire)
  }

  get plugged(): boolean {
    return this.#power !== 'off'
  }

  /** Takes what the TE wrote. A modem that is mute or starting does not hear it. */
  receive(bytes: Buffer): void {
    if (this.#power === 'on' && !this.#muted) this.#dialogue.receive(bytes.toString('latin1'))
    else this.#dialogue.deaf()
  }

  // Device: what commands see.

  registration(): number {
    if (this.functionality !== 1 || this.sim.state() !== 'READY') return 0
    return this.options.registration
  }

  afterwards(act: () => void): void {
    this.#dialogue.afterwards(act)
  }

  unsolicited(text: string): void {
    if (this.#power === 'on' && !this.#muted) this.#dialogue.unsolicited(text)
  }

  violate(rule: string, detail: string): void {
    const at = Number(process.hrtime.bigint())
    this.network.violate({
      modem: this.name,
      at,
      rule,
      detail: detail.slice(0, 200),
    })
  }

  airChanged(): void {
    for (const name of ['+CREG', '+CGREG', '+CEREG'] as const) {
      const mode = this.settings.registrationReports[name]
      if (mode > 0) this.unsolicited(`${name}: ${registrationText(this, mode)}`)
    }
    this.network.resume(this)
  }

  resume(): void {
    this.#routing.settingsChanged()
    this.network.resume(this)
  }

  acknowledge(positive: boolean): boolean {
    return this.#routing.acknowledge(positive)
  }

  endCall(): void {
    clearTimeout(this.#call?.timer)
    this.#call = undefined
  }

  answerCall(): boolean {
    if (this.#call === undefined || this.#call.answered) return false
    clearTimeout(this.#call.timer)
    this.#call.answered = true
    return true
  }

  // Subscriber: what the network sees.

  reachable(): boolean {
    const stat = this.registration()
    return this.#power === 'on' && !this.#muted && (stat === 1 || stat === 5)
  }

  takeMessage(shown: ShownPdu): boolean {
    return this.#routing.takeMessage(shown)
  }

  takeReport(shown: ShownPdu): boolean {
    return this.#routing.takeReport(shown)
  }

  takeCall(from: string, rings: number): void {
    if (!this.reachable() || this.#call !== undefined) return
    this.#call = { from, ringsLeft: rings, answered: false, timer: undefined }
    this.#ring()
  }

  /** The caller puts the receiver down. */
  callerEnds(): void {
    if (this.#call?.answered === true) this.unsolicited('NO CARRIER')
    this.endCall()
  }

  /** True while somebody rings or talks. */
  get inCall(): boolean {
    return this.#call !== undefined
  }

  #ring(): void {
    const call = this.#call
    if (call === undefined) return
    if (call.ringsLeft-- === 0) {
      this.callerEnds()
      return
    }
    this.unsolicited('RING')
    const type = call.from.startsWith('+') ? 145 : 129
    if (this.settings.callerNumber) this.unsolicited(`+CLIP: "${call.from}",${type},,,,0`)
    call.timer = setTimeout(() => this.#ring(), this.options.ring)
  }

  // Faults and other events from outside.

  /** Changes an option while the modem runs. @returns what is wrong with it, undefined when it was set */
  set(name: string, value: string): OptionProblem | undefined {
    const { registration, errors } = this.options
    const problem = setOption(this.options, name, value)
    if (problem !== undefined) return problem
    this.#output.split = this.options.split
    this.stores.SM.capacity = this.options.sm
    this.stores.ME.capacity = this.options.me
    if (this.options.smsc !== this.sim.smsc && name === 'smsc') this.sim.smsc = this.options.smsc
    if (this.options.errors !== errors) {
      this.network.heal(this.name)
      this.network.join(this)
    }
    if (this.options.registration !== registration) this.airChanged()
    return undefined
  }

  /** Restart with the lines that a modem shows at boot; settings are gone, stores and SIM stay. */
  reset(inFlight: InFlight = 'lost'): void {
    if (this.#power === 'off') return
    this.#powerDown(inFlight)
    this.#powerUp()
  }

  /** Pulls the USB plug: the device disappears, the modem has no power. @param forMs until it is plugged in again */
  unplug(inFlight: InFlight = 'lost', forMs?: number): void {
    if (this.#power === 'off') return
    this.#powerDown(inFlight)
    if (forMs !== undefined) this.#powerTimer = setTimeout(() => this.plug(), forMs)
    this.#power = 'off'
    for (const tell of this.onPlug) tell(false)
    for (const wire of [...this.#output.wires]) wire.cut()
    this.#output.wires.clear()
  }

  plug(): void {
    if (this.#power !== 'off' || this.#stopped) return
    this.#powerUp()
    for (const tell of this.onPlug) tell(true)
  }

  /** Neither hears nor says anything. @param forMs until it does again; without it until unmute() */
  mute(forMs?: number, inFlight: InFlight = 'lost'): void {
    this.#dialogue.interrupt(inFlight)
    this.#muted = true
    clearTimeout(this.#muteTimer)
    if (forMs !== undefined) this.#muteTimer = setTimeout(() => this.unmute(), forMs)
  }

  /** Hears and speaks again, with the settings that it had. */
  unmute(): void {
    clearTimeout(this.#muteTimer)
    if (!this.#muted) return
    this.#muted = false
    this.network.resume(this)
  }

  removeSim(): void {
    this.sim.present = false
    this.#routing.stop()
    this.unsolicited('+CPIN: NOT INSERTED')
    this.airChanged()
  }

  insertSim(): void {
    this.sim.present = true
    this.sim.powerUp()
    this.#announceSim()
    this.airChanged()
  }

  /** Puts read messages into a store. */
  fill(name: StoreName, count: number): void {
    const [shown] = encodeDeliver({ from: '+491700000009', text: 'kept' }, this.options.smsc, 0)
    if (shown === undefined) return
    for (let left = count; left > 0; left--) {
      if (
        this.stores[name].add({
          state: stored.read,
          pdu: shown.pdu,
          length: shown.length,
        }) === undefined
      )
        return
    }
  }

  empty(name: StoreName): void {
    this.stores[name].slots.clear()
    this.network.resume(this)
  }

  /** What a person at the control port wants to know. */
  state() {
    return {
      power: this.#power,
      mute: this.#muted,
      sim: this.sim.state(),
      pinTries: this.sim.pinTries,
      pinAttempts: this.sim.attempts,
      registration: this.registration(),
      indications: this.settings.indications,
      service: this.settings.service,
      stores: { SM: this.stores.SM.slots.size, ME: this.stores.ME.slots.size },
      waiting: this.network.waiting(this.name),
      ringing: this.inCall,
    }
  }

  /** Puts raw characters, such as unsolicited lines or garbage, between what the modem says. */
  disturb(text: string, place: Place = 'now', times = 1): void {
    if (this.#power === 'on' && !this.#muted) this.#output.disturb(text, place, times)
  }

  /** @param command such as `+CSQ` @param answer as written by the modem; empty means that it never answers */
  failCommand(command: string, answer: string, times = 1): void {
    this.#dialogue.fail(command, answer, times)
  }

  /** The network takes the next submissions, but the answer never comes. */
  loseAnswers(times = 1): void {
    this.#dialogue.loseAnswers(times)
  }

  /** Ends everything: timers, wires, membership. */
  stop(): void {
    this.#stopped = true
    this.#powerDown('lost')
    this.#power = 'off'
    for (const wire of [...this.#output.wires]) wire.cut()
    this.network.leave(this)
  }

  #powerDown(inFlight: InFlight): void {
    clearTimeout(this.#powerTimer)
    clearTimeout(this.#muteTimer)
    this.#muted = false
    this.#power = 'booting'
    this.#dialogue.interrupt(inFlight)
    this.#routing.stop()
    this.endCall()
    this.settings = freshSettings()
    this.functionality = 1
    this.sim.powerUp()
  }

  #powerUp(): void {
    clearTimeout(this.#powerTimer)
    this.#power = 'booting'
    this.#powerTimer = setTimeout(() => {
      this.#power = 'on'
      this.unsolicited('RDY')
      this.unsolicited('+CFUN: 1')
      this.#announceSim()
      this.network.resume(this)
    }, this.options.boot)
  }

  #announceSim(): void {
    const state = this.sim.state()
    this.unsolicited(`+CPIN: ${state === 'absent' || state === 'broken' ? 'NOT INSERTED' : state}`)
    if (state === 'READY') this.unsolicited('SMS READY')
  }
}
