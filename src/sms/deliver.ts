/**
 * PDUs that a modem hands over: messages (SMS-DELIVER) and status reports. Pure, never throws.
 *
 * Rests on 3GPP TS 23.040 9.2.2.1 (layout), 9.2.3.1 (message types) and 27.005 (the service centre's address comes before
 * the TPDU and is not counted in the length that the modem gives). Some modems leave that address out, so both readings
 * are tried, the likelier first.
 */
import { createHash } from 'node:crypto'
import { decodeAddress, decodeServiceCentre } from './address.ts'
import { type DataCoding, decodeDataCoding, type MessageWaiting } from './data-coding.ts'
import { decodeStatusReport, type StatusReportPdu } from './status-report.ts'
import { decodeTimestamp, TIMESTAMP_OCTETS } from './timestamp.ts'
import { type Concatenation, decodeUserData } from './user-data.ts'

export interface DeliverPdu {
  type: 'deliver'
  /** Number of the service centre; empty when the modem does not give it. */
  smsc: string
  /** A number, or the letters of an alphanumeric sender. */
  from: string
  /** Service-centre time stamp, ms since 1970; 0 when the stamp is no time. */
  sentAt: number
  /** See UserData for how octets that are no text are shown. */
  text: string
  alphabet: DataCoding['alphabet']
  concatenation?: Concatenation
  flash: boolean
  waiting?: MessageWaiting
  /** SHA-256, hex, over originating address, time stamp, data coding and user data: the same part seen twice is one. */
  fingerprint: string
}

export interface BadPdu {
  type: 'bad'
  reason: string
}

export type IncomingPdu = DeliverPdu | StatusReportPdu | BadPdu

/** A TPDU has at most 164 octets (9.2.2.1) and the address before it 12; the rest is for modems that append something. */
const MAX_OCTETS = 512
/** The longest service-centre address: type and 20 digits (24.011 8.2.5.2). */
const MAX_SERVICE_CENTRE_OCTETS = 11

/**
 * @param tpduLength the length that came with the PDU (`+CMT: …,<length>`), where there was one
 */
export function decodeIncoming(pduHex: string, tpduLength?: number): IncomingPdu {
  const hex = pduHex.trim()
  if (hex === '') return bad('The PDU is empty.')
  if (hex.length > MAX_OCTETS * 2) return bad(`The PDU has more than ${MAX_OCTETS} octets.`)
  if (hex.length % 2 !== 0 || !/^[0-9A-Fa-f]+$/.test(hex))
    return bad('The PDU is not pairs of hexadecimal digits.')
  const octets = new Uint8Array(Buffer.from(hex, 'hex'))
  const readings = tpduOffsets(octets, tpduLength).map((offset) => {
    const smsc = offset > 1 ? decodeServiceCentre(octets.subarray(1, offset)) : ''
    const tpdu = octets.subarray(offset)
    return decodeTpdu(tpdu, smsc, tpduLength !== undefined && tpdu.length < tpduLength)
  })
  // Octets read from the wrong place rarely show a time; a message whose stamp is broken still has the likelier reading.
  const sound = readings.find((reading) => reading.type !== 'bad' && reading.sentAt > 0)
  return sound ?? readings[0] ?? bad('The PDU ends before the TPDU.')
}

/** Where the TPDU may begin, the likeliest first. */
function tpduOffsets(octets: Uint8Array, tpduLength: number | undefined): number[] {
  const counted = octets[0] ?? 0
  const type = octets[1] ?? 0
  const plausible =
    counted === 0 || (counted >= 2 && counted <= MAX_SERVICE_CENTRE_OCTETS && (type & 0x80) !== 0)
  if (!plausible) return [0]
  return octets.length === tpduLength ? [0, 1 + counted] : [1 + counted, 0]
}

/** @param short the line gave fewer octets than it announced */
function decodeTpdu(tpdu: Uint8Array, smsc: string, short: boolean): IncomingPdu {
  const first = tpdu[0]
  if (first === undefined) return bad('The PDU ends before the TPDU.')
  // TP-Message-Type-Indicator, as the service centre sends it (9.2.3.1); the reserved value counts as SMS-DELIVER.
  switch (first & 0x03) {
    case 0x01:
      return bad('The PDU is a message that was sent from here, not one that was received.')
    case 0x02:
      return decodeStatusReport(tpdu) ?? bad('The status report ends too early.')
    default:
      return decodeDeliver(tpdu, smsc, short)
  }
}

/** TP-User-Data-Header-Indicator. */
const HAS_HEADER = 0x40

function decodeDeliver(tpdu: Uint8Array, smsc: string, short: boolean): DeliverPdu | BadPdu {
  const sender = decodeAddress(tpdu.subarray(1))
  if (!sender) return bad("The message ends within the sender's address.")
  const protocolAt = 1 + sender.length
  const scheme = tpdu[protocolAt + 1]
  const stampAt = protocolAt + 2
  const lengthAt = stampAt + TIMESTAMP_OCTETS
  const length = tpdu[lengthAt]
  if (scheme === undefined || length === undefined) return bad('The message ends before its text.')
  const { alphabet, flash, waiting } = decodeDataCoding(scheme)
  const octets = alphabet === 'gsm7' ? Math.ceil((length * 7) / 8) : length
  // What a memory appends to a record (0xFF) is no part of the message, and would make a stored copy look like another one.
  const userData = tpdu.subarray(lengthAt + 1, lengthAt + 1 + octets)
  // Half a message must not pass for a whole one; but a message that is whole by its own account is taken as it is.
  if (short && userData.length < octets) return bad('The PDU is cut short.')
  const hasHeader = ((tpdu[0] ?? 0) & HAS_HEADER) !== 0
  const fingerprint = createHash('sha256')
    .update(tpdu.subarray(1, protocolAt))
    .update(tpdu.subarray(protocolAt + 1, lengthAt + 1))
    .update(userData)
    .digest('hex')
  return {
    type: 'deliver',
    smsc,
    from: sender.address,
    sentAt: decodeTimestamp(tpdu.subarray(stampAt)) ?? 0,
    ...decodeUserData(userData, length, hasHeader, alphabet),
    alphabet,
    flash,
    ...(waiting ? { waiting } : {}),
    fingerprint,
  }
}

const bad = (reason: string): BadPdu => ({ type: 'bad', reason })
