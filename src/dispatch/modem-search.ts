/**
 * Finds modems that no line uses yet, and says what each is and what to write for it in `lines`. A search is polite:
 * ports of configured lines are left alone, each other one is asked for some seconds at most, by questions that change
 * nothing (V.250, 6.1; 3GPP TS 27.007, 5, 7.3, 8.3 and 8.5; T.31, 8.2), and a PIN is never entered.
 */
import type { LineConfig } from '#config/types.ts'
import { listedClasses } from '#fax/listed-classes.ts'
import { type FaxProfile, faxProfileOf, loadFaxProfiles } from '#fax/profile.ts'
import type { AtChannel } from '#lines/at-channel.ts'
import type { Line } from '#lines/contract.ts'
import { type Visit, visitPort } from '#lines/port-visit.ts'
import { loadProfiles, type Profiles } from '#lines/profile.ts'
import { deviceOf, type SerialPlace, serialPorts } from '#lines/serial-ports.ts'
import { usbIdOf } from '#lines/usb-id.ts'
import { type Ask, asker, operatorOf, signalOf, simState, textOf } from '#sms/gsm-commands.ts'

/** What a modem said of itself. */
export interface Identity {
  kind: 'gsm' | 'fax' | 'other'
  manufacturer: string
  model: string
  /** Of a mobile modem; empty when it does not tell. */
  imei?: string
  /** The profile that its line will use. */
  profile?: string
  /** `READY`, `SIM PIN`, `absent` …; `unreadable` when the modem says no more than that it cannot. */
  sim?: string
  /** dBm; absent when unknown. */
  signal?: number
  operator?: string
  /** Of a fax modem, as it lists them: 1, 2, 2.0. */
  classes?: string[]
  /** Of a fax modem: it is a voice modem, too (class 8), and it can tell who calls. */
  voice?: boolean
  callerId?: boolean
}

export interface FoundPort {
  /** `/dev/ttyUSB2` */
  device: string
  /** By which a configuration should name it. */
  name: string
  result: 'modem' | 'silent' | 'denied' | 'in-use' | 'failed' | 'not-asked'
  /** What the system said, where the port could not be used. */
  why?: string
  modem?: Identity
  /** Further ports of the same modem. */
  also?: string[]
  /** The configured line that this modem belongs to. */
  line?: string
  /** What to write in `lines`, with an id; absent where it can be no line or is one. */
  entry?: { kind: 'gsm' | 'fax'; port: string; imei?: string }
}

export interface SearchParts {
  /** Configured here: their ports are not touched. */
  lines: readonly LineConfig[]
  /** Lines whose modem is known, by its IMEI. */
  known?: ReadonlyMap<string, string>
  /** Directory of modem profiles. */
  profiles: string
  /** Where to look; the serial ports of this machine when absent, among which a pty never is. */
  places?: readonly SerialPlace[]
}

/** The lines whose modem has told its IMEI. */
export const heldModems = (lines: readonly Pick<Line, 'id' | 'status'>[]): Map<string, string> =>
  new Map(
    lines.flatMap((line) => {
      const imei = line.status().modem?.imei ?? ''
      return imei === '' ? [] : [[imei, line.id] as const]
    }),
  )

/** For one port. */
const PORT_MS = 6_000
/** For all of them, so that whoever asked over the link between members still waits for the answer. */
const SEARCH_MS = 9_000
/** One answer; +COPS? may take a second on a modem that is searching for a network. */
const ANSWER_MS = 1_500
const AT_ONCE = 4
/** Below this no modem could be spoken to. */
const LEAST_MS = 2_500

const BAUD = 115_200
const FAX_CLASSES: ReadonlySet<string> = new Set(['1', '2', '2.0'])

/** Never rejects for anything that a port or a modem does. @throws CodedError `profile-invalid` */
export async function searchModems(parts: SearchParts): Promise<FoundPort[]> {
  const known = { gsm: loadProfiles(parts.profiles), fax: loadFaxProfiles(parts.profiles) }
  const configured = parts.lines.flatMap(({ port }) => (port.scheme === 'serial' ? [port.path] : []))
  const used = new Set(await Promise.all(configured.map(deviceOf)))
  const places = parts.places ?? (await serialPorts())
  const waiting: SerialPlace[] = []
  for (const place of places) if (!used.has(await deviceOf(place.device))) waiting.push(place)
  const ends = performance.now() + SEARCH_MS
  const found: FoundPort[] = []
  const work = async (): Promise<void> => {
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      const left = ends - performance.now()
      if (left < LEAST_MS) found.push({ ...place, result: 'not-asked' })
      else found.push(...(await look(place, Math.min(PORT_MS, left), known)))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return sorted(withLines(merged(inOrder(found, places)), parts))
}

interface Known {
  gsm: Profiles
  fax: readonly FaxProfile[]
}

/** @returns nothing where there is no device after all */
async function look(place: SerialPlace, withinMs: number, known: Known): Promise<FoundPort[]> {
  const address = { scheme: 'serial', path: place.device, baud: BAUD, rtscts: false } as const
  const modem: Identity = { kind: 'other', manufacturer: '', model: '' }
  const usb = await usbIdOf(place.device)
  const visit: Visit = await visitPort(address, withinMs, (channel) => identify(channel, modem, known, usb))
  switch (visit.result) {
    case 'absent':
      return []
    case 'answered':
      return [{ ...place, result: 'modem', modem }]
    case 'silent':
      return [{ ...place, result: 'silent' }]
    default:
      return [{ ...place, result: visit.result, why: visit.why }]
  }
}

/** Fills in what the modem tells, so that what it told before the time was over is kept. */
async function identify(channel: AtChannel, modem: Identity, known: Known, usb: string): Promise<void> {
  const ask: Ask = asker(channel, () => ANSWER_MS)
  await ask('ATE0')
  modem.manufacturer = textOf(await ask('AT+CGMI'))
  modem.model = textOf(await ask('AT+CGMM'))
  const imei = /\d{14,16}/.exec(textOf(await ask('AT+CGSN')))?.[0] ?? ''
  const said = await simState(ask)
  // The codes of +CPIN are words (27.007, 8.3); some fax modems know the command, and answer with a number.
  const sim = /[a-z]/i.test(said) ? said : ''
  if (imei !== '' || sim !== '') {
    modem.kind = 'gsm'
    modem.imei = imei
    modem.sim = sim === '' ? 'unreadable' : sim
    modem.profile = known.gsm.matching(modem.manufacturer, modem.model).name
    const signal = signalOf(await ask('AT+CSQ'))
    if (signal !== undefined) modem.signal = signal
    modem.operator = operatorOf(await ask('AT+COPS?'))?.operator ?? ''
    return
  }
  const answer = await ask('AT+FCLASS=?')
  const listed = listedClasses(answer.result === 'ok' ? answer.lines : [])
  const classes = listed.filter((one) => FAX_CLASSES.has(one))
  // What no mobile modem is answers the questions of V.250 instead.
  if (modem.manufacturer === '') modem.manufacturer = textOf(await ask('AT+GMI'))
  if (modem.model === '') modem.model = textOf(await ask('AT+GMM'))
  if (classes.length === 0) return
  modem.kind = 'fax'
  modem.classes = classes
  if (listed.includes('8')) modem.voice = true
  const words = [modem.manufacturer, modem.model, textOf(await ask('AT+GMR')), textOf(await ask('ATI3'))]
  const profile = faxProfileOf(known.fax, words, usb)
  if (profile !== undefined) modem.profile = profile.name
  // Many fax modems say no more of themselves than their speed.
  if (!/[a-z]/i.test(modem.model)) modem.model = words[3] ?? ''
  if ((await ask('AT+VCID=?')).result === 'ok') modem.callerId = true
}

/** As they were listed, whichever was done first. */
function inOrder(found: readonly FoundPort[], places: readonly SerialPlace[]): FoundPort[] {
  const at = new Map(places.map(({ device }, n) => [device, n]))
  return found.toSorted((a, b) => (at.get(a.device) ?? 0) - (at.get(b.device) ?? 0))
}

/** A modem with several ports once, at the first: there most announce what comes in. */
function merged(found: readonly FoundPort[]): FoundPort[] {
  const first = new Map<string, FoundPort>()
  return found.filter((port) => {
    const imei = port.modem?.imei ?? ''
    if (imei === '') return true
    const before = first.get(imei)
    if (before === undefined) {
      first.set(imei, port)
      return true
    }
    before.also = [...(before.also ?? []), port.device]
    return false
  })
}

function withLines(found: readonly FoundPort[], { lines, known }: SearchParts): FoundPort[] {
  const owners = new Map(known)
  for (const line of lines) if (line.kind === 'gsm' && line.imei !== undefined) owners.set(line.imei, line.id)
  return found.map((port) => {
    if (port.modem === undefined) return port
    const line = owners.get(port.modem.imei ?? '')
    if (line !== undefined) return { ...port, line }
    const entry = entryOf(port.name, port.modem)
    return entry === undefined ? port : { ...port, entry }
  })
}

/** A mobile modem is named by its IMEI besides, so that its line finds it wherever it is plugged in. */
function entryOf(name: string, { kind, imei = '' }: Identity): FoundPort['entry'] {
  if (kind === 'other') return undefined
  const port = `serial://${encodeURI(name).replaceAll(/[?#]/g, encodeURIComponent)}`
  return kind === 'gsm' && imei.length === 15 ? { kind, port, imei } : { kind, port }
}

const ranks = ['gsm', 'fax', 'other'] as const

/** What can be used first. */
function sorted(found: readonly FoundPort[]): FoundPort[] {
  const rank = ({ modem, line }: FoundPort) =>
    (modem === undefined ? ranks.length : ranks.indexOf(modem.kind)) + (line === undefined ? 0 : ranks.length)
  return found.toSorted((a, b) => rank(a) - rank(b))
}
