/** A line whose modem is a function: real enough for the loop, which knows lines by their contract only. */
import type { Line, LineStatus, Transmission } from '#lines/contract.ts'
import type { Outcome } from '#messages/outcome.ts'

export type Script = (transmission: Transmission, line: string) => Promise<Outcome>

export const reason = { code: 'scripted', text: 'The script says so.' }
const progress = { confirmed: 0 }
export const refused = (scope: 'number' | 'line' | 'network', permanent = false): Outcome => ({
  result: 'refused',
  scope,
  permanent,
  reason,
  progress,
})

/** What the network of the tests got: one entry per part that passed the irrevocable point. */
export interface Sent {
  line: string
  to: string
  text: string
  part: number
  priority: number
}

/** Sends every part as a driver would: intent, last question, network time, confirmation. */
export async function sendParts(
  t: Transmission,
  line: string,
  sent: Sent[],
  network: (part: number) => Promise<unknown> = async () => {},
): Promise<Outcome> {
  for (let part = t.from; part < t.delivery.parts; part++) {
    if (part > t.from && t.yield()) {
      return {
        result: 'notSent',
        reason: { code: 'yielded', text: 'Something more urgent goes first.' },
        progress,
      }
    }
    try {
      await t.intend(part)
    } catch {
      return { result: 'notSent', reason, progress }
    }
    const stop = t.stop()
    if (stop) return { result: 'notSent', reason: stop, progress }
    sent.push({ line, to: t.delivery.to, text: t.message.text, part, priority: t.delivery.priority })
    await network(part)
    if (part < t.delivery.parts - 1) t.confirmed(part, part)
    else t.accepted(part)
  }
  return { result: 'accepted', progress }
}

export class ScriptedLine implements Line {
  readonly id: string
  /** By its name: fax0, fax1 … are fax lines. */
  readonly channel: 'sms' | 'fax'
  readonly #script: Script
  #busy = false

  constructor(id: string, script: Script) {
    this.id = id
    this.channel = id.startsWith('fax') ? 'fax' : 'sms'
    this.#script = script
  }

  status(): LineStatus {
    return {
      id: this.id,
      kind: this.channel === 'fax' ? 'fax' : 'gsm',
      channel: this.channel,
      state: 'ready',
      busy: this.#busy,
      port: 'scripted',
      recoveries: 0,
    }
  }

  free(): boolean {
    return !this.#busy
  }

  async transmit(transmission: Transmission): Promise<Outcome> {
    if (this.#busy) throw new Error(`${this.id} was given two transmissions at once`)
    this.#busy = true
    try {
      return await this.#script(transmission, this.id)
    } finally {
      this.#busy = false
    }
  }

  start(): void {}
  restart(): void {}
  disable(): void {}
  enable(): void {}
  wake(): void {}
  rest(): void {}
  async stop(): Promise<void> {}
}
