/**
 * What a receiver can do (DIS, DTC) and what a sender chose (DCS): ITU-T T.30, table 2. Bits are numbered from 1, the
 * first one on the line, which is the least significant one of the first octet. Pure.
 */
import type { Coding } from '../coding/encode.ts'
import type { FaxSettings } from '../contract.ts'
import { disBitsOf, type Modulation, modulationOf, RATE_BITS, receivable } from './modulation.ts'

export type Resolution = 98 | 196

export interface Capabilities {
  receives: boolean
  modulations: readonly Modulation[]
  fine: boolean
  twoDimensional: boolean
  ecm: boolean
  t6: boolean
  /** ms that printing one row takes at least, at 98 and at 196 rows an inch. */
  rowTime: Record<Resolution, number>
  /** Its paper is cut; absent: a page may be of any length. */
  sheets?: true
}

/** What one message is sent with. */
export interface Choice {
  modulation: Modulation
  resolution: Resolution
  coding: Coding
  ecm: boolean
  /** Octets of a frame with error correction. */
  frameSize: 64 | 256
  /** ms */
  rowTime: number
  /** The other end has sheets of A4: it must not be told of any length. */
  sheets?: true
}

const RECEIVER = 0x02
const FINE = 0x40
const TWO_DIMENSIONAL = 0x80
const UNLIMITED_LENGTH = 0x08
const LENGTH_BITS = 0x0c
const NO_ROW_TIME = 0x70
const EXTENDED = 0x80
const ECM = 0x04
const SMALL_FRAMES = 0x08
const T6 = 0x40

/** Bits 21 to 23 of DIS, of which 21 counts 1, 22 counts 2 and 23 counts 4: ms at 98 rows an inch, and at 196. */
const rowTimes: readonly Record<Resolution, number>[] = [
  { 98: 20, 196: 20 },
  { 98: 5, 196: 5 },
  { 98: 10, 196: 10 },
  { 98: 20, 196: 10 },
  { 98: 40, 196: 40 },
  { 98: 40, 196: 20 },
  { 98: 10, 196: 5 },
  { 98: 0, 196: 0 },
]

/** Bits 21 to 23 of DCS for a row time in ms. */
const rowTimeBits: ReadonlyMap<number, number> = new Map([
  [20, 0],
  [5, 1],
  [10, 2],
  [40, 4],
  [0, 7],
])

/** Octets 3 and 4 exist only where the bit that announces them is set. */
function octets(fif: Uint8Array): [number, number, number] {
  const [, second = 0, third = 0, fourth = 0] = fif
  return [second, third, (third & EXTENDED) === 0 ? 0 : fourth]
}

export function readCapabilities(fif: Uint8Array): Capabilities {
  const [second, third, fourth] = octets(fif)
  return {
    receives: (second & RECEIVER) !== 0,
    modulations: receivable(second),
    fine: (second & FINE) !== 0,
    twoDimensional: (second & TWO_DIMENSIONAL) !== 0,
    ecm: (fourth & ECM) !== 0,
    t6: (fourth & T6) !== 0 && (fourth & ECM) !== 0,
    rowTime: rowTimes[(third >> 4) & 7] ?? { 98: 20, 196: 20 },
    ...((third & LENGTH_BITS) === UNLIMITED_LENGTH ? {} : { sheets: true }),
  }
}

/** Our DIS: every coding, both resolutions, any length, rows as fast as they come. */
export function buildCapabilities(settings: FaxSettings, own: readonly Modulation[]): Uint8Array {
  const usable = own.filter(({ rate }) => rate <= settings.maxRate)
  const second = RECEIVER | disBitsOf(usable) | FINE | TWO_DIMENSIONAL
  const third = UNLIMITED_LENGTH | NO_ROW_TIME
  return settings.ecm ? Uint8Array.of(0, second, third | EXTENDED, ECM | T6) : Uint8Array.of(0, second, third)
}

/** The best that both ends have. T.6 needs error correction (T.30, table 2, note 25), which needs no row time. */
export function choose(
  settings: FaxSettings,
  other: Capabilities,
  modulation: Modulation,
  page: Resolution,
): Choice {
  const ecm = settings.ecm && other.ecm
  const resolution = other.fine ? page : 98
  const coding = ecm && other.t6 ? 'MMR' : other.twoDimensional ? 'MR' : 'MH'
  return {
    modulation,
    resolution,
    coding,
    ecm,
    frameSize: 256,
    rowTime: ecm ? 0 : other.rowTime[resolution],
    ...(other.sheets ? { sheets: true } : {}),
  }
}

export function buildChoice(choice: Choice): Uint8Array {
  const { modulation, resolution, coding, ecm, frameSize, rowTime, sheets } = choice
  const second =
    RECEIVER | modulation.dcs | (resolution === 196 ? FINE : 0) | (coding === 'MR' ? TWO_DIMENSIONAL : 0)
  const third = (sheets ? 0 : UNLIMITED_LENGTH) | ((rowTimeBits.get(rowTime) ?? 0) << 4)
  if (!ecm) return Uint8Array.of(0, second, third)
  const fourth = ECM | (frameSize === 64 ? SMALL_FRAMES : 0) | (coding === 'MMR' ? T6 : 0)
  return Uint8Array.of(0, second, third | EXTENDED, fourth)
}

/** @returns undefined when the other end chose something that was not offered to it */
export function readChoice(fif: Uint8Array): Choice | undefined {
  const [second, third, fourth] = octets(fif)
  const modulation = modulationOf(second & RATE_BITS)
  // Bits 17 and 18: another width than 1728 was never offered.
  if (!modulation || fif.length < 2 || (third & 0x03) !== 0) return undefined
  const ecm = (fourth & ECM) !== 0
  return {
    modulation,
    resolution: (second & FINE) !== 0 ? 196 : 98,
    coding: (fourth & T6) !== 0 ? 'MMR' : (second & TWO_DIMENSIONAL) !== 0 ? 'MR' : 'MH',
    ecm,
    frameSize: (fourth & SMALL_FRAMES) !== 0 ? 64 : 256,
    rowTime: 0,
  }
}

/** CTC (Annex A, A.4.1): the first sixteen bits of DCS. */
export const buildContinue = (choice: Choice): Uint8Array => buildChoice(choice).slice(0, 2)
