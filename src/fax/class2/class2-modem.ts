/**
 * A fax modem of Class 2 or 2.0: it does T.30 by itself, we give it pages and take them (EIA PN-2388; ITU-T T.32).
 *
 * Error correction, where the modem lists it, is the modem's as well: pages go to it and come from it as without it.
 */
import type { FaxModem, FaxSettings } from '../contract.ts'
import type { ModemPort } from '../modem-port.ts'
import type { Class2Faults } from '../profile.ts'
import { type Abilities, type Class2, dialects, readAbilities } from './dialect.ts'
import { receiveCall } from './receiving.ts'
import { sendCall } from './sending.ts'
import { type Class2Calls, COMMAND_MS, isOk } from './session.ts'

/**
 * @param port of a modem in command mode, echo off
 * @param settings whatever is in force for all calls to come
 * @param faults what the modem lists and is not to be used for
 */
export function openClass2(
  port: ModemPort,
  settings: FaxSettings,
  dialect: Class2,
  faults: Class2Faults = {},
): FaxModem {
  let abilities: Abilities | undefined
  const calls = async (): Promise<Class2Calls | undefined> => {
    const reply = await port.command(`AT+FCLASS=${dialect}`, { within: COMMAND_MS })
    if (!isOk(reply)) return undefined
    abilities ??= spared(await askAbilities(port, settings, dialect), faults)
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

async function askAbilities(port: ModemPort, settings: FaxSettings, dialect: Class2): Promise<Abilities> {
  const reply = await port.command(`AT${dialects[dialect].capabilities}=?`, { within: COMMAND_MS })
  return readAbilities(reply.how === 'code' ? reply.lines.join('') : '', dialect, settings)
}

function spared({ coding, correction, maxRate }: Abilities, { mr, mmr, ecm }: Class2Faults): Abilities {
  const corrects = ecm ? 0 : correction
  const most = coding === 'MMR' && (mmr || corrects === 0) ? 'MR' : coding
  return { coding: most === 'MR' && mr ? 'MH' : most, correction: corrects, maxRate }
}
