/**
 * What Class 2 modems are told and what they say, in both dialects: Class 2 (EIA PN-2388, as it was before it became a
 * standard, and as most modems have it) and Class 2.0 (ITU-T T.32). Pure.
 */
import type { Coding } from '../coding/encode.ts'
import type { Resolution } from '../t30/capabilities.ts'
import type { Rate } from '../t30/modulation.ts'

export type Class2 = '2' | '2.0'

/** T.32, table 21 (PN-2388, table 8.4): what a session may be or is. */
export interface Session {
  resolution: Resolution
  rate: Rate
  coding: Coding
  /** With error correction by the modem. */
  ecm: boolean
  /** The shortest time of a row, ms. */
  rowTime: number
}

/** What follows a page, as +FET has it. */
export const after = { page: 0, document: 1, nothing: 2 } as const
export type After = (typeof after)[keyof typeof after]

interface Dialect {
  station: string
  capabilities: string
  session: string
  /** Data to be sent with its least significant bit first, and that received likewise (in Class 2: nearly, see below). */
  bitOrder: string
  stop: string
  setStatus: string
  /** Class 2.0 ends page data with what follows it: DLE and one of these. */
  marks?: readonly [number, number, number]
}

export const dialects: Record<Class2, Dialect> = {
  '2': {
    station: '+FLID',
    capabilities: '+FDCC',
    session: '+FDIS',
    bitOrder: '+FBOR=0',
    stop: '+FK',
    setStatus: '+FPTS',
  },
  '2.0': {
    station: '+FLI',
    capabilities: '+FCC',
    session: '+FIS',
    bitOrder: '+FBO=0',
    stop: '+FKS',
    setStatus: '+FPS',
    marks: [0x2c, 0x3b, 0x2e],
  },
}

const rates: readonly Rate[] = [2400, 4800, 7200, 9600, 12000, 14400]
const codings: readonly (Coding | undefined)[] = ['MH', 'MR', undefined, 'MMR']
/** ST: ms at 98 rows an inch and at 196. */
const rowTimes: readonly (readonly [number, number])[] = [
  [0, 0],
  [5, 5],
  [10, 5],
  [10, 10],
  [20, 10],
  [20, 20],
  [40, 20],
  [40, 40],
]

/** What a session shall be. */
export interface Wish {
  resolution: Resolution
  maxRate: Rate
  coding: Coding
  /** EC as this modem counts it; 0 is none. */
  correction: number
}

/** VR, BR, WD, LN, DF, EC, BF, ST: width of A4, any length, no files, no row time of our own. */
export function sessionText({ resolution, maxRate, coding, correction }: Wish): string {
  const vr = resolution === 196 ? 1 : 0
  return `${vr},${rates.indexOf(maxRate)},0,2,${codings.indexOf(coding)},${correction},0,0`
}

/** What a modem of ours can, by its own word. */
export interface Abilities {
  /** The best of it. T.6 goes with error correction only (T.30, table 2, note 25). */
  coding: Coding
  /** EC for error correction with frames of 256 octets, or the nearest that it has; 0: it corrects nothing. */
  correction: number
  maxRate: Rate
}

/**
 * How EC counts. In Class 2.0 (T.32, table 21) 1 is error correction of either frame size and what follows is of other
 * annexes; in Class 2 (PN-2388) 1 is 64 octets a frame and 2 is 256. Not every modem keeps to its class.
 */
export type CorrectionCounts = Class2

const CORRECTIONS: Record<CorrectionCounts, readonly number[]> = { '2': [2, 1], '2.0': [1] }

/**
 * @param answer to +FDCC=? or +FCC=?: for each field a list such as `(0,1)`, `(0-3)` or a single number
 * @param wanted what this program is to use at the most
 */
export function readAbilities(
  answer: string,
  counts: CorrectionCounts,
  wanted: { ecm: boolean; maxRate: Rate },
): Abilities {
  const [, br, , , df, ec] = listsOf(answer)
  const correction = wanted.ecm ? (CORRECTIONS[counts].find((value) => ec?.has(value)) ?? 0) : 0
  const coding = df?.has(3) && correction > 0 ? 'MMR' : df?.has(1) ? 'MR' : 'MH'
  const known = rates.filter((rate, at) => rate <= wanted.maxRate && (br === undefined || br.has(at)))
  return { coding, correction, maxRate: known.at(-1) ?? wanted.maxRate }
}

/** The numbers of each field; a field that cannot be read is empty. */
function listsOf(answer: string): Set<number>[] {
  const text = answer.replaceAll(/\s+|^\+F\w+:/g, '')
  return (text.match(/\([^)]*\)|[^,()]+/g) ?? []).map((field) => {
    const numbers = new Set<number>()
    for (const part of field.replaceAll(/[()]/g, '').split(',')) {
      const [from, to = from] = part.split('-').map((digits) => Number.parseInt(digits, 16))
      if (from === undefined || to === undefined || !(to - from < 32)) continue
      for (let value = from; value <= to; value++) numbers.add(value)
    }
    return numbers
  })
}

/** What the other machine says that it can receive, as far as it decides how a page is coded. */
export interface FarAbilities {
  coding: Coding
  ecm: boolean
  /** It prints 196 rows an inch, too. */
  fine: boolean
}

/** The best that both ends have. */
export function wishFor(own: Abilities, far: FarAbilities | undefined, resolution: Resolution): Wish {
  const { maxRate } = own
  const correction = far?.ecm === false ? 0 : own.correction
  const most = Math.min(codings.indexOf(own.coding), far ? codings.indexOf(far.coding) : codings.length)
  const coding = most === 3 && correction > 0 ? 'MMR' : most >= 1 ? 'MR' : 'MH'
  return { resolution: far?.fine === false ? 98 : resolution, maxRate, coding, correction }
}

/** @returns undefined for what this program cannot do: uncompressed, a speed or a resolution unknown to it */
export function readSession(text: string): Session | undefined {
  const [vr = 0, br = 0, , , df = 0, ec = 0, , st = 0] = text
    .split(',')
    .map((field) => Number.parseInt(field.trim(), 16))
  const rate = rates[br]
  const coding = codings[df]
  // With error correction rows take no time of their own (T.30, A.3.5.1).
  const rowTime = ec > 0 ? ([0, 0] as const) : rowTimes[st]
  if (rate === undefined || coding === undefined || rowTime === undefined || vr > 1) return undefined
  return {
    resolution: vr === 1 ? 196 : 98,
    rate,
    coding,
    ecm: ec > 0,
    rowTime: rowTime[vr === 1 ? 1 : 0],
  }
}

/** What the lines before a result say; of each the last. */
export interface Report {
  station?: string
  session?: Session
  /** Its DIS. */
  far?: FarAbilities
  /** A session was told that this program cannot have. */
  unknownSession?: string
  /** What became of the page, +FPTS or +FPS: 1 MCF, 2 RTN, 3 RTP, 4 PIN, 5 PIP. */
  status?: number
  after?: After
  /** The call is over, and why. */
  hungUp?: number
  /** There is a fax machine at the other end. */
  machine: boolean
}

const patterns: readonly [RegExp, (report: Report, value: string, dialect: Class2) => void][] = [
  [/^\+(?:FCSI|FTSI|FCI|FTI): *"?([^"]*)"?/, (report, value) => setStation(report, value)],
  [/^\+(?:FDCS|FCS): *([0-9A-F, ]+)/i, (report, value) => setSession(report, value)],
  [/^\+(?:FDIS|FIS): *([0-9A-F, ]+)/i, (report, value) => setFar(report, value)],
  [/^\+(?:FCON|FCO)\b()/, (report) => setMachine(report)],
  [/^\+(?:FPTS|FPS): *([0-9A-F]+)/i, (report, value) => setStatus(report, value)],
  [/^\+FET: *([0-9])/, (report, value, dialect) => setAfter(report, value, dialect)],
  [/^\+FHNG: *([0-9]+)/, (report, value) => setHungUp(report, Number.parseInt(value, 10))],
  [/^\+FHS: *([0-9A-F]+)/i, (report, value) => setHungUp(report, hex(value))],
]

/** @param lines those before a result, or a question's answer */
export function readReport(lines: readonly string[], dialect: Class2): Report {
  const report: Report = { machine: false }
  for (const line of lines) {
    for (const [pattern, take] of patterns) {
      const value = pattern.exec(line)?.[1]
      if (value !== undefined) take(report, value, dialect)
    }
  }
  return report
}

/**
 * T.32 numbers its reasons in hexadecimal digits that read like the decimal ones of Class 2 up to 9F; from A0 on there
 * are the receiver's reasons of phase D, 100 to 103 in Class 2.
 */
function hex(value: string): number {
  const digits = value.toUpperCase().padStart(2, '0')
  const tens = Number.parseInt(digits.slice(0, -1), 16)
  return tens * 10 + Number.parseInt(digits.slice(-1), 16)
}

function setStation(report: Report, value: string): void {
  report.machine = true
  const station = value.replaceAll(/\s+/g, ' ').trim()
  if (station !== '') report.station = station
}

function setSession(report: Report, value: string): void {
  report.machine = true
  const session = readSession(value)
  if (session) report.session = session
  else report.unknownSession = value
}

function setFar(report: Report, value: string): void {
  report.machine = true
  const [vr = 0, , , , df = 0, ec = 0] = value.split(',').map((field) => Number.parseInt(field.trim(), 16))
  report.far = { coding: df >= 3 && ec > 0 ? 'MMR' : df >= 1 ? 'MR' : 'MH', ecm: ec > 0, fine: vr > 0 }
}

function setMachine(report: Report): void {
  report.machine = true
}

function setStatus(report: Report, value: string): void {
  report.status = Number.parseInt(value, 16)
}

function setAfter(report: Report, value: string, dialect: Class2): void {
  const number = Number.parseInt(value, 10)
  // Procedure interrupts ask for an operator; what follows the page is the same. In Class 2 they come after PPS-NULL.
  const interrupts = dialect === '2' ? 4 : 3
  const follows = ([0, 1, 2] as const)[number < interrupts ? number : number - interrupts]
  if (follows !== undefined) report.after = follows
}

function setHungUp(report: Report, code: number): void {
  report.hungUp = code
}
