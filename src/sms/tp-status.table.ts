/**
 * What a status report means: every value of TP-Status, 3GPP TS 23.040 9.2.3.15.
 *
 * Four groups by the upper bits: completed, temporary (the service centre still tries), permanent, temporary (it has
 * stopped trying). In each, 0x10 and up belong to the service centre. Reserved values count as service rejected
 * (0x63), as the clause demands. Only 0x00 proves that the phone has the message, so only it is `delivered`: where the
 * service centre merely says it is done, the delivery stays `sent`.
 */

export interface TpStatus {
  outcome: 'delivered' | 'pending' | 'failed'
  /** The cause may pass: the same message may get through later. */
  temporary: boolean
  /** For programs: stable, documented. */
  code: string
  /** For people. */
  text: string
}

type Row = readonly [code: string, text: string]

/** 0x20 to 0x25 while the service centre still tries, 0x60 to 0x65 when it has given up. */
const temporaryCauses: readonly Row[] = [
  ['congestion', 'the network is congested'],
  ['phone-busy', 'the phone is busy'],
  ['no-response', 'the phone does not answer; it may be switched off or out of reach'],
  ['service-rejected', 'the service was rejected'],
  ['no-quality-of-service', 'the quality of service is not available'],
  ['phone-error', 'the phone reports an error'],
]

/** 0x40 to 0x49. */
const permanentCauses: readonly Row[] = [
  ['remote-procedure-error', 'a remote procedure failed'],
  ['incompatible-destination', 'the destination is incompatible'],
  ['connection-rejected', 'the phone rejected the connection'],
  ['not-obtainable', 'the number cannot be reached'],
  ['no-quality-of-service', 'the quality of service is not available'],
  ['no-interworking', 'the networks do not work together'],
  ['validity-expired', 'its validity ended before it could be delivered'],
  ['deleted-by-sender', 'it was deleted at the request of the sender'],
  ['deleted-by-centre', 'the service centre deleted it'],
  ['does-not-exist', 'the service centre does not know the message'],
]

const tried = 'The service centre still tries'
const stopped = 'The service centre has given up'

/** @param status one octet; anything else counts as reserved */
export function tpStatus(status: number): TpStatus {
  const group = status & 0x60
  const value = status & 0x1f
  if (!Number.isInteger(status) || status < 0 || status > 0x7f) return reserved(status)
  switch (group) {
    case 0x00:
      return completed(status)
    case 0x20: {
      const row = temporaryCauses[value]
      if (row)
        return {
          outcome: 'pending',
          temporary: true,
          code: row[0],
          text: `${tried}: ${row[1]}.`,
        }
      if (value < 0x10) return reserved(status)
      return {
        outcome: 'pending',
        temporary: true,
        code: 'centre-status',
        text: `${tried}${own(status)}`,
      }
    }
    case 0x40: {
      const row = permanentCauses[value]
      if (row)
        return {
          outcome: 'failed',
          temporary: false,
          code: row[0],
          text: `Not delivered: ${row[1]}.`,
        }
      if (value < 0x10) return reserved(status)
      return {
        outcome: 'failed',
        temporary: false,
        code: 'centre-status',
        text: `Not delivered${own(status)}`,
      }
    }
    default: {
      const row = temporaryCauses[value]
      if (row)
        return {
          outcome: 'failed',
          temporary: true,
          code: row[0],
          text: `${stopped}: ${row[1]}.`,
        }
      if (value < 0x10) return reserved(status)
      return {
        outcome: 'failed',
        temporary: true,
        code: 'centre-status',
        text: `${stopped}${own(status)}`,
      }
    }
  }
}

/** 0x00 to 0x1F: the service centre is done with the message. */
function completed(status: number): TpStatus {
  if (status === 0x00)
    return {
      outcome: 'delivered',
      temporary: false,
      code: 'delivered',
      text: 'The phone has received it.',
    }
  if (status === 0x01) {
    const text = 'It was forwarded to the phone, but the service centre cannot confirm delivery.'
    return { outcome: 'pending', temporary: false, code: 'forwarded', text }
  }
  if (status === 0x02) {
    const text = 'Not delivered: the service centre replaced it with a later message.'
    return { outcome: 'failed', temporary: false, code: 'replaced', text }
  }
  if (status < 0x10) return reserved(status)
  const text = `The service centre is done, without saying that it was delivered${own(status)}`
  return { outcome: 'pending', temporary: false, code: 'centre-status', text }
}

function reserved(status: number): TpStatus {
  const text = `${stopped}: it answered with the reserved status ${hex(status)}, which counts as service rejected.`
  return { outcome: 'failed', temporary: true, code: 'reserved-status', text }
}

const own = (status: number): string => ` (its own status ${hex(status)}).`
const hex = (status: number): string => `0x${status.toString(16).toUpperCase().padStart(2, '0')}`
