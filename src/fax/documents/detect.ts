/** What a document is, from its first bytes: names and media types say what somebody hoped. Pure. */
import type { DocumentReference } from '#messages/message.ts'
import { utf16 } from './text.ts'

export type DocumentType = DocumentReference['type']

/** As many bytes as detect() wants to see. */
export const HEAD_BYTES = 1_024

const begins = (head: Uint8Array, ...bytes: number[]): boolean =>
  bytes.every((byte, index) => head[index] === byte)

/** What people send that is no document here, and what they can do about it. */
const others: readonly [what: string, ...bytes: number[]][] = [
  ['a ZIP file, such as Office documents are', 0x50, 0x4b, 0x03, 0x04],
  ['an old Office document', 0xd0, 0xcf, 0x11, 0xe0],
  ['a GIF picture', 0x47, 0x49, 0x46, 0x38],
  ['a RTF document', 0x7b, 0x5c, 0x72, 0x74, 0x66],
  ['a PostScript program', 0x25, 0x21, 0x50, 0x53],
  ['a compressed file', 0x1f, 0x8b],
]

/**
 * @param head its first HEAD_BYTES
 * @returns the type, or what it is instead; `text` says only that it may be one
 */
export function detect(head: Uint8Array): { type: DocumentType } | { instead: string } {
  if (begins(head, 0x49, 0x49, 42, 0) || begins(head, 0x4d, 0x4d, 0, 42)) return { type: 'tiff' }
  if (begins(head, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return { type: 'png' }
  if (begins(head, 0xff, 0xd8, 0xff)) return { type: 'jpeg' }
  // Readers look for it within the first kilobyte (ISO 32000-1, annex H.3, note 13).
  if (new TextDecoder('latin1').decode(head).includes('%PDF-')) return { type: 'pdf' }
  const other = others.find(([, ...bytes]) => begins(head, ...bytes))
  if (other) return { instead: other[0] }
  return head.includes(0) && utf16(head) === undefined
    ? { instead: 'of a kind that is not known here' }
    : { type: 'text' }
}
