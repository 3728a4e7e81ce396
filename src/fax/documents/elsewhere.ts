/**
 * Pages made by another member, where this one lacks a program for it: asked over the links, one hop, the result is a
 * document that is fetched. A question is JSON with the document, the resolution and, for a call, the line above its
 * pages; the answer says which document the pages are.
 */
import { copyFile, rm } from 'node:fs/promises'
import type { Log } from '#core/log.ts'
import type { Answer } from '#core/member-questions.ts'
import type { DocumentReference } from '#messages/message.ts'
import { type DocumentStore, isHash } from '#store/documents.ts'
import type { PageHeader, PageOptions, PagesResult } from './contract.ts'

export const RENDER_TOPIC = 'fax-render'

/** Longer than Ghostscript may take for a document and for the lines above its pages, on a busy machine. */
const ANSWER_MS = 800_000

/** The other members, as far as making pages is concerned; the pair provides it. */
export interface RenderPeers {
  /** Those that are connected now. */
  connected(): readonly string[]
  request(to: string, body: string, deadlineMs: number): Promise<Answer>
}

/** What is known of pages. */
export interface Made {
  hash: string
  pages: number
  resolution: 98 | 196
}

type Make = (document: DocumentReference, options: PageOptions, header?: PageHeader) => Promise<PagesResult>

export interface ElsewhereParts {
  peers: RenderPeers
  documents: Pick<DocumentStore, 'adopt' | 'temporary'>
  /** Brings a document here. */
  find(document: { hash: string }): Promise<string | undefined>
  /** Makes pages here, or says why not. */
  make: Make
  log: Log
}

export function createElsewhere({ peers, documents, find, make, log }: ElsewhereParts) {
  const stopped = Promise.withResolvers<undefined>()
  return {
    /** @returns undefined where no other member made them */
    async pages(
      document: DocumentReference,
      { resolution }: PageOptions,
      header?: PageHeader,
    ): Promise<Extract<PagesResult, { result: 'pages' }> | undefined> {
      for (const to of peers.connected()) {
        const question = JSON.stringify({ document, resolution, header })
        const answer = await Promise.race([peers.request(to, question, ANSWER_MS), stopped.promise])
        if (answer === undefined) return undefined
        const made = answer.result === 'answered' ? readMade(answer.body) : undefined
        const file = made && (await find(made))
        if (made === undefined || file === undefined) continue
        log.info({ document: document.hash, by: to, ...made }, 'another member made pages of a document')
        if (header === undefined) return { ...made, result: 'pages', file, release: async () => {} }
        // A file of its own, gone with the call: two calls of one minute come to the same rows, and to one document.
        const own = documents.temporary()
        await copyFile(file, own)
        return { ...made, result: 'pages', file: own, release: () => rm(own, { force: true }) }
      }
      return undefined
    },
    /** For the topic RENDER_TOPIC. */
    async answer(body: string): Promise<Answer> {
      const question = readQuestion(body)
      if (question === undefined) return notUnderstood
      const { document, resolution, header } = question
      const made = await make(document, { resolution }, header)
      if (made.result !== 'pages') return { result: 'failed', code: made.reason.code, text: made.reason.text }
      // With its lines it is a file for this call alone: it becomes a document, and goes as one that nobody refers to.
      const hash = header === undefined ? made.hash : (await documents.adopt(made.file)).hash
      const answer: Made = { hash, pages: made.pages, resolution: made.resolution }
      return { result: 'answered', body: JSON.stringify(answer) }
    },
    /** Nobody is waited for any more. */
    stop: () => stopped.resolve(undefined),
  }
}

const notUnderstood: Answer = {
  result: 'failed',
  code: 'member-question-unknown',
  text: 'this is no document that this member makes pages of',
}

/** @returns undefined where the text is none that this program writes */
export function readMade(text: string): Made | undefined {
  try {
    const { hash, pages, resolution } = JSON.parse(text) as Partial<Made>
    if (typeof hash !== 'string' || !isHash(hash) || typeof pages !== 'number') return undefined
    return resolution === 98 || resolution === 196 ? { hash, pages, resolution } : undefined
  } catch {
    return undefined
  }
}

interface Question extends PageOptions {
  document: DocumentReference
  header?: PageHeader
}

function readQuestion(body: string): Question | undefined {
  try {
    const { document, resolution, header } = JSON.parse(body) as Partial<Question>
    if (resolution !== 98 && resolution !== 196) return undefined
    if (typeof document?.hash !== 'string' || !isHash(document.hash)) return undefined
    if (!['pdf', 'tiff', 'png', 'jpeg', 'text'].includes(document.type)) return undefined
    if (!Number.isSafeInteger(document.pages) || document.pages < 1) return undefined
    if (header === undefined) return { document, resolution }
    if (typeof header.sender !== 'string' || !Number.isFinite(header.at)) return undefined
    return { document, resolution, header: { sender: header.sender, at: header.at } }
  } catch {
    return undefined
  }
}
