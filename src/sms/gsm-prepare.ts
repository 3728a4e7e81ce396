/**
 * Makes a modem ready to send and receive short messages, from whatever state it is in.
 *
 * Only AT, ATE0, AT+CMGF=0 and (later) AT+CMGS are essential. Any other command may answer ERROR or nothing: odd modems
 * and simulators are lived with, and what they do not tell is shown as unknown. Each run does everything anew, because
 * a modem that restarted has forgotten it.
 *
 * Rests on 3GPP TS 27.007 (identity 5, SIM 8.3, network 7.2, 7.3) and 27.005 (3.2 to 3.4).
 */
import type { Log } from '#core/log.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import type { LineMemory } from '#lines/contract.ts'
import type { Profiles } from '#lines/profile.ts'
import type { Prepared } from '#lines/supervisor.ts'
import type { Reason } from '#messages/states.ts'
import {
  type Ask,
  asker,
  iccidOf,
  isRegistrationAnswer,
  lineOf,
  operatorOf,
  registrationOf,
  signalOf,
  simState,
  smscOf,
  textOf,
} from './gsm-commands.ts'
import { type Modem, networkOf, patience, registrationCommands } from './gsm-modem.ts'
import { confirmPin, unlock } from './gsm-pin.ts'

/** How long a modem may stay silent at first; whatever lasts longer is the recovery ladder's business. */
const HELLO_MS = 1_800

const muteText =
  'The modem does not answer commands that it does not know; getting ready takes up to half a minute, and little is known of it'

export interface Preparation {
  channel: AtChannel
  signal: AbortSignal
  /** Filled in as the modem tells. */
  modem: Modem
  memory: LineMemory
  profiles: Profiles
  log: Log
  settings: { profile?: string; pin?: string; smsc?: string; imei?: string }
  /** The modem is known; from here on its profile is in force. */
  identified: () => void
}

const notYet = (code: string, text: string, limitMs: number): Prepared => ({
  result: 'notYet',
  reason: { code, text },
  limitMs,
})
const blocked = (code: string, text: string): Prepared => ({
  result: 'blocked',
  reason: { code, text },
})

/** Never rejects for anything that the modem does; store failures of LineMemory reject. */
export async function prepareModem(preparation: Preparation): Promise<Prepared> {
  const { channel, modem, settings, signal } = preparation
  if (!(await channel.resync(HELLO_MS))) return { result: 'silent' }
  const ask = asker(channel, () => patience(modem))
  modem.mute = false
  if ((await ask('ATE0')).result === 'lost') return { result: 'silent' }
  modem.mute = channel.ignoring
  if (modem.mute) preparation.log.warn({}, muteText)
  await ask('AT+CMEE=1')
  await identify(ask, preparation)
  if (signal.aborted) return { result: 'silent' }
  if (settings.imei !== undefined && modem.imei !== settings.imei) {
    const text = `This line is bound to the modem ${settings.imei}, and here is ${modem.imei || 'one without an IMEI'}`
    return { result: 'other-modem', reason: { code: 'other-modem', text } }
  }
  preparation.identified()
  for (const { command, required } of modem.profile.init) {
    const answer = await ask(command)
    if (answer.result === 'ok') continue
    preparation.log.info({ command }, 'The modem did not take a setting of its profile')
    if (required) return fault('init-refused', `The modem refused ${command}, which its profile requires`)
  }
  const sim = await openSim(ask, preparation)
  if (sim) return sim
  if (signal.aborted) return { result: 'silent' }
  const format = await ask('AT+CMGF=0', { timeoutMs: modem.profile.timeouts.command })
  if (format.result === 'error') {
    return notYet('pdu-mode-refused', 'The modem does not take PDU mode yet', modem.profile.timeouts.boot)
  }
  if (format.result !== 'ok') return { result: 'silent' }
  await assertServiceCentre(ask, preparation)
  await signalMessages(ask, modem, modem.profile.quirks.acknowledge)
  await ask('AT+CLIP=1')
  await lookAtNetwork(ask, modem)
  if (signal.aborted) return { result: 'silent' }
  // The last question may have gone unanswered by a modem that does answer.
  if (!channel.inStep && !(await channel.resync(HELLO_MS))) return { result: 'silent' }
  return networkOf(modem).registered
    ? { result: 'ready', known: { profile: modem.profile.name } }
    : { ...notRegistered(modem), limitMs: modem.profile.timeouts.network }
}

export function notRegistered(modem: Modem): {
  result: 'notYet'
  reason: Reason
} {
  const { registration } = networkOf(modem)
  return {
    result: 'notYet',
    reason: { code: 'not-registered', text: `No network: ${registration}` },
  }
}

const fault = (code: string, text: string): Prepared => ({
  result: 'fault',
  reason: { code, text },
})

async function identify(ask: Ask, { modem, profiles, settings, log }: Preparation): Promise<void> {
  const manufacturer = await ask('AT+CGMI')
  if (manufacturer.result === 'timeout' && !modem.mute) {
    modem.mute = true
    log.warn({}, muteText)
  }
  modem.manufacturer = textOf(manufacturer)
  if (manufacturer.result !== 'timeout') {
    modem.model = textOf(await ask('AT+CGMM'))
    modem.revision = textOf(await ask('AT+CGMR')).replace(/^Revision:\s*/i, '')
  }
  modem.imei = /\d{14,16}/.exec(textOf(await ask('AT+CGSN')))?.[0] ?? ''
  const named = settings.profile === undefined ? undefined : profiles.named(settings.profile)
  modem.profile = named ?? profiles.matching(modem.manufacturer, modem.model)
}

/** @returns what stands in the way, or undefined when the SIM can be used */
async function openSim(ask: Ask, preparation: Preparation): Promise<Prepared | undefined> {
  const { modem, memory, settings } = preparation
  modem.iccid = iccidOf(await ask(modem.profile.queries.iccid))
  // Before the PIN some SIMs hide their ICCID; the attempt is kept under the name that was known then.
  const sim = simName(modem)
  let state = await simState(ask)
  if (state === 'SIM PIN') {
    modem.simState = state
    const unlocking = await unlock({
      ask,
      memory,
      sim,
      pin: settings.pin,
      retriesQuery: modem.profile.queries.pinRetries,
    })
    if (unlocking.result === 'blocked') return unlocking
    if (unlocking.result === 'interrupted') return { result: 'silent' }
    state = await simState(ask)
  }
  modem.simState = state
  if (/PUK/.test(state)) return blocked('puk-wanted', 'The SIM is locked and wants its PUK')
  if (state === 'absent') return blocked('sim-missing', 'There is no SIM in the modem')
  if (state === 'failure') return blocked('sim-failure', 'The modem cannot read its SIM')
  if (state === 'busy') return notYet('sim-starting', 'The SIM is starting', modem.profile.timeouts.boot)
  if (state !== 'READY' && state !== '') return blocked('sim-locked', `The modem wants a code: ${state}`)
  if (modem.iccid === '' && !modem.mute) modem.iccid = iccidOf(await ask(modem.profile.queries.iccid))
  await confirmPin(memory, sim)
  modem.imsi = /\d{6,15}/.exec(textOf(await ask('AT+CIMI')))?.[0] ?? ''
  return undefined
}

/** What a SIM's facts are remembered under. A SIM that hides its ICCID behind the PIN is known by its modem. */
export const simName = (modem: Modem): string => modem.iccid || `in-${modem.imei || 'unknown'}`

/**
 * The service centre's number gets lost on some modems. What was once known for a SIM is written back; only the
 * configuration changes it.
 */
export async function assertServiceCentre(
  ask: Ask,
  { modem, memory, settings, log }: Pick<Preparation, 'modem' | 'memory' | 'settings' | 'log'>,
): Promise<void> {
  const answer = await ask('AT+CSCA?')
  if (answer.result !== 'ok') return
  const present = smscOf(answer)
  const name = `sim/${simName(modem)}/smsc`
  const wanted = settings.smsc ?? (await memory.recall(name)) ?? present
  modem.smsc = present
  if (wanted === '') {
    log.warn({}, 'The SIM has no service centre number; set `smsc` for this line')
    return
  }
  if (present !== wanted) {
    log.warn({}, 'The service centre number was lost or changed and is written back')
    const type = wanted.startsWith('+') ? 145 : 129
    const written = await ask(`AT+CSCA="${wanted}",${type}`)
    if (written.result === 'ok') modem.smsc = wanted
  }
  if ((await memory.recall(name)) !== wanted) await memory.remember(name, wanted)
}

/** Ways to signal that keep messages in the modem until they are deleted, the best first. */
const keepingWays = ['AT+CNMI=2,1,0,1,0', 'AT+CNMI=2,1,0,2,0', 'AT+CNMI=2,1,0,0,0', 'AT+CNMI=1,1']

/**
 * How messages and reports are signalled: the profile's way, or the next best that the modem takes.
 * @param acknowledge with +CNMA; without it only what the modem keeps is safe until it is durable here
 */
export async function signalMessages(ask: Ask, modem: Modem, acknowledge: boolean): Promise<void> {
  const service = await ask(`AT+CSMS=${acknowledge ? 1 : 0}`)
  modem.acknowledging = acknowledge && service.result === 'ok'
  const { indications, quirks } = modem.profile
  const ways = acknowledge === quirks.acknowledge ? [indications, ...keepingWays] : keepingWays
  for (const way of new Set(ways)) {
    const { result } = await ask(way)
    if (result === 'ok' || (result === 'timeout' && modem.mute)) return
  }
}

async function lookAtNetwork(ask: Ask, modem: Modem): Promise<void> {
  modem.registrations.clear()
  for (const name of registrationCommands) {
    if (!modem.mute && (await ask(`AT${name}=2`)).result === 'error') await ask(`AT${name}=1`)
    await pollRegistration(ask, modem, name)
  }
  if (!modem.mute) await ask('AT+COPS=3,0')
  const network = operatorOf(await ask('AT+COPS?'))
  modem.operator = network?.operator ?? ''
  modem.technology = network?.technology ?? ''
  modem.signal = signalOf(await ask('AT+CSQ'))
}

export async function pollRegistration(ask: Ask, modem: Modem, name: string): Promise<void> {
  const line = lineOf(await ask(`AT${name}?`, { answers: isRegistrationAnswer }), `${name}:`)
  const registration = line === undefined ? undefined : registrationOf(line)
  if (registration) modem.registrations.set(name, registration)
  else modem.registrations.delete(name)
}
