/** What calls out and calls in over a Class 2 modem have in common: who we are, how a call is prepared and ended. */
import type { Reason } from '#messages/states.ts'
import type { FaxSettings } from '../contract.ts'
import type { ModemPort, Reply } from '../modem-port.ts'
import {
  type Abilities,
  type Class2,
  dialects,
  type Report,
  readReport,
  type Session,
  sessionText,
  wishFor,
} from './dialect.ts'

export const COMMAND_MS = 5_000
const HANG_UP_MS = 10_000

export const ending: Reason = { code: 'stopping', text: 'The call was ended here' }

export interface Class2Calls {
  readonly port: ModemPort
  readonly dialect: Class2
  readonly settings: FaxSettings
  /** What the modem says that it can, found out once; for this call less of it, where it refuses what it says. */
  abilities: Abilities
}

export const isOk = (reply: Reply): boolean => reply.how === 'code' && reply.code === 'OK'

/** What a reply says, however it ended. */
export const reportOf = (reply: Reply, dialect: Class2): Report =>
  reply.how === 'code' ? readReport(reply.lines, dialect) : { machine: false }

/** Who we are and what may be used, before a call. What a modem refuses of it is left as the modem has it. */
export async function prepareCall(calls: Class2Calls, resolution: 98 | 196): Promise<void> {
  const { port, dialect, settings } = calls
  const { station, capabilities, bitOrder } = dialects[dialect]
  const tell = (command: string) => port.command(`AT${command}`, { within: COMMAND_MS })
  const offer = () => tell(`${capabilities}=${sessionText(wishFor(calls.abilities, undefined, resolution))}`)
  await tell(`${station}="${settings.station}"`)
  if (!isOk(await offer())) {
    // Some list MR, or more, and take MH alone.
    calls.abilities = { ...calls.abilities, coding: 'MH', correction: 0 }
    await offer()
  }
  await tell(bitOrder)
  // T.32, 8.5.1.12: without +FNR a Class 2.0 modem reports nothing of what it agrees with the other end. Non-standard
  // frames are of no use here, and some Sportsters stumble over reporting them.
  if (dialect === '2.0') await tell('+FNR=1,1,1,0')
}

/** A partial page of T.30, Annex A: 256 frames of 256 octets. */
const PARTIAL_PAGE_BITS = 256 * 256 * 8
/** It is sent once and asked for again three times before the speed is changed (T.30, A.4.3). */
const TURNS = 4

/** How long a modem that corrects errors may say nothing beyond what it does without them: its buffer is a partial page. */
export const correctionMs = (session: Pick<Session, 'ecm' | 'rate'> | undefined): number =>
  session?.ecm ? Math.ceil((TURNS * PARTIAL_PAGE_BITS * 1_000) / session.rate) : 0

/** On hook and back in command mode, whatever the modem was doing. */
export async function hangUp(port: ModemPort): Promise<void> {
  if (port.closed) return
  const reply = await port.command('ATH', { within: HANG_UP_MS })
  if (!isOk(reply)) {
    await port.resync()
    await port.command('ATH', { within: HANG_UP_MS })
  }
  await port.command('AT+FCLASS=0', { within: COMMAND_MS })
}

/** Ends the wait that is under way when someone ends the call. */
export function onAbort(port: ModemPort, signal: AbortSignal): Disposable {
  const interrupt = () => port.interrupt()
  signal.addEventListener('abort', interrupt)
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) }
}
