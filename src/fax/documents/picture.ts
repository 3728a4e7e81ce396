/**
 * One page as a PNG of one bit a dot, for people to look at in a browser. Rows of 98 an inch stand twice, so that the
 * page has the shape of its paper. Pure. PNG (W3C, third edition): 5.3 chunks, 11.2.1 IHDR.
 */
import { Buffer } from 'node:buffer'
import { crc32, deflateSync } from 'node:zlib'
import type { Bitmap } from '../coding/rows.ts'
import { readTiff, tiffBitmap } from '../tiff.ts'

const LARGEST = { pages: 100_000, rows: 30_000 }
/** Between 98 and 196 rows an inch. */
const COARSE = 147

/**
 * @param page from 1
 * @returns undefined where the TIFF has no such page
 */
export function pagePicture(tiff: Uint8Array, page: number): Buffer | undefined {
  const read = readTiff(tiff, LARGEST)
  const wanted = read.result === 'pages' ? read.pages[page - 1] : undefined
  if (wanted === undefined) return undefined
  return pngOf(tiffBitmap(tiff, wanted).bitmap, (wanted.down ?? COARSE) < COARSE ? 2 : 1)
}

function pngOf({ width, height, data }: Bitmap, times: 1 | 2): Buffer {
  const stride = (width + 7) >> 3
  // A filter byte before each row: none. Black is 0 here.
  const rows = Buffer.alloc((stride + 1) * height * times)
  for (let row = 0; row < height * times; row += 1) {
    const from = Math.floor(row / times) * stride
    const to = row * (stride + 1) + 1
    for (let byte = 0; byte < stride; byte += 1) rows[to + byte] = ~(data[from + byte] ?? 0) & 0xff
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height * times, 4)
  // One bit a dot, shades of grey.
  head.writeUInt8(1, 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 6 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(named.length + 8)
  out.writeUInt32BE(data.length)
  named.copy(out, 4)
  out.writeUInt32BE(crc32(named), named.length + 4)
  return out
}
