/**
 * The bytes of a mail into its headers and words (RFC 5322, RFC 2045 to 2047), by postal-mime. Called for small mails
 * where they arrive and for large ones in a process of its own (reader.ts), for a mail can be made to take any time.
 */
import { isUtf8 } from 'node:buffer'
import PostalMime, { type Attachment as MailAttachment } from 'postal-mime'
import type { Headers } from './headers.ts'
import { htmlToText } from './html.ts'
import type { Words } from './text.ts'

export interface Mail extends Words {
  headers: { key: string; value: string }[]
  /** Absent when the client gave none. */
  messageId?: string
  /** In the mail's order; none where they were not asked for. */
  attachments: readonly Attachment[]
}

export interface Attachment {
  name: string
  bytes: Uint8Array
}

/** Parts within parts; real mail has four or five. */
const limits = { maxNestingDepth: 20, maxHeadersSize: 256_000, maxRfc822NestingDepth: 2 }
/** More than any text that can be sent, with the HTML around it. */
const MOST_BODY = 1_000_000

/** What programs add by themselves: signatures and keys (RFC 8551, RFC 3156), invitations, business cards. */
const byThemselves =
  /^(application\/(x-)?(pkcs7-signature|pgp-signature|pgp-keys|ics)|text\/(calendar|(x-)?vcard|directory))$/

/**
 * @param attachments whether they are wanted
 * @throws Error when the mail cannot be understood
 */
export async function parseMail(bytes: Uint8Array, attachments = false): Promise<Mail> {
  const parsed = await PostalMime.parse(asUtf8(bytes), limits)
  const { headers, subject, text, html, messageId } = parsed
  const plain = text?.slice(0, MOST_BODY) ?? ''
  return {
    headers: headers.map(({ key, value }) => ({ key, value })),
    subject: subject ?? '',
    body: plain.trim() === '' && html !== undefined ? htmlToText(html.slice(0, MOST_BODY)) : plain,
    reply: isReply(headers),
    attachments: attachments ? documentsOf(parsed.attachments) : [],
    ...(messageId === undefined ? {} : { messageId }),
  }
}

/** Pictures that belong to the HTML are none: the logo of a signature is not to be faxed. */
const documentsOf = (all: readonly MailAttachment[]): Attachment[] =>
  all
    .filter(({ related, mimeType }) => related !== true && !byThemselves.test(mimeType))
    .map(({ filename, content }) => ({
      name: filename ?? '',
      bytes: typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content),
    }))

const isReply = (headers: Headers): boolean =>
  headers.some(({ key, value }) => (key === 'in-reply-to' || key === 'references') && value.trim() !== '')

/**
 * Devices that send 8-bit text and do not say in what: where it is not UTF-8, it is what Windows calls Western, the
 * superset of Latin-1 that every browser takes it for.
 */
function asUtf8(bytes: Uint8Array): Uint8Array {
  if (isUtf8(bytes)) return bytes
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (/charset\s*=|content-transfer-encoding:\s*binary/i.test(head)) return bytes
  return Buffer.from(new TextDecoder('windows-1252').decode(bytes))
}
