/**
 * How a simulated modem hands messages and status reports to the TE: directly, or stored with an indication
 * (3GPP TS 27.005, 3.4.1), with acknowledgement where +CSMS says so (3.4.4). Uses one timer.
 */
import type { ShownPdu } from './deliver.ts'
import { type Device, stored } from './device.ts'

/** Indications kept while +CNMI mode 0 buffers them. */
const keptIndications = 64

export class Routing {
  readonly #device: Device
  readonly #giveBack: (kind: 'message' | 'report', shown: ShownPdu) => void
  readonly #buffered: string[] = []
  #outstanding: { kind: 'message' | 'report'; shown: ShownPdu; timer: NodeJS.Timeout } | undefined
  /** Set when a missing acknowledgement switched routing off, until +CNMI is set again. */
  #switchedOff = false

  constructor(device: Device, giveBack: (kind: 'message' | 'report', shown: ShownPdu) => void) {
    this.#device = device
    this.#giveBack = giveBack
  }

  /** @returns false when the message must wait in the network */
  takeMessage(shown: ShownPdu): boolean {
    const target = this.#device.settings.indications[1]
    const routed = target === 2 ? shown.class !== 2 : target === 3 && shown.class === 3
    if (routed) return this.#route('message', shown, `+CMT: ,${shown.length}\r\n${shown.pdu}`)
    return this.#store(shown, target === 0 ? undefined : '+CMTI')
  }

  takeReport(shown: ShownPdu): boolean {
    const target = this.#device.settings.indications[3]
    if (target === 0) return !this.#switchedOff
    if (target === 1) return this.#route('report', shown, `+CDS: ${shown.length}\r\n${shown.pdu}`)
    return this.#store(shown, '+CDSI')
  }

  /** @returns false when nothing was to be acknowledged */
  acknowledge(positive: boolean): boolean {
    const outstanding = this.#outstanding
    if (outstanding === undefined) return false
    clearTimeout(outstanding.timer)
    this.#outstanding = undefined
    if (!positive) this.#giveBack(outstanding.kind, outstanding.shown)
    return true
  }

  /** +CNMI was set: what mode 0 kept is shown or forgotten, as <bfr> says. */
  settingsChanged(): void {
    const [mode, messages, , reports, forget] = this.#device.settings.indications
    if (messages !== 0 || reports !== 0) this.#switchedOff = false
    if (mode === 0) return
    const kept = this.#buffered.splice(0)
    if (forget === 0) for (const text of kept) this.#device.unsolicited(text)
  }

  /** Power went or the SIM did: what was not acknowledged goes back to the network. */
  stop(): void {
    this.#buffered.length = 0
    this.#switchedOff = false
    this.acknowledge(false)
  }

  #route(kind: 'message' | 'report', shown: ShownPdu, text: string): boolean {
    if (this.#device.settings.service === 1) {
      if (this.#outstanding !== undefined) return false
      const timer = setTimeout(() => this.#unacknowledged(), this.#device.options.acknowledge)
      this.#outstanding = { kind, shown, timer }
    }
    this.#indicate(text)
    return true
  }

  #unacknowledged(): void {
    const { settings } = this.#device
    settings.indications = [settings.indications[0], 0, settings.indications[2], 0, settings.indications[4]]
    this.#switchedOff = true
    this.#device.violate(
      'acknowledgement-missing',
      `no AT+CNMA within ${this.#device.options.acknowledge} ms`,
    )
    this.acknowledge(false)
  }

  #store(shown: ShownPdu, indication: string | undefined): boolean {
    const { settings, stores } = this.#device
    const name = shown.class === 2 ? 'SM' : settings.stores[2]
    const store = stores[name]
    const index = store.add({
      state: stored.unread,
      pdu: shown.pdu,
      length: shown.length,
    })
    if (index === undefined) {
      this.#device.unsolicited(`^SMMEMFULL: "${name}"`)
      return false
    }
    if (indication !== undefined) this.#indicate(`${indication}: "${name}",${index}`)
    return true
  }

  #indicate(text: string): void {
    if (this.#device.settings.indications[0] !== 0) {
      this.#device.unsolicited(text)
      return
    }
    this.#buffered.push(text)
    if (this.#buffered.length > keptIndications) this.#buffered.shift()
  }
}
