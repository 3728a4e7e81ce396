/**
 * A fax modem of Class 2 or 2.0: it does T.30 by itself, we give it pages and take them (EIA PN-2388; ITU-T T.32).
 *
 * Error correction is left off: Class 2 modems that claim it differ in what they want to be sent with it.
 */
import type { FaxModem, FaxSettings } from '../contract.ts'
import type { ModemPort } from '../modem-port.ts'
import { type Class2, dialects } from './dialect.ts'
import { receiveCall } from './receiving.ts'
import { sendCall } from './sending.ts'
import { type Abilities, type Class2Calls, COMMAND_MS, isOk } from './session.ts'

/**
 * @param port of a modem in command mode, echo off
 * @param settings whatever is in force for all calls to come
 */
export function openClass2(port: ModemPort, settings: FaxSettings, dialect: Class2): FaxModem {
  let abilities: Abilities | undefined
  const calls = async (): Promise<Class2Calls | undefined> => {
    const reply = await port.command(`AT+FCLASS=${dialect}`, { within: COMMAND_MS })
    if (!isOk(reply)) return undefined
    abilities ??= await askAbilities(port, settings, dialect)
    return { port, dialect, settings, abilities }
  }
  return {
    class: dialect,
    call: async (out, events, signal) => {
      const ready = await calls()
      if (ready) return sendCall(ready, out, events, signal)
      const text = `the modem does not take Class ${dialect} commands`
      return { result: 'failed', failure: 'fax-modem', text, confirmed: out.from, facts: {} }
    },
    answer: async (events, signal) => {
      const ready = await calls()
      if (ready) return receiveCall(ready, events, signal)
      return { result: 'no-fax', text: `the modem does not take Class ${dialect} commands` }
    },
  }
}

/** `+FDCC=?`: lists in parentheses; the fifth is the coding, e.g. `(0,1)` or `(0-3)`. */
async function askAbilities(port: ModemPort, settings: FaxSettings, dialect: Class2): Promise<Abilities> {
  const { capabilities } = dialects[dialect]
  const reply = await port.command(`AT${capabilities}=?`, { within: COMMAND_MS })
  const lists = reply.how === 'code' ? (reply.lines.join('').match(/\([^)]*\)/g) ?? []) : []
  const coding = lists[4] ?? ''
  return { twoDimensional: /1|0-[123]/.test(coding), maxRate: settings.maxRate }
}
