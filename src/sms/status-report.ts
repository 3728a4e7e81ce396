/** SMS-STATUS-REPORT: what became of a part that was sent. Pure. Rests on 3GPP TS 23.040 9.2.2.3. */
import { decodeAddress } from './address.ts'
import { decodeTimestamp, TIMESTAMP_OCTETS } from './timestamp.ts'

export interface StatusReportPdu {
  type: 'statusReport'
  /** TP-Message-Reference of the part. */
  reference: number
  to: string
  /** When the service centre took the part, ms since 1970; 0 when the stamp is no time. */
  sentAt: number
  /** When it was delivered or last tried, ms since 1970; 0 when the stamp is no time. */
  dischargedAt: number
  /** TP-Status, 0..255: tp-status.table.ts says what it means. */
  status: number
}

/**
 * What may follow TP-Status (parameter indicator, protocol, coding, user data) says nothing about the delivery and is
 * not read.
 * @param tpdu from its first octet
 */
export function decodeStatusReport(tpdu: Uint8Array): StatusReportPdu | undefined {
  const reference = tpdu[1]
  const recipient = decodeAddress(tpdu.subarray(2))
  if (reference === undefined || !recipient) return undefined
  const stampAt = 2 + recipient.length
  const dischargeAt = stampAt + TIMESTAMP_OCTETS
  const status = tpdu[dischargeAt + TIMESTAMP_OCTETS]
  if (status === undefined) return undefined
  return {
    type: 'statusReport',
    reference,
    to: recipient.address,
    sentAt: decodeTimestamp(tpdu.subarray(stampAt)) ?? 0,
    dischargedAt: decodeTimestamp(tpdu.subarray(dischargeAt)) ?? 0,
    status,
  }
}
