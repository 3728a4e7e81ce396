/** What calls out and calls in over a Class 2 modem have in common: who we are, how a call is prepared and ended. */
import type { Reason } from '#messages/states.ts'
import type { FaxSettings } from '../contract.ts'
import type { ModemPort, Reply } from '../modem-port.ts'
import type { Rate } from '../t30/modulation.ts'
import { type Class2, dialects, type Report, readReport, sessionText } from './dialect.ts'

export const COMMAND_MS = 5_000
const HANG_UP_MS = 10_000

export const ending: Reason = { code: 'stopping', text: 'The call was ended here' }

/** What a modem understands of its class, found out once. */
export interface Abilities {
  /** It takes and gives MR. */
  twoDimensional: boolean
  maxRate: Rate
}

export interface Class2Calls {
  readonly port: ModemPort
  readonly dialect: Class2
  readonly settings: FaxSettings
  readonly abilities: Abilities
}

export const isOk = (reply: Reply): boolean => reply.how === 'code' && reply.code === 'OK'

/** What a reply says, however it ended. */
export const reportOf = (reply: Reply, dialect: Class2): Report =>
  reply.how === 'code' ? readReport(reply.lines, dialect) : { machine: false }

/** Who we are and what may be used, before a call. What a modem refuses of it is left as the modem has it. */
export async function prepareCall(
  { port, dialect, settings, abilities }: Class2Calls,
  resolution: 98 | 196,
): Promise<void> {
  const { station, capabilities, bitOrder } = dialects[dialect]
  const coding = abilities.twoDimensional ? 'MR' : 'MH'
  const text = sessionText(resolution, abilities.maxRate, coding)
  const commands = [`AT${station}="${settings.station}"`, `AT${capabilities}=${text}`, `AT${bitOrder}`]
  // T.32, 8.5.1.12: without +FNR a Class 2.0 modem reports nothing of what it agrees with the other end.
  if (dialect === '2.0') commands.push('AT+FNR=1,1,1,1')
  for (const command of commands) await port.command(command, { within: COMMAND_MS })
}

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
