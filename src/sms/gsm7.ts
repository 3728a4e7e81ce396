/**
 * The GSM 7 bit alphabet with national language tables: characters to septets and back, septets to octets and back.
 * Pure. Rests on 3GPP TS 23.038 6.1.2.1 (packing) and 6.2.1 (tables and how a receiver treats what is void).
 */
import { ESCAPE, lockingTables, singleTables, VOID } from './gsm7.table.ts'

/** Added to a septet of the single shift table; it goes out as two septets, ESCAPE first. */
const ESCAPED = 0x80
const UNKNOWN = -1
/** No table holds a character above U+221E (infinity, A.3.3). */
const CODES = 0x221f
/** Stands for a character that the tables do not have. All tables hold it at this place. */
const QUESTION_MARK = 0x3f

/** By UTF-16 code unit: the septet, with ESCAPED set when it is in the single shift table, or UNKNOWN. */
export type SeptetMap = Int16Array

const maps = new Map<number, SeptetMap>()

/** @param locking, single national language identifiers; one that has no such table means the default (23.038 6.2.1.2.4). */
export function septetMap(locking: number, single: number): SeptetMap {
  const key = locking * 256 + single
  let map = maps.get(key)
  if (!map) {
    map = buildMap(lockingTable(locking), singleTable(single))
    maps.set(key, map)
  }
  return map
}

const lockingTable = (id: number): string => lockingTables[id] ?? lockingTables[0] ?? ''
const singleTable = (id: number) => singleTables[id] ?? singleTables[0] ?? []

function buildMap(locking: string, single: ReturnType<typeof singleTable>): SeptetMap {
  const map = new Int16Array(CODES).fill(UNKNOWN)
  const set = (character: string, septet: number) => {
    const unit = character.charCodeAt(0)
    if (character !== VOID && map[unit] === UNKNOWN) map[unit] = septet
  }
  for (let septet = 0; septet < 128; septet++) set(locking.charAt(septet), septet)
  for (const [first, characters] of single) {
    for (let i = 0; i < characters.length; i++) set(characters.charAt(i), ESCAPED | (first + i))
  }
  return map
}

/** How many septets a UTF-16 code unit takes: 1, 2, or 0 when the tables do not have it. */
export function septetsOf(map: SeptetMap, unit: number): 0 | 1 | 2 {
  const code = map[unit] ?? UNKNOWN
  return code < 0 ? 0 : code < ESCAPED ? 1 : 2
}

/** A character that the tables lack becomes a question mark: most of an alert is better than none of it. */
export function toSeptets(text: string, map: SeptetMap): number[] {
  const septets: number[] = []
  for (let i = 0; i < text.length; i++) {
    const code = map[text.charCodeAt(i)] ?? UNKNOWN
    if (code < 0) septets.push(QUESTION_MARK)
    else if (code < ESCAPED) septets.push(code)
    else septets.push(ESCAPE, code & 0x7f)
  }
  return septets
}

/**
 * Never fails: a place that is void in the single shift table shows the character of the locking table (6.2.1.1,
 * note 2), one that is void there, and a second or last escape, a space (note 1).
 */
export function fromSeptets(septets: readonly number[], locking: number, single: number): string {
  const main = lockingTable(locking)
  const runs = singleTable(single)
  let text = ''
  for (let i = 0; i < septets.length; i++) {
    let septet = septets[i] ?? 0
    let character: string | undefined
    if (septet === ESCAPE) {
      i += 1
      septet = septets[i] ?? ESCAPE
      character = singleCharacter(runs, septet)
    }
    character ??= main.charAt(septet)
    text += character === VOID ? ' ' : character
  }
  return text
}

function singleCharacter(runs: ReturnType<typeof singleTable>, septet: number): string | undefined {
  for (const [first, characters] of runs) {
    if (septet >= first && septet < first + characters.length) return characters.charAt(septet - first)
  }
  return undefined
}

/**
 * Septets into octets, least significant bit first (6.1.2.1.1).
 * @param fillBits zero bits before the first septet, 0..6, so that it begins on a septet boundary after a header
 */
export function packSeptets(septets: readonly number[], fillBits = 0): Uint8Array {
  const octets = new Uint8Array(Math.ceil((septets.length * 7 + fillBits) / 8))
  let bit = fillBits
  for (const septet of septets) {
    const at = bit >> 3
    const shifted = septet << (bit & 7)
    octets[at] = (octets[at] ?? 0) | (shifted & 0xff)
    if (shifted > 0xff) octets[at + 1] = shifted >> 8
    bit += 7
  }
  return octets
}

/** @returns at most `count` septets, fewer when the octets end before */
export function unpackSeptets(octets: Uint8Array, count: number, fillBits = 0): number[] {
  const septets: number[] = []
  for (let bit = fillBits; septets.length < count && bit + 7 <= octets.length * 8; bit += 7) {
    const at = bit >> 3
    const pair = (octets[at] ?? 0) | ((octets[at + 1] ?? 0) << 8)
    septets.push((pair >> (bit & 7)) & 0x7f)
  }
  return septets
}
