/**
 * Which alphabet a text goes out in, and where it is cut into parts. Pure, the same for the same text on every member.
 *
 * Rests on 3GPP TS 23.038 6.2 (alphabets), 23.040 9.2.3.24 (user data of 140 octets less its header). A cut never falls
 * inside an escape pair, a surrogate pair or a grapheme cluster (Unicode UAX 29); only a cluster that is longer than a
 * whole part is cut, between code points. Called for every accepted message, so short plain text takes a short way.
 */
import type { Coding } from '#messages/message.ts'
import { lockingTables, singleTables } from './gsm7.table.ts'
import { septetMap, septetsOf } from './gsm7.ts'

const USER_DATA_OCTETS = 140
/** The length octet of the header (9.2.3.24). */
const HEADER_LENGTH_OCTET = 1
/** Identifier, length and value of one national language element (9.2.3.24.15 and .16). */
const LANGUAGE_OCTETS = 3

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })

export interface TextPlan {
  coding: Coding
  /** At least one; joined they are the text. */
  parts: string[]
}

/** @param reference width of the concatenation reference in bits, should there be several parts */
export function planText(text: string, reference: 8 | 16): TextPlan {
  const plain: Coding = { alphabet: 'gsm7', locking: 0, single: 0, reference }
  const size = sizeOf(text, plain)
  if (size !== undefined) return { coding: plain, parts: cut(text, plain, size) }
  const wide: Coding = { alphabet: 'ucs2', locking: 0, single: 0, reference }
  const parts = cut(text, wide, text.length)
  if (parts.length === 1) return { coding: wide, parts }
  const national = nationalCoding(text, reference)
  if (national) {
    const fewer = splitText(text, national)
    if (fewer.length < parts.length) return { coding: national, parts: fewer }
  }
  return { coding: wide, parts }
}

/** Cuts a text as planText() did when it chose this coding. */
export function splitText(text: string, coding: Coding): string[] {
  return cut(text, coding, sizeOf(text, coding) ?? Number.POSITIVE_INFINITY)
}

/** How many septets (gsm7) or 16-bit units (ucs2) a part may have; fewer when the message has several parts. */
export function partLimit(coding: Coding, several: boolean): number {
  const header = headerOctets(coding, several)
  const octets = USER_DATA_OCTETS - header
  return coding.alphabet === 'gsm7' ? Math.floor((octets * 8) / 7) : Math.floor(octets / 2)
}

/** Octets of the user data header with its length octet; 0 when there is none. */
function headerOctets(coding: Coding, several: boolean): number {
  const concatenation = several ? (coding.reference === 8 ? 5 : 6) : 0
  const elements =
    concatenation + (coding.locking > 0 ? LANGUAGE_OCTETS : 0) + (coding.single > 0 ? LANGUAGE_OCTETS : 0)
  return elements === 0 ? 0 : elements + HEADER_LENGTH_OCTET
}

/** Septets or 16-bit units of the whole text; undefined when the alphabet lacks a character of it. */
function sizeOf(text: string, coding: Coding): number | undefined {
  if (coding.alphabet === 'ucs2') return text.length
  const map = septetMap(coding.locking, coding.single)
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const septets = septetsOf(map, text.charCodeAt(i))
    if (septets === 0) return undefined
    size += septets
  }
  return size
}

function cut(text: string, coding: Coding, size: number): string[] {
  if (size <= partLimit(coding, false)) return [text]
  const limit = partLimit(coding, true)
  const map = coding.alphabet === 'gsm7' ? septetMap(coding.locking, coding.single) : undefined
  const parts: string[] = []
  let clusters: Intl.Segments | undefined
  let start = 0
  while (start < text.length) {
    let end = start
    for (let used = 0; end < text.length; end++) {
      // A character that the alphabet lacks goes out as a question mark, one septet.
      used += map ? septetsOf(map, text.charCodeAt(end)) || 1 : 1
      if (used > limit) break
    }
    if (end < text.length && mayJoin(text.charCodeAt(end - 1), text.charCodeAt(end))) {
      clusters ??= segmenter.segment(text)
      const cluster = clusters.containing(end)?.index ?? end
      if (cluster > start) end = cluster
      else if (isLow(text.charCodeAt(end)) && isHigh(text.charCodeAt(end - 1))) end -= 1
    }
    parts.push(text.slice(start, end))
    start = end
  }
  return parts
}

/** False when there is surely a cluster boundary between the two: below U+0300 only CR LF holds together (UAX 29, GB3). */
const mayJoin = (before: number, after: number): boolean =>
  before >= 0x300 || after >= 0x300 || (before === 0x0d && after === 0x0a)
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

const lockingIds = lockingTables.flatMap((table, id) => (table === undefined ? [] : [id]))
const singleIds = singleTables.map((_, id) => id)

/** The pair of national tables that holds the text in the fewest parts; of equal ones the first with the least header. */
function nationalCoding(text: string, reference: 8 | 16): Coding | undefined {
  const counts = new Map<number, number>()
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const count = counts.get(unit)
    if (count === undefined && !inAnyTable(unit)) return undefined
    counts.set(unit, (count ?? 0) + 1)
  }
  let best: { coding: Coding; parts: number; header: number } | undefined
  for (const locking of lockingIds) {
    for (const single of singleIds) {
      const coding: Coding = { alphabet: 'gsm7', locking, single, reference }
      const size = countedSize(counts, coding)
      if (size === undefined) continue
      const parts = size <= partLimit(coding, false) ? 1 : Math.ceil(size / partLimit(coding, true))
      const header = headerOctets(coding, false)
      if (!best || parts < best.parts || (parts === best.parts && header < best.header)) {
        best = { coding, parts, header }
      }
    }
  }
  return best?.coding
}

function countedSize(counts: ReadonlyMap<number, number>, coding: Coding): number | undefined {
  const map = septetMap(coding.locking, coding.single)
  let size = 0
  for (const [unit, count] of counts) {
    const septets = septetsOf(map, unit)
    if (septets === 0) return undefined
    size += septets * count
  }
  return size
}

const nationalCharacters = new Set<number>()
for (const id of singleIds) {
  const map = septetMap(id, id)
  map.forEach((_, unit) => {
    if (septetsOf(map, unit) > 0) nationalCharacters.add(unit)
  })
}
const inAnyTable = (unit: number): boolean => nationalCharacters.has(unit)
