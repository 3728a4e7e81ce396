/**
 * How many pages a PDF has, and whether it can be read at all: Ghostscript is asked here, with its first page on trial, and where it is lacking,
 * another member's over the links, one hop. The question is JSON with the document and how many pages are taken; the
 * answer is what this member would have said itself.
 */
import type { Answer } from '#core/member-questions.ts'
import { type DocumentStore, isHash } from '#store/documents.ts'
import type { Ability } from './ability.ts'
import type { RenderPeers } from './elsewhere.ts'
import type { Ghostscript } from './ghostscript.ts'
import { broken, type Inspected, refused, tooMany } from './inspect.ts'
import type { Takers } from './takers.ts'

/** The document goes there, and may stand behind others that are looked at. */
const ANSWER_MS = 120_000

export interface CountingParts {
  ghostscript: Pick<Ghostscript, 'count'>
  ability: Pick<Ability, 'look'>
  documents: Pick<DocumentStore, 'find' | 'path'>
  /** Brings a document here. */
  find(document: { hash: string }): Promise<string | undefined>
  takers: Takers
  /** Absent on an appliance that stands alone. */
  peers?: RenderPeers | undefined
}

export interface Counting {
  /** @param most pages that are taken */
  count(hash: string, most: number): Promise<Inspected>
  /** For the topic RENDER_TOPIC. @returns undefined where the question is another one */
  answer(body: string): Promise<Answer | undefined>
  /** Nobody is waited for any more. */
  stop(): void
}

export function createCounting(parts: CountingParts): Counting {
  const { ghostscript, ability, documents, find, takers, peers } = parts
  const stopped = Promise.withResolvers<undefined>()

  /** @returns undefined where Ghostscript is missing or does not work */
  async function here(hash: string, most: number): Promise<Inspected | undefined> {
    const ran = await ghostscript.count(documents.path(hash))
    switch (ran.result) {
      case 'missing':
        await ability.look()
        return undefined
      case 'exceeded':
        return tooComplex
      case 'stopped':
        return busy
      default: {
        if (/requires a password/i.test(ran.said)) {
          return refused(
            'document-encrypted',
            'The PDF is encrypted and asks for a password. Save it without one and send it again.',
          )
        }
        const pages = Number(/^pages ([0-9]+)$/m.exec(ran.said)?.[1] ?? 0)
        if (ran.result === 'failed' && !(await ability.look())) return undefined
        if (ran.result === 'failed' || pages === 0 || /page not found/.test(ran.said))
          return broken('Ghostscript finds no page in it')
        return pages > most ? tooMany({ pages: most }, pages) : { result: 'document', type: 'pdf', pages }
      }
    }
  }

  /** @returns undefined where no other member could */
  async function elsewhere(hash: string, most: number): Promise<Inspected | undefined> {
    for (const to of peers?.connected() ?? []) {
      const question = JSON.stringify({ count: hash, most })
      const answer = await Promise.race([peers?.request(to, question, ANSWER_MS), stopped.promise])
      const said = answer?.result === 'answered' ? readInspected(answer.body) : undefined
      if (said !== undefined) return said
    }
    return undefined
  }

  return {
    async count(hash, most) {
      return (await here(hash, most)) ?? (await elsewhere(hash, most)) ?? nobody
    },
    async answer(body) {
      const question = readQuestion(body)
      if (question === undefined) return undefined
      const { count: hash, most } = question
      const fresh = (await documents.find(hash)) === undefined
      if ((await find({ hash })) === undefined) return notHere
      const taker = takers.join(hash, fresh)
      const said = await here(hash, most).catch(() => undefined)
      // What is taken comes here anyway; what is refused leaves nothing.
      if (said?.result === 'document') taker.take()
      else await taker.leave()
      return said === undefined || said === busy ? cannot : { result: 'answered', body: JSON.stringify(said) }
    },
    stop: () => stopped.resolve(undefined),
  }
}

export const GHOSTSCRIPT_MISSING =
  'Ghostscript, which makes pages of documents, is not installed on this appliance or does not work. Install the packages ghostscript and util-linux anew.'

const nobody: Inspected = refused('ghostscript-missing', GHOSTSCRIPT_MISSING)

const busy: Inspected = refused('document-busy', 'The appliance is stopping; try again.')

export const tooComplex: Inspected = refused(
  'document-too-complex',
  'The document takes more time or memory than is allowed to look at. Print it into a new PDF and send that.',
)

const notHere: Answer = {
  result: 'failed',
  code: 'member-document-unknown',
  text: 'this member does not have that document, and got it from nobody',
}
const cannot: Answer = {
  result: 'failed',
  code: 'member-busy',
  text: 'this member cannot count pages now',
}

function readQuestion(body: string): { count: string; most: number } | undefined {
  try {
    const { count, most } = JSON.parse(body) as Record<string, unknown>
    if (typeof count !== 'string' || !isHash(count)) return undefined
    return typeof most === 'number' && Number.isSafeInteger(most) && most > 0 ? { count, most } : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined where the text is none that this program writes */
function readInspected(text: string): Inspected | undefined {
  try {
    const { result, pages, code, text: words } = JSON.parse(text) as Record<string, unknown>
    if (result === 'document' && typeof pages === 'number' && Number.isSafeInteger(pages) && pages > 0)
      return { result, type: 'pdf', pages }
    return result === 'refused' && typeof code === 'string' && typeof words === 'string'
      ? refused(code, words)
      : undefined
  } catch {
    return undefined
  }
}
