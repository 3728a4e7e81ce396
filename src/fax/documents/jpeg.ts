/**
 * What a PDF must know of a JPEG before it takes it as it is (DCTDecode): its size, its components, which way up it was
 * taken. Pure. ITU-T T.81, annex B (markers); Exif 2.32, 4.6.4 (orientation); Adobe TN 5116 (inverted CMYK).
 */
import { Buffer } from 'node:buffer'

export interface JpegHead {
  width: number
  height: number
  components: 1 | 3 | 4
  /** Adobe's marker is there: four components are inverted. */
  adobe: boolean
  /** Quarter turns clockwise that put it upright. */
  turns: number
  perInch?: number
}

/** @returns undefined where it is no sound JPEG, or of a kind that PDF has not */
export function jpegHead(bytes: Uint8Array): JpegHead | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: { adobe: boolean; turns: number; perInch?: number } = { adobe: false, turns: 0 }
  let size: Size | undefined
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    const length = view.getUint16(at + 2)
    const data = bytes.subarray(at + 4, at + 2 + length)
    if (length < 2 || data.length < length - 2) return undefined
    // Baseline, extended and progressive frames.
    if (marker >= 0xc0 && marker <= 0xc2) {
      size = frame(data)
      if (!size) return undefined
    }
    // The scan: without one there is no picture, whatever the frame says, and without an end of the image behind it the
    // picture is cut off, which is better said before it is accepted.
    if (marker === 0xda) return size && endsBehind(bytes, at + 2 + length) ? { ...size, ...found } : undefined
    if (marker === 0xd9) return undefined
    if (marker === 0xee && text(data, 0, 5) === 'Adobe') found.adobe = true
    if (marker === 0xe1 && text(data, 0, 4) === 'Exif') found.turns = exifTurns(data.subarray(6))
    if (marker === 0xe0 && text(data, 0, 4) === 'JFIF' && data.length >= 12) {
      const density = ((data[8] ?? 0) << 8) | (data[9] ?? 0)
      if (data[7] === 1) found.perInch = density
      else if (data[7] === 2) found.perInch = density * 2.54
    }
    at += 2 + length
  }
  return undefined
}

/** Data of a picture never hold the marker (B.1.1.5); what cameras append may. */
const endsBehind = (bytes: Uint8Array, at: number): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf('ffd9', undefined, 'hex') > at

type Size = Pick<JpegHead, 'width' | 'height' | 'components'>

function frame(data: Uint8Array): Size | undefined {
  const [precision = 0, h1 = 0, h2 = 0, w1 = 0, w2 = 0, components = 0] = data
  const [height, width] = [(h1 << 8) | h2, (w1 << 8) | w2]
  if (precision !== 8 || width < 1 || height < 1) return undefined
  if (components !== 1 && components !== 3 && components !== 4) return undefined
  return { width, height, components }
}

const text = (data: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...data.subarray(from, to))

/** The tag is in the first directory of a small TIFF; what is mirrored stays so. */
function exifTurns(tiff: Uint8Array): number {
  if (tiff.length < 14) return 0
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  const little = tiff[0] === 0x49
  const at = view.getUint32(4, little)
  if (at + 2 > tiff.length) return 0
  const count = view.getUint16(at, little)
  for (let entry = at + 2, n = 0; n < count && entry + 12 <= tiff.length; entry += 12, n += 1) {
    if (view.getUint16(entry, little) !== 0x112) continue
    return { 3: 2, 6: 1, 8: 3 }[view.getUint16(entry + 8, little)] ?? 0
  }
  return 0
}
