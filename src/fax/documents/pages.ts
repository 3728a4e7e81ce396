/**
 * Documents into pages for a fax line. Pages are made once for a document and a resolution, kept as a document of their
 * own, remembered (fact `pages:HASH:RESOLUTION:PAPER`) and brought to the other members before anybody dials: a call
 * that is resumed on another member or after a restart sends the same rows.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Log } from '#core/log.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { Reason } from '#messages/states.ts'
import type { Store } from '#store/contract.ts'
import { type DocumentPeers, type DocumentStore, waitFor } from '#store/documents.ts'
import type { Ability } from './ability.ts'
import type { Apart, Workshop } from './apart.ts'
import type { PageHeader, PageOptions, PagesResult } from './contract.ts'
import { GHOSTSCRIPT_MISSING } from './counting.ts'
import { createElsewhere, type Made, type RenderPeers, readMade } from './elsewhere.ts'
import { type Ghostscript, ghostscriptLimits, type Ran } from './ghostscript.ts'
import { headerPdf } from './header.ts'
import type { DocumentLimits } from './taking.ts'

/** What a document and its pages may take while they are made, twice what Ghostscript may write, bytes. */
const ROOM = 2 * ghostscriptLimits.output

export interface PagesParts {
  documents: DocumentStore
  peers: DocumentPeers
  workshop: Workshop
  ghostscript: Pick<Ghostscript, 'render' | 'renderHeader' | 'convertTiff'>
  ability: Pick<Ability, 'look'>
  facts: Pick<Store, 'remember' | 'recall'>
  limits: DocumentLimits
  /** Absent on an appliance that stands alone. */
  renderers?: RenderPeers | undefined
  log: Log
}

type Making = { result: 'made'; made: Made } | Exclude<PagesResult, { result: 'pages' }>

export function createPages(parts: PagesParts) {
  const { documents, peers, workshop, ghostscript, ability, facts, limits, log } = parts
  /** Two lines may want the pages of one document at a time. */
  const making = new Map<string, Promise<Making>>()

  async function find({ hash }: Pick<DocumentReference, 'hash'>): Promise<string | undefined> {
    const here = (await documents.find(hash)) !== undefined || (await peers.fetch(hash))
    return here ? documents.path(hash) : undefined
  }

  async function pages(
    document: DocumentReference,
    options: PageOptions,
    header?: PageHeader,
  ): Promise<PagesResult> {
    const here = await pagesHere(document, options, header)
    if (here.result !== 'later' || !here.lacking) return here
    return (await elsewhere?.pages(document, options, header)) ?? here
  }

  async function pagesHere(
    document: DocumentReference,
    { resolution }: PageOptions,
    header?: PageHeader,
  ): Promise<PagesResult> {
    const name = `pages:${document.hash}:${resolution}:${document.paper ?? limits.paper}`
    const mine = making.get(name) ?? make(name, document, resolution)
    making.set(name, mine)
    const result = await mine.finally(() => making.delete(name))
    if (result.result !== 'made') return result
    const { made } = result
    const file = documents.path(made.hash)
    if (!header) return { ...made, result: 'pages', file, release: async () => {} }
    return underHeader(file, made, header)
  }

  async function make(name: string, document: DocumentReference, resolution: 98 | 196): Promise<Making> {
    const known = readMade((await facts.recall(name)) ?? '')
    if (known && (await find(known)) !== undefined) return { result: 'made', made: known }
    const source = await find(document)
    if (source === undefined) return later(AWAY)
    const rendered = await render(source, document, resolution)
    // What a full disk cut off looks like a damaged document.
    const cramped = rendered.result === 'failed' && !(await documents.hasRoom(ROOM))
    const result = cramped ? later(NO_ROOM) : rendered
    if (result.result !== 'made') {
      log.warn({ document: document.hash, reason: result.reason.code }, 'a document was not made into pages')
      return result
    }
    const { made } = result
    await facts.remember(name, JSON.stringify(made))
    const bytes = (await documents.find(made.hash))?.bytes ?? 0
    const replicated = await peers.offer(made.hash, waitFor(bytes))
    log.info({ document: document.hash, ...made, replicated }, 'a document was made into pages')
    return result
  }

  async function render(source: string, document: DocumentReference, resolution: 98 | 196): Promise<Making> {
    const { type, paper = limits.paper } = document
    // As many as were accepted, whatever is taken here: one more shows that they are others.
    const most = document.pages + 1
    const pdf = documents.temporary()
    const tiff = documents.temporary()
    try {
      let input = source
      let strict = false
      if (type !== 'pdf') {
        const ran = await workshop.run({ job: 'prepare', file: source, type, paper, out: pdf })
        if (ran.result !== 'done') return notRun(ran)
        if (ran.done.result === 'broken') return failed(BROKEN)
        if (ran.done.result === 'pages') {
          const { hash } = await documents.adopt(pdf)
          return { result: 'made', made: { hash, pages: ran.done.pages, resolution: ran.done.resolution } }
        }
        if (ran.done.result === 'foreign') {
          strict = true
          const converted = await ghostscript.convertTiff(source, pdf)
          if (converted.result === 'missing') return lacking(NO_TIFF_PROGRAM)
          if (converted.result !== 'ended') return notRendered(converted)
        }
        input = pdf
      }
      const ran = await ghostscript.render(input, tiff, { paper, resolution, mostPages: most, strict })
      if (ran.result !== 'ended') {
        if (await unable(ran)) return lacking(NO_GHOSTSCRIPT)
        if ('said' in ran)
          log.debug({ document: document.hash, said: ran.said.slice(0, 500) }, 'ghostscript failed')
        return notRendered(ran)
      }
      const count = await workshop.run({ job: 'count', file: tiff, pages: most })
      if (count.result !== 'done') return count.result === 'died' ? failed(BROKEN) : notRun(count)
      if (count.done.pages === 0) return failed(BROKEN)
      const { hash } = await documents.adopt(tiff)
      return { result: 'made', made: { hash, pages: count.done.pages, resolution } }
    } finally {
      await Promise.all([pdf, tiff].map((path) => rm(path, { force: true })))
    }
  }

  /** A file for this call alone: the line says when the call began. */
  async function underHeader(file: string, made: Made, header: PageHeader): Promise<PagesResult> {
    const [pdf, lines, out] = [documents.temporary(), documents.temporary(), documents.temporary()]
    try {
      await writeFile(pdf, headerPdf(header, made.pages), { mode: 0o600 })
      const ran = await ghostscript.renderHeader(pdf, lines, made.resolution)
      if (await unable(ran)) return lacking(NO_GHOSTSCRIPT)
      if (ran.result !== 'ended') return notRendered(ran)
      const laid = await workshop.run({ job: 'header', file, lines, out })
      if (laid.result !== 'done') return notRun(laid)
      if (!laid.done.made) return failed(BROKEN)
      const release = () => rm(out, { force: true })
      return { ...made, result: 'pages', file: out, release }
    } finally {
      await Promise.all([pdf, lines].map((path) => rm(path, { force: true })))
    }
  }

  async function picture(
    document: Pick<DocumentReference, 'hash'>,
    page: number,
  ): Promise<Buffer | undefined> {
    const file = await find(document)
    if (file === undefined) return undefined
    const out = documents.temporary()
    try {
      const ran = await workshop.run({ job: 'picture', file, page, out })
      return ran.result === 'done' && ran.done.made ? await readFile(out) : undefined
    } finally {
      await rm(out, { force: true })
    }
  }

  /** It is not the document's fault: the fax waits until somebody has mended the appliance. */
  const unable = async ({ result }: Ran): Promise<boolean> =>
    (result === 'missing' || result === 'failed') && !(await ability.look())

  const elsewhere =
    parts.renderers && createElsewhere({ peers: parts.renderers, documents, find, make: pagesHere, log })

  return {
    pages,
    find,
    picture,
    ...(elsewhere ? { render: elsewhere.answer } : {}),
    stop: () => elsewhere?.stop(),
  }
}

const failed = (reason: Reason): { result: 'failed'; reason: Reason } => ({ result: 'failed', reason })
const later = (reason: Reason): { result: 'later'; reason: Reason } => ({ result: 'later', reason })

const lacking = (reason: Reason): { result: 'later'; reason: Reason; lacking: true } => ({
  result: 'later',
  reason,
  lacking: true,
})

const notRun = ({ result }: Apart) => (result === 'busy' ? later(BUSY) : failed(TOO_COMPLEX))

function notRendered(ran: Exclude<Ran, { result: 'ended' }>) {
  switch (ran.result) {
    case 'exceeded':
      return failed(TOO_COMPLEX)
    case 'missing':
      return lacking(NO_GHOSTSCRIPT)
    case 'stopped':
      return later(BUSY)
    case 'failed':
      return failed(BROKEN)
  }
}

const BROKEN: Reason = {
  code: 'document-broken',
  text: 'No pages could be made of the document: it is damaged. Make it anew and send it again.',
}
const TOO_COMPLEX: Reason = {
  code: 'document-too-complex',
  text: 'The document takes more time or memory to become pages than is allowed. Print it into a new PDF and send that.',
}
const NO_GHOSTSCRIPT: Reason = {
  code: 'ghostscript-missing',
  text: `${GHOSTSCRIPT_MISSING} The fax goes on then.`,
}
const NO_TIFF_PROGRAM: Reason = {
  code: 'tiff2pdf-missing',
  text: 'The TIFF is read with tiff2pdf, which is not installed on this appliance. Install the package libtiff-tools; the fax goes on then.',
}
const BUSY: Reason = {
  code: 'document-busy',
  text: 'Other documents are being made into pages; this one is next.',
}
const NO_ROOM: Reason = {
  code: 'disk-full',
  text: 'The disk has no room for the pages of the document. Make some; the fax goes on then.',
}
const AWAY: Reason = {
  code: 'document-away',
  text: 'The document is on another member that is away; it is sent when that member is back.',
}
