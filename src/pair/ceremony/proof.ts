/**
 * Who knows the secret of an invitation, shown without saying it: an HMAC over both certificates and over what only the
 * two ends of this TLS session know (RFC 8446 7.5, exporters). A proof is therefore worth nothing in another session, to
 * another certificate or in the other direction. Pure.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface Session {
  /** TLS exporter of this session, 32 bytes. */
  exporter: Buffer
  /** SHA-256 of the inviter's certificate, hex. */
  inviter: string
  /** SHA-256 of the joiner's certificate, hex. */
  joiner: string
}

export const EXPORTER_LABEL = 'EXPORTER-twinline-join'
export const EXPORTER_BYTES = 32

/** How the joiner names the invitation: 64 bits that tell nothing of use about the 80 of the secret within its ten minutes. */
export const invitationId = (secret: Buffer): string =>
  createHash('sha256').update('twinline invitation ').update(secret).digest('hex').slice(0, 16)

/** @param side who proves that it knows the secret. @returns hex */
export const proofOf = (
  side: 'inviter' | 'joiner',
  secret: Buffer,
  { exporter, inviter, joiner }: Session,
): string =>
  createHmac('sha256', secret)
    .update(`twinline-join/1 ${side} ${inviter} ${joiner} `)
    .update(exporter)
    .digest('hex')

export function sameProof(given: string, wanted: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(wanted)
  return a.length === b.length && timingSafeEqual(a, b)
}
