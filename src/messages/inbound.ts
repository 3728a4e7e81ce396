/**
 * What arrives: one part of a short message as a line received it, and the whole message as people read it.
 * Parts are kept; a message is never thrown away because one of its parts is missing. A received fax is a message of one
 * part, whose pages are a document.
 */
import type { DocumentReference } from './message.ts'

export interface InboundFax {
  pages: number
  /** False when the call broke off, or its last page came in part. */
  complete: boolean
  /** A TIFF with its pages. */
  document: DocumentReference
  /** What the sender's machine calls itself (TSI). */
  station?: string
  /** Why it is not complete, for people. */
  problem?: string
}

export interface InboundPart {
  /** Hash over sender, service-centre time stamp and user data: the same part seen twice (routed and stored) is one. */
  fingerprint: string
  node: string
  line: string
  /** When this box had it, ms since 1970. */
  at: number
  from: string
  /** Service-centre time stamp (3GPP TS 23.040 9.2.3.11), ms since 1970. */
  sentAt: number
  text: string
  /** Absent for a message of one part. */
  concatenation?: { reference: number; width: 8 | 16; total: number; part: number }
  /** Present for a fax; the text is empty then. */
  fax?: InboundFax
  /** Which call brought the fax: its own member may bring all of it, and another one what was copied of it. */
  call?: string
}

export interface InboxEntry {
  id: string
  node: string
  line: string
  from: string
  sentAt: number
  /** When the first part came, ms since 1970. */
  at: number
  text: string
  /** False while parts are missing: the text then has a mark in each gap. */
  complete: boolean
  parts: { total: number; received: number }
  /** Grows when a late part fills a gap in an entry that was already shown. */
  revision: number
  fax?: InboundFax
}
