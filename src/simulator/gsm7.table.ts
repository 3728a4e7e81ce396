/**
 * Character tables of 3GPP TS 23.038: default alphabet (6.2.1), its extension (6.2.1.1), national language
 * shift tables (annex A). Keys are national language identifiers (3GPP TS 23.040, 9.2.3.24.16).
 */
const standard =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'

const turkish =
  '@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bŞşßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  'İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà'

const portuguese =
  '@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\u001bÂâÊÉ !"#º%&\'()*+,-./0123456789:;<=>?' +
  'ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà'

export const lockingAlphabets: ReadonlyMap<number, string> = new Map([
  [0, standard],
  [1, turkish],
  [3, portuguese],
])

const extension: readonly (readonly [number, string])[] = [
  [0x0a, '\f'],
  [0x14, '^'],
  [0x28, '{'],
  [0x29, '}'],
  [0x2f, '\\'],
  [0x3c, '['],
  [0x3d, '~'],
  [0x3e, ']'],
  [0x40, '|'],
  [0x65, '€'],
]
export const extensionCharacters: ReadonlyMap<number, string> = new Map(extension)

export const singleShiftCharacters: ReadonlyMap<number, ReadonlyMap<number, string>> = new Map([
  [
    1,
    new Map([
      ...extension,
      [0x47, 'Ğ'],
      [0x49, 'İ'],
      [0x53, 'Ş'],
      [0x63, 'ç'],
      [0x67, 'ğ'],
      [0x69, 'ı'],
      [0x73, 'ş'],
    ]),
  ],
  [
    2,
    new Map([
      ...extension,
      [0x09, 'ç'],
      [0x41, 'Á'],
      [0x49, 'Í'],
      [0x4f, 'Ó'],
      [0x55, 'Ú'],
      [0x61, 'á'],
      [0x69, 'í'],
      [0x6f, 'ó'],
      [0x75, 'ú'],
    ]),
  ],
  [
    3,
    new Map([
      ...extension,
      [0x05, 'ê'],
      [0x09, 'ç'],
      [0x0b, 'Ô'],
      [0x0c, 'ô'],
      [0x0e, 'Á'],
      [0x0f, 'á'],
      [0x12, 'Φ'],
      [0x13, 'Γ'],
      [0x15, 'Ω'],
      [0x16, 'Π'],
      [0x17, 'Ψ'],
      [0x18, 'Σ'],
      [0x19, 'Θ'],
      [0x1f, 'Ê'],
      [0x41, 'À'],
      [0x49, 'Í'],
      [0x4f, 'Ó'],
      [0x55, 'Ú'],
      [0x5b, 'Ã'],
      [0x5c, 'Õ'],
      [0x61, 'Â'],
      [0x69, 'í'],
      [0x6f, 'ó'],
      [0x75, 'ú'],
      [0x7b, 'ã'],
      [0x7c, 'õ'],
      [0x7f, 'â'],
    ] as (readonly [number, string])[]),
  ],
])
