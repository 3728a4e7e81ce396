/** The state of a delivery in the words of Twilio (its API reference, "Message status values" and error codes). Pure. */
import type { Delivery } from '#messages/message.ts'

export type Status = 'queued' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'failed'

export interface DeliveryStatus {
  status: Status
  /** 30003: the phone was not reached. 30008: nobody knows. 30001: it was not sent in time. */
  error?: number
  reason?: string
}

/** A sid holds the 32 digits of our id. */
export const sidOf = (id: string): string => `SM${id.replaceAll('-', '')}`

export function statusOf({ state, reason, timeline }: Delivery): DeliveryStatus {
  const because = reason === undefined ? {} : { reason: reason.text }
  switch (state) {
    case 'queued':
    case 'claimed':
      return { status: 'queued' }
    case 'submitting':
    // Whether it went out is not known: a report, or a person, may still say so.
    case 'unknown':
      return { status: 'sending' }
    case 'sent':
      return { status: 'sent' }
    case 'delivered':
    case 'acknowledged':
      return { status: 'delivered' }
    case 'failed':
      return timeline.some(({ event }) => event === 'reportFailed')
        ? { status: 'undelivered', error: 30003, ...because }
        : { status: 'failed', error: 30008, ...because }
    case 'expired':
      return { status: 'failed', error: 30001, ...because }
    case 'cancelled':
      return { status: 'failed', error: 30008, ...because }
  }
}
