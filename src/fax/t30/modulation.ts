/**
 * The fast carriers of ITU-T T.30 (V.27ter, V.29, V.17): their codes in DIS, DCS and in the commands of a Class 1 modem
 * (T.31, table 6; pitfalls 8 and 9 of docs/fax.md). Pure.
 */

export type Rate = 2400 | 4800 | 7200 | 9600 | 12000 | 14400

export interface Modulation {
  readonly standard: 'V.27ter' | 'V.29' | 'V.17'
  readonly rate: Rate
  /** For +FTM and +FRM, with long training: always for TCF. */
  readonly code: number
  /** For what follows a good TCF: V.17 has a short training, the others only one. */
  readonly after: number
  /** Bits 11 to 14 of DCS, in the octet that holds bits 9 to 16. */
  readonly dcs: number
  /** ms from the start of the carrier to the first bit of data, long and after a good TCF, without echo protection. */
  readonly training: number
  readonly trainingAfter: number
}

const of = (
  standard: Modulation['standard'],
  rate: Rate,
  code: number,
  dcs: number,
  training: number,
  after = code,
  trainingAfter = training,
): Modulation => ({ standard, rate, code, after, dcs, training, trainingAfter })

/** From the fastest to the slowest; of two with one rate the sturdier one first. */
export const modulations: readonly Modulation[] = [
  of('V.17', 14400, 145, 0x20, 1393, 146, 142),
  of('V.17', 12000, 121, 0x28, 1393, 122, 142),
  of('V.17', 9600, 97, 0x24, 1393, 98, 142),
  of('V.29', 9600, 96, 0x04, 253),
  of('V.29', 7200, 72, 0x0c, 253),
  of('V.17', 7200, 73, 0x2c, 1393, 74, 142),
  of('V.27ter', 4800, 48, 0x08, 708),
  of('V.27ter', 2400, 24, 0x00, 943),
]

export const RATE_BITS = 0x3c

/** Bits 11 to 14 of DIS (T.30, table 2): what a receiver understands. */
const disBits: ReadonlyMap<number, readonly Modulation['standard'][]> = new Map([
  [0x04, ['V.29']],
  [0x08, ['V.27ter']],
  [0x0c, ['V.27ter', 'V.29']],
  // Written down for V.33, which nobody has: the rest of it is V.27ter and V.29.
  [0x1c, ['V.27ter', 'V.29']],
  [0x2c, ['V.27ter', 'V.29', 'V.17']],
])

/** What the other end receives, fastest first; V.27ter at 2400 bit/s only for whoever says nothing. */
export function receivable(bits: number): readonly Modulation[] {
  const standards = disBits.get(bits & RATE_BITS)
  if (!standards) return modulations.filter(({ rate }) => rate === 2400)
  return modulations.filter(({ standard }) => standards.includes(standard))
}

/**
 * Bits 11 to 14 of our DIS. A standard stands for all its rates there, so one that is not wholly usable is not named:
 * with 12000 bit/s as the limit V.29 is the best that can be said.
 */
export function disBitsOf(own: readonly Modulation[]): number {
  const has = (wanted: Modulation['standard']) =>
    modulations.every((modulation) => modulation.standard !== wanted || own.includes(modulation))
  if (!has('V.27ter')) return 0x00
  if (!has('V.29')) return 0x08
  return has('V.17') ? 0x2c : 0x0c
}

export const modulationOf = (dcs: number): Modulation | undefined =>
  modulations.find((modulation) => modulation.dcs === (dcs & RATE_BITS))

/**
 * The rates to try, one modulation for each, from the fastest both ends have: on the way down every kind of carrier
 * gets its turn.
 * @param limit bit/s, the highest to be used
 */
export function ladder(
  own: readonly Modulation[],
  other: readonly Modulation[],
  limit: number,
): readonly Modulation[] {
  const both = modulations.filter(
    (modulation) => modulation.rate <= limit && own.includes(modulation) && other.includes(modulation),
  )
  return both.filter((modulation, at) => both.findIndex(({ rate }) => rate === modulation.rate) === at)
}

/** What a modem answers to AT+FTM=? or AT+FRM=?: lists and ranges of codes. Everything when it says nothing useful. */
export function modulationsOf(answer: string): readonly Modulation[] {
  const listed = new Set<number>()
  for (const [, first, last] of answer.matchAll(/(\d+)(?:\s*-\s*(\d+))?/g)) {
    for (let code = Number(first); code <= Number(last ?? first) && code < 1_000; code++) listed.add(code)
  }
  const known = modulations.filter(({ code, after }) => listed.has(code) && listed.has(after))
  return known.length > 0 ? known : modulations
}
