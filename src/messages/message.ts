/**
 * What a client asked for, and the unit that the queue holds.
 *
 * A message has one delivery per recipient and channel; a delivery is tried in attempts, each on one line.
 * Pure data: no I/O, and only states.ts changes a delivery.
 */
import type { Order } from './order.ts'
import type { DeliveryState, Reason } from './states.ts'

export const channels = ['sms', 'fax', 'voice'] as const
export type Channel = (typeof channels)[number]

/** 0 is the highest, 2 the default. */
export const priorities = [0, 1, 2, 3] as const
export type Priority = (typeof priorities)[number]

/** What to do when the line never said whether it transmitted: send again (flagged), or leave it to a person. */
export type OnUnknown = 'resend' | 'hold'

/** How the text goes into SMS parts; fixed at acceptance, so that a resumed message splits the same way. */
export interface Coding {
  alphabet: 'gsm7' | 'ucs2'
  /** 3GPP TS 23.038 national language identifiers (6.2.1.2.4), 0 = the default table. */
  locking: number
  single: number
  /** Width of the concatenation reference in bits (3GPP TS 23.040 9.2.3.24.1 and .8). */
  reference: 8 | 16
}

export interface Message {
  id: string
  /** Accepted at, ms since 1970. */
  at: number
  /** The member that accepted it; absent in what the first version accepted, which knew no members. */
  node?: string
  /** The intake and who used it, e.g. `http:monitoring` (the token's name). */
  source: string
  text: string
  priority: Priority
  /** How long after acceptance it may still be sent, ms. */
  validity: number
  onUnknown: OnUnknown
  /** SMS class 0: shown at once, not stored. */
  flash: boolean
  tag?: string
  /** What the storm guard takes for the same message, instead of the text. */
  dedupe?: string
  coding?: Coding
  callback?: Callback
  /** What a fax sends; its text then is what was said beside it, e.g. the subject of a mail. */
  document?: DocumentReference
}

/** A document is stored once, under its hash, on every member that has it; messages refer to it. */
export interface DocumentReference {
  /** SHA-256 of its bytes, hex in lower case. */
  hash: string
  /** Detected from the content. */
  type: 'pdf' | 'tiff' | 'png' | 'jpeg' | 'text'
  /** As the client called it, for people. */
  name: string
  bytes: number
  pages: number
  /** What its pages are fitted to, as whoever accepted it has it configured: on every member they are the same. */
  paper?: 'a4' | 'letter' | 'legal'
}

/** What a client of a foreign interface wants to be told about each delivery, and where (intake/compat/callbacks.ts). */
export interface Callback {
  api: 'kannel' | 'twilio'
  /** http or https. */
  url: string
  /** What the interface must remember of the request to tell it. */
  values: Readonly<Record<string, string>>
}

export interface Delivery {
  /** `<message id>.<n>`, n counting from 0. */
  id: string
  message: string
  to: string
  channel: Channel
  priority: Priority
  state: DeliveryState
  /** Why it is in this state, when a word is owed. */
  reason?: Reason
  /** How many parts (SMS) or pages (fax) it takes. */
  parts: number
  /** Parts that the far side has confirmed, in order from the first. */
  confirmed: number
  /** The part whose transmission may be under way; absent when nothing is in doubt. */
  intended?: number
  /** Fax: the message that ends the intended page, and asks for its confirmation, may have been sent. */
  postPage?: true
  /** Fax: calls since it was queued, or since a person asked for it again. */
  dials?: number
  /** TP-Message-Reference of each confirmed part (3GPP TS 23.040 9.2.3.6). */
  references: number[]
  /** Parts whose status report says delivered. */
  reported: number[]
  /** Concatenation reference that the confirmed parts carry; absent before the first intent. */
  concatenation?: number
  /** The member and line of the last attempt. */
  node?: string
  line?: string
  attempts: number
  /** How often in a row it failed for a reason that a later try may mend; sets the pause before the next try. */
  failures: number
  /** Somebody may get it twice: a former attempt may or may not have been transmitted. */
  possibleDuplicate: boolean
  /** Not tried before this time, ms since 1970. */
  due: number
  /** Not sent after this time, ms since 1970. */
  expires: number
  /** While `sent`: when waiting for status reports ends, ms since 1970; absent when none is awaited. */
  reportBy?: number
  /** The line that a person chose for it, of which member; `only`: no other may have it. */
  via?: { node: string; line: string; only: boolean }
  /** The member that alone may transmit it; absent: whoever is active. */
  owner?: string
  /** Members that had it, where one gave it to another for want of a line: nobody gets it a second time. */
  handed?: readonly string[]
  /** Of the newest log entry that made it what it is; set by the store. */
  latest?: Order
  timeline: TimelineEntry[]
}

export interface TimelineEntry {
  at: number
  /** The event that happened, a key of the transition table in states.ts. */
  event: string
  /** The state after it. */
  state: DeliveryState
  /** The member where it happened; absent of acceptance, which the message tells, and of what an older version wrote. */
  node?: string
  line?: string
  part?: number
  reason?: Reason
}

/** The number of entries a timeline keeps: the first and the newest ones, so that endless retries stay bounded. */
export const TIMELINE_LIMIT = 100

export const deliveryId = (message: string, n: number): string => `${message}.${n}`
export const messageOf = (delivery: string): string => delivery.slice(0, delivery.lastIndexOf('.'))

/** A new delivery, as acceptance makes it. */
export function newDelivery(
  message: Message,
  n: number,
  to: string,
  channel: Channel,
  parts: number,
): Delivery {
  return {
    id: deliveryId(message.id, n),
    message: message.id,
    to,
    channel,
    priority: message.priority,
    state: 'queued',
    parts,
    confirmed: 0,
    references: [],
    reported: [],
    attempts: 0,
    failures: 0,
    possibleDuplicate: false,
    due: message.at,
    expires: message.at + message.validity,
    timeline: [{ at: message.at, event: 'accept', state: 'queued' }],
  }
}
