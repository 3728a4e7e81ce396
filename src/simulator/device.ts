/**
 * What a simulated modem remembers: settings, SIM, message stores. Commands work on a Device; the modem
 * itself (modem.ts) keeps bytes, time and wires. No I/O here.
 */
import type { ModemOptions } from './options.ts'

/** Lost at every reset, ATZ and AT&F. */
export interface Settings {
  echo: boolean
  verbose: boolean
  quiet: boolean
  /** +CMEE: 0 ERROR, 1 numbers, 2 words (3GPP TS 27.007, 9.1). */
  errors: number
  /** +CNMI: mode, mt, bm, ds, bfr (3GPP TS 27.005, 3.4.1). */
  indications: [number, number, number, number, number]
  /** +CSMS: 1 means that routed messages want +CNMA. */
  service: number
  registrationReports: Record<RegistrationName, number>
  callerNumber: boolean
  characterSet: string
  /** +CPMS: what is read, what is written to, what receives. */
  stores: [StoreName, StoreName, StoreName]
  moreMessages: number
  smsOver: number
  registers: Map<number, number>
}

export type RegistrationName = '+CREG' | '+CGREG' | '+CEREG'
export type StoreName = 'SM' | 'ME'

export function freshSettings(): Settings {
  return {
    echo: true,
    verbose: true,
    quiet: false,
    errors: 0,
    indications: [0, 0, 0, 0, 0],
    service: 0,
    registrationReports: { '+CREG': 0, '+CGREG': 0, '+CEREG': 0 },
    callerNumber: false,
    characterSet: 'IRA',
    stores: ['SM', 'SM', 'SM'],
    moreMessages: 0,
    smsOver: 3,
    registers: new Map([
      [0, 0],
      [3, 13],
      [4, 10],
      [5, 8],
    ]),
  }
}

/** Lives as long as the card: a reset of the modem asks for the PIN again but gives no attempt back. */
export class SimCard {
  present: boolean
  pin: string
  puk: string
  pinTries: number
  pukTries = 10
  unlocked: boolean
  smsc: string
  /** How often a PIN was tried, right or wrong. */
  attempts = 0

  constructor(options: ModemOptions) {
    this.present = options.sim === 'present'
    this.pin = options.pin
    this.puk = options.puk
    this.pinTries = options.pinTries
    this.smsc = options.smsc
    this.unlocked = this.pin === '' && this.pinTries > 0
  }

  state(): 'READY' | 'SIM PIN' | 'SIM PUK' | 'absent' | 'broken' {
    if (!this.present) return 'absent'
    if (this.pukTries === 0) return 'broken'
    if (this.pinTries === 0) return 'SIM PUK'
    return this.unlocked ? 'READY' : 'SIM PIN'
  }

  powerUp(): void {
    this.unlocked = this.pin === ''
  }

  enterPin(pin: string): boolean {
    this.attempts++
    if (pin !== this.pin) {
      this.pinTries--
      return false
    }
    this.pinTries = 3
    this.unlocked = true
    return true
  }

  enterPuk(puk: string, newPin: string): boolean {
    if (puk !== this.puk) {
      this.pukTries--
      return false
    }
    this.pukTries = 10
    this.pinTries = 3
    this.pin = newPin
    this.unlocked = true
    return true
  }
}

/** <stat> of a stored message (3GPP TS 27.005, 3.1). */
export const stored = { unread: 0, read: 1, unsent: 2, sent: 3 } as const

export interface StoredMessage {
  state: number
  pdu: string
  length: number
}

export class MessageStore {
  capacity: number
  readonly slots = new Map<number, StoredMessage>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** @returns the index, from 1, or undefined when the store is full */
  add(message: StoredMessage): number | undefined {
    if (this.slots.size >= this.capacity) return undefined
    let index = 1
    while (this.slots.has(index)) index++
    this.slots.set(index, message)
    return index
  }

  inOrder(): [number, StoredMessage][] {
    return [...this.slots].sort(([left], [right]) => left - right)
  }
}

/** What a command may see and do. */
export interface Device {
  readonly options: ModemOptions
  settings: Settings
  readonly sim: SimCard
  readonly stores: Record<StoreName, MessageStore>
  /** <stat> of +CREG as it is now. */
  registration(): number
  /** +CFUN: 1 full, 0 and 4 off the air. */
  functionality: number
  /** Runs after the final result of the command line was written. */
  afterwards(act: () => void): void
  unsolicited(text: string): void
  violate(rule: string, detail: string): void
  /** The SIM was unlocked or functionality changed: tell the TE and the network. */
  airChanged(): void
  /** Restart as after power up. */
  reset(): void
  /** Room was made in a store, or routing was switched on. */
  resume(): void
  /** @returns false when nothing waits for an acknowledgement */
  acknowledge(positive: boolean): boolean
  endCall(): void
  /** @returns false when nobody rings */
  answerCall(): boolean
}
