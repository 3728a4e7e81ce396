/**
 * The code with which an appliance joins, as it is read aloud and typed: groups of six whose last sign checks the
 * group (src/pair/ceremony/code.ts), so that a slip is named while somebody still types. Whether the code is whole and
 * true, the appliance decides. Pure.
 */

const GROUP = 6
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Groups in rows, as they are shown, so that an eye keeps its place. */
export function codeRows(code: string, perRow = 4): string[][] {
  const groups = code.split('-').filter(Boolean)
  const rows: string[][] = []
  for (let at = 0; at < groups.length; at += perRow) rows.push(groups.slice(at, at + perRow))
  return rows
}

export interface TypedCode {
  /** Each six signs but the last, as they will be read: O as zero, I and L as one. */
  groups: string[]
  /** The first group that cannot be right, from 0. */
  wrong?: number
}

export function typedCode(typed: string): TypedCode {
  const signs = typed
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll(/[IL]/g, '1')
    .replaceAll('O', '0')
  const groups = signs.match(/.{1,6}/g) ?? []
  // The last group may be shorter, or still be typed.
  const wrong = groups.findIndex((group, index) => group.length === GROUP && !checks(group, index))
  return wrong < 0 ? { groups } : { groups, wrong }
}

/** A group with its check sign is a multiple of x over GF(2^5) that depends on its place. */
function checks(group: string, index: number): boolean {
  const values = [...group].map((sign) => alphabet.indexOf(sign))
  const check = values.at(-1)
  let sum = (index + 1) & 31
  for (const value of values.slice(0, -1)) sum = timesX(sum) ^ value
  return !values.includes(-1) && timesX(sum) === check
}

/** In GF(2^5) with x^5 = x^2 + 1. */
const timesX = (value: number): number => ((value << 1) ^ (value & 16 ? 0b100101 : 0)) & 31

/** A fingerprint in groups of four, which two people can compare on the telephone. */
export const fingerprintGroups = (fingerprint: string): string[] =>
  fingerprint
    .replaceAll(/[^0-9a-fA-F]/g, '')
    .toUpperCase()
    .match(/.{1,4}/g) ?? []
