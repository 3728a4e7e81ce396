/** The data coding scheme octet of a received message, 3GPP TS 23.038 clause 4. Pure. */

export interface DataCoding {
  /** `data`: 8-bit octets. `compressed`: packed as 3GPP TS 23.042 says, which is not unpacked here. */
  alphabet: 'gsm7' | 'ucs2' | 'data' | 'compressed'
  /** Message class 0: to be shown at once. */
  flash: boolean
  waiting?: MessageWaiting
}

/** A message waiting indication (groups 1100 to 1110). */
export interface MessageWaiting {
  kind: 'voicemail' | 'fax' | 'email' | 'other'
  active: boolean
  /** The text is only meant for phones that cannot show the indication. */
  discard: boolean
}

const waitingKinds = ['voicemail', 'fax', 'email', 'other'] as const
/** The fourth alphabet is reserved; reserved codings are taken for the default alphabet (clause 4). */
const generalAlphabets = ['gsm7', 'data', 'ucs2', 'gsm7'] as const

export function decodeDataCoding(octet: number): DataCoding {
  const group = octet >> 4
  // 00xx general, 01xx the same for messages marked for automatic deletion.
  if (group < 0x8) {
    const compressed = (octet & 0x20) !== 0
    const classed = (octet & 0x10) !== 0
    const alphabet = compressed ? 'compressed' : (generalAlphabets[(octet >> 2) & 3] ?? 'gsm7')
    return { alphabet, flash: classed && (octet & 3) === 0 }
  }
  if (group === 0xf) {
    return {
      alphabet: (octet & 0x04) === 0 ? 'gsm7' : 'data',
      flash: (octet & 3) === 0,
    }
  }
  // 1000 to 1011 reserved.
  if (group < 0xc) return { alphabet: 'gsm7', flash: false }
  const waiting: MessageWaiting = {
    kind: waitingKinds[octet & 3] ?? 'other',
    active: (octet & 0x08) !== 0,
    discard: group === 0xc,
  }
  return { alphabet: group === 0xe ? 'ucs2' : 'gsm7', flash: false, waiting }
}
