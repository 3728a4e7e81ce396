/**
 * Documents as the rest of the program sees them: taken in by a way in, and turned into pages for a fax line. The work
 * is in taking.ts (what comes in) and pages.ts (what goes out).
 */
import type { Values } from '#core/errors.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { Reason } from '#messages/states.ts'

export type Paper = 'a4' | 'letter' | 'legal'

/** What is stored as pages; documents that are pages already (a TIFF of 1728 dots a row) stay as they are. */
export interface PageOptions {
  /** Rows an inch. */
  resolution: 98 | 196
}

/** The line above each page: sender, time, page n/m. Rows of its own, on top of those of the page. */
export interface PageHeader {
  /** Who sends, as people read it: the station's number, or a name. */
  sender: string
  /** When the call begins, ms since 1970. */
  at: number
}

export type PagesResult =
  | {
      result: 'pages'
      /** A TIFF as CallOut has it. */
      file: string
      /** Of the pages without the lines above them. */
      hash: string
      pages: number
      /** Of the first page; those of a TIFF may differ, and each says its own. */
      resolution: 98 | 196
      /** The call is over: what was made for it alone (the lines above the pages) is removed. */
      release(): Promise<void>
    }
  /** It never will be pages: `failed(reason)`. */
  | { result: 'failed'; reason: Reason }
  /** Not now (no room on the disk, the document is on another member that is away): try again later. */
  | {
      result: 'later'
      reason: Reason
      /** A program is missing here; another member may have it. */
      lacking?: true
    }

/** Why a document was not taken; nothing is stored then. Codes stand in docs/errors.md. */
export interface Refusal {
  result: 'refused'
  /** Of HTTP: 413, 415, 422, 503 or 507. */
  status: number
  code: string
  text: string
  values?: Values
}

export type Taken = { result: 'taken'; document: DocumentReference } | Refusal

export interface FaxDocuments {
  /**
   * Stores a document while it comes, sends it to the other members meanwhile, and looks at it: type, encryption, pages.
   * Resolves when it is on this disk, and on another member's or after 5 s and 1 s a megabyte.
   * @param name as its client calls it
   */
  take(source: AsyncIterable<Uint8Array>, name: string): Promise<Taken>
  /** Its bytes, from here or from another member; undefined when nobody has them. The path is good until the archive drops it. */
  find(document: Pick<DocumentReference, 'hash'>): Promise<string | undefined>
  /**
   * The pages that are sent. Made once for a document and its options, kept on this disk and (where another member is
   * connected) on its, so that a call that is resumed elsewhere sends the same rows. Call it before dialling.
   */
  pages(document: DocumentReference, options: PageOptions, header?: PageHeader): Promise<PagesResult>
  /**
   * One page of a TIFF of pages, for people to look at.
   * @param document pages as pages() made them, or as they were received @param page from 1
   * @returns a PNG; undefined where nobody has the document, or it has no such page
   */
  picture(document: Pick<DocumentReference, 'hash'>, page: number): Promise<Buffer | undefined>
  /** What this appliance lacks to fax, where it has a fax line: a sentence each, with what to do. */
  troubles(): readonly string[]
}
