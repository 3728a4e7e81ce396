/**
 * The GSM 7-bit alphabet as the simulated network reads and writes it (3GPP TS 23.038, 6.1.2 and 6.2.1).
 *
 * Written apart from the gateway's own codec on purpose: a mistake there must not be repeated here. Pure.
 */
import { extensionCharacters, lockingAlphabets, singleShiftCharacters, voidPlace } from './gsm7.table.ts'

const escapeCode = 0x1b

const defaultAlphabet = lockingAlphabets.get(0) ?? ''
const encodeBasic = new Map([...defaultAlphabet].map((character, code) => [character, code]))
encodeBasic.delete('\u001b')
const encodeExtension = new Map([...extensionCharacters].map(([code, character]) => [character, code]))

/** @returns the septets of a text in the default alphabet and its extension, undefined when it does not fit */
export function encodeSeptets(text: string): number[] | undefined {
  const septets: number[] = []
  for (const character of text) {
    const basic = encodeBasic.get(character)
    const extended = encodeExtension.get(character)
    if (basic !== undefined) septets.push(basic)
    else if (extended !== undefined) septets.push(escapeCode, extended)
    else return undefined
  }
  return septets
}

/**
 * @param locking national language identifier of the locking shift table, 0 for the default alphabet
 * @param single the same for the single shift table, 0 for the default extension
 * @returns the text, or undefined when a table is unknown, a code void or the text ends inside an escape
 */
export function decodeSeptets(septets: readonly number[], locking = 0, single = 0): string | undefined {
  const alphabet = lockingAlphabets.get(locking)
  const shifted = single === 0 ? extensionCharacters : singleShiftCharacters.get(single)
  if (alphabet === undefined || shifted === undefined) return undefined
  let text = ''
  for (let index = 0; index < septets.length; index++) {
    const code = septets[index] ?? 0
    const next = code === escapeCode ? septets[++index] : code
    if (next === undefined) return undefined
    // 6.2.1.1: an escaped code without an entry shows the character of the main table.
    const character = (code === escapeCode ? shifted.get(next) : undefined) ?? alphabet[next] ?? voidPlace
    if (character === voidPlace) return undefined
    text += character
  }
  return text
}

/**
 * Septets out of octets, least significant bit first.
 * @param skip bits to leave out at the start (fill bits behind a user data header)
 * @returns the septets and whether all bits behind the last one are zero
 */
export function unpack(
  octets: Uint8Array,
  count: number,
  skip: number,
): { septets: number[]; clean: boolean } {
  const septets: number[] = []
  let bit = skip
  for (let index = 0; index < count; index++, bit += 7) {
    const low = octets[bit >> 3] ?? 0
    const high = octets[(bit >> 3) + 1] ?? 0
    septets.push(((low | (high << 8)) >> (bit & 7)) & 0x7f)
  }
  let clean = true
  for (; bit < octets.length * 8; bit++) clean &&= (((octets[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 0
  for (let fill = 0; fill < skip; fill++) clean &&= (((octets[0] ?? 0) >> fill) & 1) === 0
  return { septets, clean }
}

/** The reverse of unpack(). */
export function pack(septets: readonly number[], skip: number): Uint8Array {
  const octets = new Uint8Array(Math.ceil((septets.length * 7 + skip) / 8))
  let bit = skip
  for (const septet of septets) {
    const at = bit >> 3
    const shifted = septet << (bit & 7)
    octets[at] = (octets[at] ?? 0) | (shifted & 0xff)
    if (shifted > 0xff) octets[at + 1] = (octets[at + 1] ?? 0) | (shifted >> 8)
    bit += 7
  }
  return octets
}
