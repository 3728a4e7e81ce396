/** What a line knows of its modem, SIM and network; shown in the line's status. Plain data, one owner: gsm-line.ts. */
import type { Profile } from '#lines/profile.ts'
import type { Registration } from './gsm-commands.ts'

export interface Modem {
  profile: Profile
  /** It leaves commands that it does not know unanswered. */
  mute: boolean
  manufacturer: string
  model: string
  revision: string
  imei: string
  simState: string
  iccid: string
  imsi: string
  smsc: string
  /** By the command that reports it: circuit-switched, packet, LTE. */
  registrations: Map<string, Registration>
  operator: string
  technology: string
  signal: number | undefined
  /** Status reports and messages that come straight through must be acknowledged with +CNMA. */
  acknowledging: boolean
  /** The memory that +CMGR and +CMGD act on, as far as known. */
  memory: string | undefined
}

export const unknownModem = (profile: Profile): Modem => ({
  profile,
  mute: false,
  manufacturer: '',
  model: '',
  revision: '',
  imei: '',
  simState: '',
  iccid: '',
  imsi: '',
  smsc: '',
  registrations: new Map(),
  operator: '',
  technology: '',
  signal: undefined,
  acknowledging: false,
  memory: undefined,
})

/** Enough for an answer that is there at once; more would be lost some thirty times before such a modem is ready. */
const MUTE_MS = 500

/** How long the answer to a short command is waited for, ms. */
export const patience = ({ mute, profile }: Modem): number =>
  mute ? Math.min(MUTE_MS, profile.timeouts.command) : profile.timeouts.command

export const registrationCommands = ['+CREG', '+CEREG', '+CGREG'] as const

/**
 * A modem that tells of no network at all (a simulator, an odd modem) is taken to have one; otherwise any of the
 * networks will do, because a modem on LTE alone may say 0 to +CREG.
 */
export function networkOf(modem: Modem): Registration {
  const all = registrationCommands.flatMap((name) => modem.registrations.get(name) ?? [])
  const best = all.find(({ registered }) => registered) ?? all[0]
  return best ?? { registered: true, registration: 'not reported', technology: '' }
}
