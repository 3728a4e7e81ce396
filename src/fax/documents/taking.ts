/**
 * Takes documents in: stored while they come, sent to the other members meanwhile, then looked at. What is refused is
 * refused here, before anybody is told that it was accepted; how it becomes pages is later business.
 */
import { CodedError, errorText, type Values } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { DocumentReference } from '#messages/message.ts'
import {
  type DocumentPeers,
  type DocumentStore,
  type Receiving,
  type StoredDocument,
  waitFor,
} from '#store/documents.ts'
import type { Ability } from './ability.ts'
import type { Workshop } from './apart.ts'
import type { Paper, Refusal, Taken } from './contract.ts'
import { type Counting, GHOSTSCRIPT_MISSING, tooComplex } from './counting.ts'
import { type Inspected, refused } from './inspect.ts'
import { installed } from './programs.ts'
import type { Takers } from './takers.ts'

export interface DocumentLimits {
  /** Pages of one document. */
  maxPages: number
  /** Bytes of one document. */
  maxSize: number
  paper: Paper
}

export interface TakingParts {
  documents: DocumentStore
  peers: DocumentPeers
  workshop: Workshop
  counting: Pick<Counting, 'count'>
  takers: Takers
  ability: Pick<Ability, 'anywhere'>
  limits: DocumentLimits
  log: Log
}

/** Uploads at a time. */
const MOST_AT_ONCE = 8
const NAME_CHARACTERS = 200

/** How a refusal is told over HTTP, where it is not 422. */
const STATUS: Readonly<Record<string, number>> = {
  'document-too-large': 413,
  'document-unsupported': 415,
  'document-busy': 503,
  'document-incomplete': 400,
  'ghostscript-missing': 503,
  'disk-full': 507,
}

export function createTaking(parts: TakingParts) {
  const { documents, peers, limits, takers, log } = parts
  let under = 0

  async function take(source: AsyncIterable<Uint8Array>, name: string): Promise<Taken> {
    if (under >= MOST_AT_ONCE)
      return refusal('document-busy', 'Too many documents come at a time; try again.')
    under += 1
    try {
      return await receive(source, name)
    } catch (error) {
      if (error instanceof CodedError) return refusal(error.code, error.message, error.values)
      throw error
    } finally {
      under -= 1
    }
  }

  async function receive(source: AsyncIterable<Uint8Array>, name: string): Promise<Taken> {
    const receiving = await documents.receive(limits.maxSize)
    const following = peers.follow(receiving)
    try {
      const stored = await written(receiving, source)
      const taker = takers.join(stored.hash, receiving.fresh)
      const looked = await look(stored).catch(async (error: unknown) => {
        await taker.leave()
        throw error
      })
      if (looked.result === 'refused') {
        log.info({ document: stored.hash, code: looked.code }, 'a document was refused')
        await taker.leave()
        return refusal(looked.code, looked.text, looked.values)
      }
      taker.take()
      // Somebody else who was refused the same bytes may have removed them just as they came.
      if ((await documents.find(stored.hash)) === undefined)
        return refusal('document-busy', 'The same document was refused to somebody else just now; try again.')
      // From here on `accept.wait` counts: all of it is with the other members already, but for their last word.
      const replicated = await following.settled(stored, waitFor(stored.bytes))
      const { type, pages } = looked
      log.info(
        { document: stored.hash, type, pages, bytes: stored.bytes, replicated },
        'a document was taken',
      )
      return {
        result: 'taken',
        document: {
          hash: stored.hash,
          type,
          name: nameOf(name, type),
          bytes: stored.bytes,
          pages,
          // A text has other pages on other paper: whoever sends it takes what was counted here.
          paper: limits.paper,
        },
      }
    } finally {
      following.dropped()
      await receiving.abandon()
      await receiving.close()
    }
  }

  async function written(receiving: Receiving, source: AsyncIterable<Uint8Array>): Promise<StoredDocument> {
    try {
      for await (const chunk of source) await receiving.write(chunk)
    } catch (error) {
      if (error instanceof CodedError) throw error
      throw new CodedError('document-incomplete', `The document ended before its end: ${errorText(error)}`, {
        cause: error,
      })
    }
    const stored = await receiving.finish()
    if (!stored) throw new CodedError('document-incomplete', 'The document was not kept.')
    return stored
  }

  async function look({ hash }: StoredDocument): Promise<Inspected> {
    const { maxPages: pages, paper } = limits
    const ran = await parts.workshop.run({ job: 'inspect', file: documents.path(hash), pages, paper })
    if (ran.result === 'busy')
      return refused('document-busy', 'Too many documents come at a time; try again.')
    if (ran.result === 'died') return tooComplex
    const { done } = ran
    if (done.result === 'document' && !done.native && !(await parts.ability.anywhere()))
      return refused('ghostscript-missing', GHOSTSCRIPT_MISSING)
    if (done.result === 'document' && done.foreign && !installed('tiff2pdf'))
      return refused('document-unsupported', TIFF_PROGRAM_MISSING)
    return done.result === 'document' && done.type === 'pdf' ? parts.counting.count(hash, pages) : done
  }

  return { take }
}

const TIFF_PROGRAM_MISSING =
  'The TIFF has colours, shades of grey or a compression that the appliance reads with tiff2pdf only, which is not installed. Save it in black and white or as a PDF, or install the package libtiff-tools.'

const refusal = (code: string, text: string, values?: Values): Refusal => ({
  result: 'refused',
  status: STATUS[code] ?? 422,
  code,
  text,
  ...(values === undefined ? {} : { values }),
})

/** What people called it, without what a name cannot hold and without directories. */
function nameOf(name: string, type: DocumentReference['type']): string {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const shown = last
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, NAME_CHARACTERS)
  return shown === '' ? `document.${type === 'text' ? 'txt' : type}` : shown
}
