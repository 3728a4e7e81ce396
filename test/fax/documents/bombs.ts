/** Documents made to take any time, memory or disk, as small files. */
import { deflateSync } from 'node:zlib'
import { pngChunk } from './rig.ts'

const catalogue = '<</Type /Catalog /Pages 2 0 R>>'
const onePage = '<</Type /Pages /Count 1 /Kids [3 0 R]>>'
const page = (mediaBox = '[0 0 600 800]', resources = '') =>
  `<</Type /Page /Parent 2 0 R /MediaBox ${mediaBox} /Contents 4 0 R /Resources <<${resources}>>>>`
const line = '0 0 m 600 800 l S\n'

export function pdfWith(objects: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([
    Buffer.from('%PDF-1.4\n'),
    ...objects.flatMap((body, n) => [
      Buffer.from(`${n + 1} 0 obj\n`),
      Buffer.from(body),
      Buffer.from('\nendobj\n'),
    ]),
    Buffer.from('trailer <</Root 1 0 R>>\n'),
  ])
}

export const stream = (entries: string, data: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`<<${entries} /Length ${data.length}>> stream\n`),
    Buffer.from(data),
    Buffer.from('\nendstream'),
  ])

/** A form of forms of forms: a billion lines. @param before pages of one line before that of the forms */
export function formBomb(before = 0): Buffer {
  const depth = 9
  const forms = Array.from({ length: depth }, (_, n) => {
    const next = n + 1 < depth ? `/F ${5 + n + 1} 0 R` : ''
    const data = n + 1 < depth ? '/F Do '.repeat(10) : '0 0 m 600 800 l S '
    return stream(
      `/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources <</XObject <<${next}>>>>`,
      data,
    )
  })
  const first = page(undefined, '/XObject <</F 5 0 R>>')
  const plain = `<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents ${5 + depth + 1} 0 R>>`
  const pages = `<</Type /Pages /Count ${before + 1} /Kids [${`${5 + depth} 0 R `.repeat(before)}3 0 R]>>`
  const content = stream('', '/F Do '.repeat(10))
  return pdfWith([catalogue, pages, first, content, ...forms, plain, stream('', line)])
}

/** A million pages, each the same one. @param count what the file says instead */
export const millionPages = (count = 1_000_000): Buffer =>
  pdfWith([
    '<</Type /Catalog /Pages 5 0 R>>',
    `<</Type /Pages /Count ${Math.min(count, 1_000)} /Kids [${'3 0 R '.repeat(1_000)}]>>`,
    page(),
    stream('', line),
    `<</Type /Pages /Count ${count} /Kids [${'2 0 R '.repeat(1_000)}]>>`,
  ])

/** Two gigabytes of lines, deflated twice. */
export function deflateBomb(): Buffer {
  const once = deflateSync(line.repeat(2_000_000), { level: 9 })
  const twice = deflateSync(once, { level: 9 })
  return pdfWith([catalogue, onePage, page(), stream('/Filter [/FlateDecode /FlateDecode]', twice)])
}

export const hugePaper = (mediaBox: string): Buffer =>
  pdfWith([catalogue, onePage, page(mediaBox), stream('', line)])

export const selfContained = (): Buffer =>
  pdfWith([
    catalogue,
    onePage,
    page(undefined, '/XObject <</F 5 0 R>>'),
    stream('', '/F Do'),
    stream('/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources <</XObject <</F 5 0 R>>>>', '/F Do'),
  ])

/** A program within a PDF that never ends, in an object of a kind that was taken out of PDF. */
export const programWithin = (): Buffer =>
  pdfWith([
    catalogue,
    onePage,
    page(undefined, '/XObject <</F 5 0 R>>'),
    stream('', '/F Do'),
    stream('/Type /XObject /Subtype /PS', '{} loop'),
  ])

export const circularTree = (): Buffer => pdfWith([catalogue, '<</Type /Pages /Count 1 /Kids [2 0 R]>>'])

export const deepObject = (): Buffer => pdfWith([catalogue, onePage, '['.repeat(4_000_000), stream('', line)])

export const hugeImage = (): Buffer =>
  pdfWith([
    catalogue,
    onePage,
    page(undefined, '/XObject <</I 5 0 R>>'),
    stream('', '600 0 0 800 0 0 cm /I Do'),
    stream(
      '/Type /XObject /Subtype /Image /Width 2000000000 /Height 2000000000 /ColorSpace /DeviceRGB /BitsPerComponent 16',
      'x',
    ),
  ])

/** Only what its head says. */
export function pngThatSays(width: number, height: number, data = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', head),
    pngChunk('IDAT', data),
    pngChunk('IEND', new Uint8Array()),
  ])
}

export function jpegThatSays(width: number, height: number): Buffer {
  const frame = Buffer.from('ffc2001108000000000301220002110003110 0'.replaceAll(' ', ''), 'hex')
  frame.writeUInt16BE(height, 5)
  frame.writeUInt16BE(width, 7)
  const scan = Buffer.from('ffda000c03010002110311003f0000', 'hex')
  return Buffer.concat([Buffer.from('ffd8', 'hex'), frame, scan, Buffer.from('ffd9', 'hex')])
}

/** One strip of 100 octets, whatever it says of its size. */
export function tiffThatSays(width: number, height: number, compression: number, pages = 1): Buffer {
  const entries = 9
  const directory = 2 + entries * 12 + 4
  const file = Buffer.alloc(8 + directory * pages + 100)
  file.write('II*\0', 'latin1')
  file.writeUInt32LE(8, 4)
  for (let index = 0; index < pages; index += 1) {
    const at = 8 + index * directory
    file.writeUInt16LE(entries, at)
    const values = [
      [256, width],
      [257, height],
      [258, 1],
      [259, compression],
      [262, 0],
      [273, file.length - 100],
      [277, 1],
      [278, height],
      [279, 100],
    ] as const
    values.forEach(([tag, value], n) => {
      file.writeUInt16LE(tag, at + 2 + n * 12)
      file.writeUInt16LE(4, at + 4 + n * 12)
      file.writeUInt32LE(1, at + 6 + n * 12)
      file.writeUInt32LE(value, at + 10 + n * 12)
    })
    file.writeUInt32LE(index + 1 < pages ? at + directory : 0, at + directory - 4)
  }
  return file
}
