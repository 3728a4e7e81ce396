/**
 * The mobile network of the laboratory: one modem a member on ptys, different SIMs, and one record of what reached a
 * phone. It lives in the stage, so that modems survive their boxes as real ones do.
 */
import { join } from 'node:path'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { servePty } from '#simulator/serve.ts'
import type { MemberName } from './contract.ts'

export class Phones {
  readonly #network = new SimulatedNetwork()
  #lines = 0

  /** @returns the address of the member's modem, for its configuration */
  async modem(member: MemberName, directory: string, networkTime: string): Promise<string> {
    const options = parseModemOptions({ network: networkTime, prompt: '0-5', reports: 'none' }, this.#lines++)
    if (isProblem(options)) throw new Error(options.problem)
    const modem = new SimulatedModem(options, undefined, this.#network, member)
    return (await servePty(modem, join(directory, 'modems', member))).address
  }

  /** How many copies of a single-part message reached this number. */
  copies(to: string): number {
    return this.#network.submissions.filter((one) => one.delivered && one.to === to).length
  }

  /** When a member's modem got its first AT+CMGS at or after `at`; ms of the monotonic clock. */
  firstSending(member: string, at: number): number | undefined {
    return this.#network.submissions
      .filter(({ modem, commandAt }) => modem === member && commandAt / 1e6 >= at)
      .map(({ commandAt }) => commandAt / 1e6)
      .at(0)
  }
}
