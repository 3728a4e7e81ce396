/**
 * The binary coded frames of ITU-T T.30, 5.3: facsimile control fields and how frames are built and read. Pure.
 *
 * Octets stand as they pass between us and a Class 1 modem: the bit that goes first on the line is the least
 * significant one, so `0000 0001` of the Recommendation is 80 here. The caller sets the X bit (5.3.6.1), which is the
 * least significant bit of every field where there is one; reading does not depend on it.
 */

/** Fields that have an X bit are listed without it. */
const codes = {
  DIS: 0x80,
  CSI: 0x40,
  NSF: 0x20,
  DTC: 0x81,
  CIG: 0x41,
  NSC: 0x21,
  DCS: 0x82,
  TSI: 0x42,
  NSS: 0x22,
  CFR: 0x84,
  FTT: 0x44,
  EOM: 0x8e,
  MPS: 0x4e,
  EOP: 0x2e,
  'PRI-EOM': 0x9e,
  'PRI-MPS': 0x5e,
  'PRI-EOP': 0x3e,
  MCF: 0x8c,
  RTP: 0xcc,
  RTN: 0x4c,
  PIP: 0xac,
  PIN: 0x2c,
  DCN: 0xfa,
  CRP: 0x1a,
  // Annex A: error correction.
  PPS: 0xbe,
  PPR: 0xbc,
  EOR: 0xce,
  ERR: 0x1c,
  RR: 0x6e,
  RNR: 0xec,
  CTC: 0x12,
  CTR: 0xc4,
} as const

export type FrameName = keyof typeof codes

/** Fields whose first bit tells command from command, not who is speaking. */
const withoutX: ReadonlySet<FrameName> = new Set(['DIS', 'CSI', 'NSF', 'DTC', 'CIG', 'NSC'])

export interface Frame {
  name: FrameName | 'other'
  /** Facsimile information field. */
  fif: Uint8Array
  /** No more frames follow in this burst (control field, 5.3.5). */
  final: boolean
}

const ADDRESS = 0xff
const CONTROL = 0x03
const FINAL = 0x10

const names = new Map<number, FrameName>()
for (const name of Object.keys(codes) as FrameName[]) {
  names.set(codes[name], name)
  if (!withoutX.has(name)) names.set(codes[name] | 1, name)
}

export interface Outgoing {
  name: FrameName
  fif?: Uint8Array
}

/** @param caller whether the X bit is set: by the station that has received a valid DIS */
export function buildFrame(
  { name, fif = new Uint8Array(0) }: Outgoing,
  caller: boolean,
  final: boolean,
): Uint8Array {
  const field = codes[name] | (caller && !withoutX.has(name) ? 1 : 0)
  return Uint8Array.of(ADDRESS, CONTROL | (final ? FINAL : 0), field, ...fif)
}

/**
 * Reads a frame as +FRH gives it: address, control, field, information, and the check sequence of two octets that the
 * modem has checked already.
 * @returns undefined when it is none
 */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  const [address, control, field] = bytes
  if (bytes.length < 5 || address !== ADDRESS || control === undefined || field === undefined)
    return undefined
  if ((control & ~FINAL) !== CONTROL) return undefined
  return {
    name: names.get(field) ?? 'other',
    fif: bytes.slice(3, -2),
    final: (control & FINAL) !== 0,
  }
}

/** What follows the partial page (Annex A, A.4.3): the second field of PPS and EOR. */
export const pageEnds = { NULL: 0x00, EOM: 0x8f, MPS: 0x4f, EOP: 0x2f } as const
export type PageEnd = 'EOM' | 'MPS' | 'EOP'

/** The second field of PPS and EOR; PRI-* counts as the same without an operator. */
export function readPageEnd(field: number | undefined): PageEnd | 'NULL' | undefined {
  switch (field === undefined ? undefined : field & 0xfe) {
    case 0x00:
      return 'NULL'
    case 0x8e:
    case 0x9e:
      return 'EOM'
    case 0x4e:
    case 0x5e:
      return 'MPS'
    case 0x2e:
    case 0x3e:
      return 'EOP'
    default:
      return undefined
  }
}

const IDENTITY_LENGTH = 20

/** TSI, CSI: twenty characters, the last one first (5.3.6.2.4). */
export function buildIdentity(station: string): Uint8Array {
  const text = station
    .replace(/[^0-9+ ]/g, '')
    .slice(0, IDENTITY_LENGTH)
    .padStart(IDENTITY_LENGTH)
  return Buffer.from([...text].reverse().join(''), 'latin1')
}

/** What the other end calls itself; letters are no rule but a habit. Undefined when it is blank. */
export function readIdentity(fif: Uint8Array): string | undefined {
  const text = Buffer.from(fif.slice(0, IDENTITY_LENGTH).reverse())
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
  return text === '' ? undefined : text
}
